"""Sessions in the stages' accounts: which role, with what, and for how long they are kept."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import pytest

from orchestrator.aws.accounts import AssumedAccounts
from orchestrator.aws.credentials import RoleCredentials
from orchestrator.core.errors import AccessDenied, Throttled
from orchestrator.core.installation import Installation
from orchestrator.core.jobs import JobKind
from tests.aws.service_double import Refusal, ServiceDouble
from tests.fakes.memory_world import installation

RELEASE = "fraud-detector-realtime-0123456789"


class Sts(ServiceDouble):
    """STS that numbers its sessions."""

    service = "sts"

    def assume_role(self, **given: Any) -> dict[str, Any]:
        number = len(self.made("assume_role"))
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA-KEY-OF-SESSION-{number}",
                "SecretAccessKey": "very-secret",
                "SessionToken": "very-secret-token",
            }
        }


class Clients:
    """Remembers which clients were made with whose credentials."""

    def __init__(self) -> None:
        self.made: list[tuple[str, RoleCredentials | None]] = []
        self.only_attempts: list[int] = []

    def __call__(
        self, service: str, credentials: RoleCredentials | None = None, only_attempt_seconds: int | None = None
    ) -> Any:
        self.made.append((service, credentials))
        if only_attempt_seconds is not None:
            self.only_attempts.append(only_attempt_seconds)
        double = Runtime() if service == "sagemaker-runtime" else ServiceDouble()
        return double.client(service)


class Runtime(ServiceDouble):
    """An endpoint that answers."""

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(b"[1]")}


@pytest.fixture
def sts() -> Sts:
    """The token service."""
    return Sts()


@pytest.fixture
def clients() -> Clients:
    """The clients that were made."""
    return Clients()


@pytest.fixture
def settings() -> Installation:
    """Four accounts."""
    return installation()


@pytest.fixture
def accounts(sts: Sts, clients: Clients, settings: Installation) -> AssumedAccounts:
    """The adapter, at work for a release."""
    return AssumedAccounts(settings, sts.client(), clients, RELEASE)


def test_a_session_is_of_the_stages_role_with_the_external_id_and_the_releases_name(
    accounts: AssumedAccounts, sts: Sts
) -> None:
    accounts.jobs("prod")
    assert sts.made("assume_role") == [
        {
            "RoleArn": "arn:aws:iam::444444444444:role/mlops/mlops-run-job",
            "RoleSessionName": RELEASE,
            "ExternalId": "mlops-orchestrator-test",
            "DurationSeconds": 3600,
        }
    ]


@pytest.mark.parametrize(
    ("method", "role", "services"),
    [
        ("endpoints", "mlops-observe", ["sagemaker"]),
        ("jobs", "mlops-run-job", []),
    ],
)
def test_each_group_of_calls_has_its_own_role(
    accounts: AssumedAccounts, sts: Sts, clients: Clients, method: str, role: str, services: list[str]
) -> None:
    getattr(accounts, method)("staging")
    assert [call["RoleArn"] for call in sts.made("assume_role")] == [f"arn:aws:iam::333333333333:role/mlops/{role}"]
    assert [service for service, _ in clients.made] == services
    keys = {made.access_key for _, made in clients.made if made}
    assert keys <= {"ASIA-KEY-OF-SESSION-1"}


@pytest.mark.parametrize(
    ("kind", "service"),
    [
        (JobKind.SAGEMAKER_PIPELINE, "sagemaker"),
        (JobKind.AUTOML_JOB, "sagemaker"),
        (JobKind.CODEBUILD, "codebuild"),
    ],
)
def test_a_job_costs_the_client_of_its_own_service(
    accounts: AssumedAccounts, clients: Clients, kind: JobKind, service: str
) -> None:
    jobs = accounts.jobs("dev")
    with suppress(AttributeError):  # the double has no such operation
        jobs.state(kind, "arn:aws:x:us-east-1:222222222222:build/p:1")
    assert [(name, made.access_key if made else "") for name, made in clients.made] == [
        (service, "ASIA-KEY-OF-SESSION-1")
    ]


def test_an_endpoint_is_invoked_by_the_same_session_in_one_attempt_of_the_given_time(
    accounts: AssumedAccounts, clients: Clients
) -> None:
    accounts.endpoints("staging").invoke("fraud", b"1", "text/csv", 7)
    assert [service for service, _ in clients.made] == ["sagemaker", "sagemaker-runtime"]
    assert {made.access_key for _, made in clients.made if made} == {"ASIA-KEY-OF-SESSION-1"}
    assert clients.only_attempts == [7]


def test_the_roles_for_stacks_are_assumed_when_they_are_needed(accounts: AssumedAccounts, sts: Sts) -> None:
    accounts.stacks("dev")
    assert sts.made("assume_role") == []


def test_no_session_outlives_its_group_of_calls(accounts: AssumedAccounts, sts: Sts) -> None:
    """A chained session lives an hour, a warm function longer."""
    accounts.jobs("dev")
    accounts.jobs("dev")
    assert len(sts.made("assume_role")) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlops-orchestrator", "mlops-orchestrator"),
        ("über/release id", "-ber-release-id"),
        ("r" * 80, "r" * 64),
    ],
    ids=["plain", "letters that IAM refuses", "too long"],
)
def test_a_sessions_name_is_one_that_iam_takes(
    sts: Sts, clients: Clients, settings: Installation, name: str, expected: str
) -> None:
    AssumedAccounts(settings, sts.client(), clients, name).jobs("dev")
    assert [call["RoleSessionName"] for call in sts.made("assume_role")] == [expected]


def test_a_role_that_cannot_be_assumed_is_named(accounts: AssumedAccounts, sts: Sts) -> None:
    sts.refusals["assume_role"] = [Refusal("AccessDenied", "User: arn:aws:sts::1:x is not authorized", 403)]
    with pytest.raises(
        AccessDenied, match="IAM refused sts:AssumeRole to arn:aws:iam::222222222222:role/mlops/mlops-observe"
    ):
        accounts.endpoints("dev")


def test_a_session_of_our_own_that_ran_out_is_tried_again(accounts: AssumedAccounts, sts: Sts) -> None:
    sts.refusals["assume_role"] = [Refusal("ExpiredToken", "The security token is expired", 403)]
    with pytest.raises(Throttled, match="ran out"):
        accounts.endpoints("dev")


def test_an_unknown_stage_is_named(accounts: AssumedAccounts) -> None:
    with pytest.raises(KeyError, match="no stage 'qa'"):
        accounts.jobs("qa")


def test_credentials_print_as_nothing() -> None:
    shown = repr(RoleCredentials("arn:role", "ASIAKEY", "very-secret", "very-secret-token"))
    assert shown == "RoleCredentials(role_arn='arn:role')"
