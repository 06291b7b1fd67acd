"""A workload is listed while it is live, and removed stage by stage, with the approvals of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.settings import DEV, ORCHESTRATOR, PROD, STAGING
from orchestrator.core.stage_roles import SERVICE
from tests.releases.team import Team, eventually, stage

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


def test_a_workload_goes_from_dev_staging_and_prod_with_approvals(multi: Team, live: str) -> None:
    name, workload = "leaving", "leaving-realtime"
    released = multi.release(name, multi.configuration(name))
    assert released["status"] == "succeeded", released["reason"]
    endpoints = {where: stage(released, where)["outputs"]["EndpointName"] for where in ACCOUNTS}
    found = listed(multi, workload)
    assert found is not None
    assert [(one["stage"], one["release_id"]) for one in found["live"]] == [
        (where, released["release_id"]) for where in ACCOUNTS
    ]

    removal = asked_to_go(multi, workload)
    asked = multi.until_asked(removal, "staging")
    assert asked["kind"] == "removal"
    assert multi.stack(DEV, released["stack_name"]) is None
    assert multi.stack(STAGING, released["stack_name"]) is not None
    plan = stage(asked, "staging")["plan"]
    assert {change["action"] for change in plan["resources"]} == {"remove"}
    assert "AWS::SageMaker::Endpoint" in {change["type"] for change in plan["resources"]}
    message = eventually(
        "the question in Slack", lambda: multi.message_with(removal, f"{workload}: remove from staging?")
    )
    assert '"action_id": "approve"' in message
    assert "AWS::SageMaker::Endpoint" in message

    ended = multi.follower.until_end(removal, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    for where, account in ACCOUNTS.items():
        assert multi.stack(account, released["stack_name"]) is None
        assert ended.stage(where).status == "removed"
        with pytest.raises(ClientError, match="Could not find endpoint"):
            multi.client("sagemaker", account).describe_endpoint(EndpointName=endpoints[where])
    assert listed(multi, workload) is None
    again = multi.follower.api("DELETE", f"/workloads/{workload}")
    assert (again.status, again.json()["message"]) == (
        404,
        f"{workload} has been removed already, by release {removal}",
    )
    eventually("the end in Slack", lambda: multi.message_with(removal, f"{workload} was removed from dev, staging"))
    (mail,) = multi.mails(removal)
    assert f"{workload} was removed from dev, staging and prod." in mail["message"]
    assert multi.open_waits(removal) == []

    back = multi.release(name, multi.configuration(name))
    assert back["status"] == "succeeded", back["reason"]
    assert listed(multi, workload) is not None


def test_a_rejected_removal_keeps_what_was_not_reached(multi: Team, live: str) -> None:
    name, workload = "staying", "staying-realtime"
    released = multi.release(name, multi.configuration(name))
    removal = asked_to_go(multi, workload)
    multi.until_asked(removal, "staging")
    multi.reject(removal, "Staging still shows it to the auditors.")
    assert multi.ended(removal).status == "rejected"
    assert [multi.stack(account, released["stack_name"]) is None for account in ACCOUNTS.values()] == [
        True,
        False,
        False,
    ]
    found = listed(multi, workload)
    assert found is not None
    assert [one["stage"] for one in found["live"]] == ["staging", "prod"]
    assert "It is gone from dev. It stays as it was in staging and prod." in eventually(
        "the end in Slack", lambda: multi.message_with(removal, "It is gone from dev")
    )


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
    multi.reject(release_id, "Dev is enough for this test.")
    assert multi.ended(release_id).status == "rejected"

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


def test_in_one_account(single: Team) -> None:
    name, workload = "leaving", "leaving-realtime"
    there = single.client("s3", ORCHESTRATOR).list_objects_v2(Bucket=single.assets_bucket).get("Contents", [])
    for key in single.example.assets.keys() - {one["Key"] for one in there}:
        single.upload_asset(key, single.example.assets[key].read_bytes())
    released = single.release(name, single.configuration(name))
    assert released["status"] == "succeeded", released["reason"]
    removal = asked_to_go(single, workload)
    asked = single.until_asked(removal, "prod")
    assert stage(asked, "prod")["plan"]["resources"]
    ended = single.follower.until_end(removal, decide=single.approve)
    assert ended.status == "succeeded", ended.reason
    assert single.stack(ORCHESTRATOR, released["stack_name"]) is None
    assert listed(single, workload) is None
