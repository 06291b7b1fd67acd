"""A workload is listed while it is live, and removed stage by stage, with the approvals of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.settings import DEV, ORCHESTRATOR, PROD, STAGING
from orchestrator.core.stage_roles import SERVICE
from tests.releases.team import Team, eventually, stage

NAME = "leaving"
WORKLOAD = f"{NAME}-realtime"
ACCOUNTS = {"dev": DEV, "staging": STAGING, "prod": PROD}


def listed(team: Team, workload: str) -> dict[str, Any] | None:
    """The workload as ``GET /workloads`` has it, if it does."""
    found = team.follower.api("GET", "/workloads?limit=1000").json()["workloads"]
    return next((one for one in found if one["workload"] == workload), None)


def asked_to_go(team: Team, workload: str) -> str:
    """Ask for the removal; the id of its release."""
    reply = team.follower.api("DELETE", f"/workloads/{workload}")
    assert reply.status == 202, reply.body
    return str(reply.json()["release_id"])


@pytest.fixture(scope="module")
def released(multi: Team, live: str) -> dict[str, Any]:
    """A workload that is live in every stage."""
    found = multi.release(NAME, multi.configuration(NAME))
    assert found["status"] == "succeeded", found["reason"]
    return found


@pytest.fixture(scope="module")
def kept(multi: Team, released: dict[str, Any]) -> dict[str, Any]:
    """A removal that was rejected at the question about staging; the question as it stood."""
    found = listed(multi, WORKLOAD)
    assert found is not None
    assert [(one["stage"], one["release_id"]) for one in found["live"]] == [
        (where, released["release_id"]) for where in ACCOUNTS
    ]
    removal = asked_to_go(multi, WORKLOAD)
    asked = multi.until_asked(removal, "staging")
    question = partial(multi.message_with, removal, f"{WORKLOAD}: remove from staging?")
    message = eventually("the question in Slack", question)
    assert '"action_id": "approve"' in message
    assert "AWS::SageMaker::Endpoint" in message
    multi.put_aside(removal, "Staging still shows it to the auditors.")
    return asked


def stands_in(team: Team, stack_name: str) -> list[str]:
    """Stages that have the workload's stack."""
    return [where for where, account in ACCOUNTS.items() if team.stack(account, stack_name)]


def test_a_rejected_removal_keeps_what_was_not_reached(
    multi: Team, released: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert kept["kind"] == "removal"
    plan = stage(kept, "staging")["plan"]
    assert {change["action"] for change in plan["resources"]} == {"remove"}
    assert "AWS::SageMaker::Endpoint" in {change["type"] for change in plan["resources"]}
    assert stage(kept, "dev")["status"] == "removed"
    assert stands_in(multi, released["stack_name"]) == ["staging", "prod"]
    found = listed(multi, WORKLOAD)
    assert found is not None
    assert [one["stage"] for one in found["live"]] == ["staging", "prod"]
    assert "It is gone from dev. It stays as it was in staging and prod." in eventually(
        "the end in Slack", lambda: multi.message_with(kept["release_id"], "It is gone from dev")
    )


def test_a_workload_goes_from_every_stage_with_approvals_and_comes_back(
    multi: Team, released: dict[str, Any], kept: dict[str, Any]
) -> None:
    removal = asked_to_go(multi, WORKLOAD)
    ended = multi.follower.until_end(removal, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    assert {where: ended.stage(where).status for where in ACCOUNTS} == {
        "dev": "unchanged",
        "staging": "removed",
        "prod": "removed",
    }
    assert stands_in(multi, released["stack_name"]) == []
    for where, account in ACCOUNTS.items():
        endpoint = stage(released, where)["outputs"]["EndpointName"]
        with pytest.raises(ClientError, match="Could not find endpoint"):
            multi.client("sagemaker", account).describe_endpoint(EndpointName=endpoint)
    assert listed(multi, WORKLOAD) is None
    again = multi.follower.api("DELETE", f"/workloads/{WORKLOAD}")
    assert (again.status, again.json()["message"]) == (
        404,
        f"{WORKLOAD} has been removed already, by release {removal}",
    )
    eventually("the end in Slack", lambda: multi.message_with(removal, f"{WORKLOAD} was removed from dev, staging"))
    (mail,) = multi.mails(removal)
    assert f"{WORKLOAD} was removed from dev, staging and prod." in mail["message"]
    assert multi.open_waits(removal) == []

    multi.upload(NAME, multi.configuration(NAME))
    back = multi.started(WORKLOAD, frozenset({released["release_id"], kept["release_id"], removal}))
    multi.until_asked(back, "staging")
    assert listed(multi, WORKLOAD) is not None
    multi.put_aside(back)


@contextmanager
def undeletable(team: Team) -> Iterator[None]:
    """Meanwhile CloudFormation's role in dev may not delete endpoints."""
    iam = team.client("iam", DEV)
    denied = {"Effect": "Deny", "Action": "sagemaker:DeleteEndpoint", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=SERVICE, PolicyName="endpoints-stay", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=SERVICE, PolicyName="endpoints-stay")


def test_a_deletion_that_fails_is_told_and_can_be_repeated(multi: Team, live: str) -> None:
    name, workload = "stuck", "stuck-realtime"
    multi.upload(name, multi.configuration(name))
    release_id = multi.started(workload)
    asked = multi.until_asked(release_id, "staging")
    multi.put_aside(release_id)

    with undeletable(multi):
        removal = asked_to_go(multi, workload)
        failed = multi.ended(removal)
    assert failed.status == "failed"
    assert "Endpoint (AWS::SageMaker::Endpoint)" in failed.reason
    stack = multi.stack(DEV, asked["stack_name"])
    assert stack is not None
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "AWS::SageMaker::Endpoint" in eventually(
        "the reason in Slack", lambda: multi.message_with(removal, "AWS::SageMaker::Endpoint")
    )
    again = multi.ended(asked_to_go(multi, workload))
    assert again.status == "succeeded", again.reason
    assert multi.stack(DEV, asked["stack_name"]) is None
    assert again.stage("staging").status == "unchanged"


def test_in_one_account(single: Team, live_single: str) -> None:
    released = single.release(NAME, single.configuration(NAME))
    assert released["status"] == "succeeded", released["reason"]
    removal = asked_to_go(single, WORKLOAD)
    asked = single.until_asked(removal, "prod")
    assert stage(asked, "prod")["plan"]["resources"]
    ended = single.follower.until_end(removal, decide=single.approve)
    assert ended.status == "succeeded", ended.reason
    assert single.stack(ORCHESTRATOR, released["stack_name"]) is None
    assert listed(single, WORKLOAD) is None
