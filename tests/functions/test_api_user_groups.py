"""``POST /releases/{id}/decision`` by members of a Slack user group: Slack is asked who is in it, if a role has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.api import service
from orchestrator.aws import clients, secrets
from orchestrator.aws.secrets import SlackSecret
from orchestrator.core.installation import ApprovalPolicy, StageSettings
from orchestrator.core.records import Release, TaskToken
from tests.fakes.memory_world import BEN, CHLOE, DEV, OWNER, ROLES, MemoryWorld, configuration, installation
from tests.functions.conftest import SECRET_TOKEN, VALUES, Called
from tests.functions.test_api import Client, arn, decide

TOKEN = "xoxb-local-page"
GROUP = "S0OWNERS"


@pytest.fixture
def read(memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """ARNs of the secrets that were read; Slack answers as the groups in memory do."""
    arns: list[str] = []

    def slack_secret(client: Any, arn: str) -> SlackSecret:
        arns.append(arn)
        return SlackSecret(TOKEN, "signing")

    class Groups:
        """``orchestrator.aws.user_groups.SlackUserGroups`` without its connection."""

        def __init__(self, token: Callable[[], str], api_url: str) -> None:
            self._token = token

        def members(self, group: str) -> frozenset[str]:
            assert self._token() == TOKEN
            return memory.user_groups.members(group)

    monkeypatch.setattr(secrets, "slack_secret", slack_secret)
    monkeypatch.setattr(clients, "client", lambda service: service)
    monkeypatch.setattr(service, "SlackUserGroups", Groups)
    return arns


@pytest.fixture
def waiting(memory: MemoryWorld) -> Release:
    """Staging waits for one of the group, or of risk."""
    memory.user_groups.known[GROUP] = {"U0BEN"}
    policy = ApprovalPolicy(((("duty", 1),), (("risk", 2),)))
    memory.installation = installation(
        *(StageSettings("dev", "2" * 12), StageSettings("staging", "3" * 12, policy)),
        StageSettings("prod", "4" * 12, OWNER),
        roles={**ROLES, "duty": (GROUP,)},
    )
    release = memory.release()
    memory.package(release.release_id)
    memory.deploy(release.release_id, "dev")
    memory.verify(release.release_id, "dev")
    memory.plan(release.release_id, "staging")
    memory.ask(release.release_id, "staging", TaskToken(SECRET_TOKEN))
    return memory.of(release.release_id)


@pytest.fixture
def call(api: Called) -> Client:
    return Client(api)


@pytest.fixture
def api(called: Any) -> Called:
    found: Called = called("api")
    return found


def digest(memory: MemoryWorld, release: Release) -> str:
    return memory.approval(release.release_id, "staging").digest


def test_a_member_approves_and_another_person_does_not(
    call: Client, memory: MemoryWorld, waiting: Release, read: list[str]
) -> None:
    refused = decide(call, waiting, digest(memory, waiting), arn(DEV))
    assert (refused.status, refused.body["message"]) == (403, "You are not an approver of staging.")
    reply = decide(call, waiting, digest(memory, waiting), arn(BEN))
    assert (reply.status, reply.body["status"]) == (200, "approved")
    assert set(read) == {VALUES["slack_secret_arn"]}


def test_without_slack_the_group_is_closed_and_others_decide(
    call: Client, memory: MemoryWorld, waiting: Release, read: list[str]
) -> None:
    memory.user_groups.down = True
    refused = decide(call, waiting, digest(memory, waiting), arn(DEV))
    assert refused.status == 403
    assert "Slack does not tell just now who is in the user group S0OWNERS (Slack was not" in refused.body["message"]
    assert TOKEN not in str(refused.body)
    reply = decide(call, waiting, digest(memory, waiting), arn(CHLOE))
    assert (reply.status, reply.body["status"]) == (200, "pending")


def test_no_secret_is_read_where_no_role_names_a_group(
    call: Client, memory: MemoryWorld, waiting: Release, read: list[str]
) -> None:
    release = memory.release(configuration(model_name="another"))
    memory.package(release.release_id)
    memory.plan(release.release_id, "prod")
    memory.ask(release.release_id, "prod")
    found = memory.approval(release.release_id, "prod").digest
    assert decide(call, release, found, arn(DEV), stage="prod").status == 200
    assert read == []
