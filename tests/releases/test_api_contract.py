"""The deployed API does what it says of itself: called with what nobody thought of, it never fails nor surprises.

Schemathesis reads the description that the API serves and makes calls of it: well-formed and malformed ones, every
limit from both sides, methods that are not there, calls without a signature; all of its checks are on. What it
expects in another way than API Gateway and the contract have it is named in ``CONFIG``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
import yaml  # type: ignore[import-untyped]
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from local.deploy import ROOT
from local.settings import ORCHESTRATOR, REGION
from tests.releases.team import Team

SOME, MANY = 15, 200
"""Random calls to an operation, beside those at the limits: in every run, and in the long one."""

CONFIG: dict[str, dict[str, Any]] = {
    # API Gateway answers 403 to a call without a signature, not 401; the check of a missing header knows 401 only.
    "generation": {"with-security-parameters": False},
    # The description has no links between operations; test_removal and the like go through whole releases.
    "phases": {"stateful": {"enabled": False}},
    # No schema holds all rules of a configuration: of its own form it may still be refused with 400.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409"]}},
}

OPERATIONS = sorted(
    operation["operationId"]
    for path in yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"].values()
    for operation in path.values()
)


class Signed(AuthBase):
    """Signature Version 4, by the orchestrator account's administrator."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign what is sent, last of all."""
        told = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
        signed = AWSRequest(method=request.method, url=request.url, data=request.body, headers=told)
        SigV4Auth(Credentials(ORCHESTRATOR, "local"), "execute-api", REGION).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


@pytest.fixture(scope="module")
def url(multi: Team, live: str) -> str:
    """Of the API, where something is live."""
    return str(multi.running.cloud.local_url(multi.running.outputs["ApiUrl"])).rstrip("/")


@pytest.fixture(scope="module")
def served(url: str) -> dict[str, Any]:
    """The description, as the API serves it."""
    reply = requests.get(f"{url}/openapi.json", auth=Signed(), timeout=30)
    assert reply.status_code == 200
    found: dict[str, Any] = reply.json()
    return found


def described(served: dict[str, Any], url: str, examples: int, seed: int | None = None) -> Any:
    """The description with its calls; with a seed they are the same in every run."""
    generation = {**CONFIG["generation"], "max-examples": examples, "deterministic": seed is not None}
    config = SchemathesisConfig.from_dict({**CONFIG, "generation": generation, **({"seed": seed} if seed else {})})
    schema = schemathesis.openapi.from_dict(served, config=config)
    schema.config.update(base_url=url)
    schema.auth.set_from_requests(Signed())
    return schema


def failures(schema: Any) -> Iterator[str]:
    """Every check that failed with its call, every error; and a sentence where nothing was called at all."""
    called = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            yield f"{event.label}: {event.value!r}"
        if not isinstance(event, events.ScenarioFinished):
            continue
        called += len(event.recorder.interactions)
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    failure, call = check.failure_info.failure, event.recorder.interactions[case_id]
                    body = call.response.content[:300] if call.response else b""
                    yield f"{check.name}: {failure.message}\n  {call.request.method} {call.request.uri}\n  {body!r}"
    if called < 3:
        yield f"only {called} calls were made"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_described(served: dict[str, Any], url: str, operation: str) -> None:
    schema = described(served, url, SOME, seed=20260301).include(operation_id=operation)
    assert "\n".join(failures(schema)) == ""


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_described_to_many_calls(served: dict[str, Any], url: str, operation: str) -> None:
    assert "\n".join(failures(described(served, url, MANY).include(operation_id=operation))) == ""


def test_what_the_api_says_of_a_real_release_is_as_described(
    served: dict[str, Any], url: str, multi: Team, live: str
) -> None:
    schema = described(served, url, SOME)
    found = multi.show(live)
    pipeline = f"arn:aws:cloudformation:{REGION}:444444444444:stack/{found['stack_name']}/{live}"
    late = {"decision": "approve", "stage": "prod", "digest": "0" * 64}
    for path, method, case in (
        ("/releases", "GET", {"query": {"limit": 100}}),
        ("/releases/{id}", "GET", {"path_parameters": {"id": live}}),
        ("/workloads", "GET", {}),
        ("/pipelinestatus", "POST", {"body": {"pipeline_id": pipeline}, "media_type": "application/json"}),
        (
            "/releases/{id}/decision",
            "POST",
            {"path_parameters": {"id": live}, "body": late, "media_type": "application/json"},
        ),
    ):
        reply = schema[path][method].Case(**case).call_and_validate(auth=Signed())
        assert reply.status_code in {200, 403, 409}, (path, reply.text)


def test_an_unsigned_call_is_answered_by_api_gateway(url: str) -> None:
    for path in ("/releases", "/workloads", "/openapi.json", "/nowhere"):
        reply = requests.get(url + path, timeout=30)
        assert (reply.status_code, reply.json()["message"]) == (403, "Missing Authentication Token"), path


def test_what_does_not_exist_is_told_in_json(url: str) -> None:
    nowhere = requests.get(f"{url}/nowhere/at-all", auth=Signed(), timeout=30)
    assert (nowhere.status_code, nowhere.json()) == (404, {"message": "there is no GET /nowhere/at-all"})
    wrong = requests.delete(f"{url}/releases", auth=Signed(), timeout=30)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")


def test_a_body_over_the_limit_is_refused_as_such(url: str) -> None:
    reply = requests.post(f"{url}/provisionpipeline", data=b"x" * 262_145, auth=Signed(), timeout=30)
    assert (reply.status_code, reply.json()["message"]) == (413, "the body has 262145 bytes; at most 262144 are taken")


def test_a_caller_whom_iam_does_not_let_in_removes_nothing(url: str, multi: Team, live: str) -> None:
    """Whoever is of another account is refused by API Gateway, whatever the path."""
    request = AWSRequest(method="DELETE", url=f"{url}/workloads/{multi.example_workload}", headers={})
    SigV4Auth(Credentials("999999999999", "local"), "execute-api", REGION).add_auth(request)
    reply = requests.delete(str(request.url), headers=dict(request.headers.items()), timeout=30)
    assert reply.status_code == 403
    workloads = requests.get(f"{url}/workloads", auth=Signed(), timeout=30).json()["workloads"]
    assert multi.example_workload in {one["workload"] for one in workloads}
