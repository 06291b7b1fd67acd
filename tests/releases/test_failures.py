"""What goes wrong in an account or on the way: told in the service's own words, and nothing half done is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.follow import waiting_approval
from local.settings import DEV, PROD, STAGING
from tests.events.samples import stack_changed
from tests.releases.team import Team, eventually, stage

TAKEN = "taken-in-staging"


@pytest.fixture
def taken(multi: Team, live: str) -> Iterator[str]:
    """An endpoint that somebody else made in the staging account."""
    sagemaker = multi.client("sagemaker", STAGING)
    endpoint = stage(multi.show(live), "staging")["outputs"]["EndpointName"]
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    sagemaker.create_endpoint(EndpointName=TAKEN, EndpointConfigName=config)
    yield TAKEN
    sagemaker.delete_endpoint(EndpointName=TAKEN)


def test_a_stack_that_fails_in_staging_rolls_back_and_leaves_prod_alone(multi: Team, taken: str) -> None:
    name = "fails-in-staging"
    names = {"dev": f"{name}-dev", "staging": taken, "prod": f"{name}-prod"}
    ended = multi.release(name, multi.configuration(name, endpoint_name=names))
    assert ended["status"] == "failed"
    assert "Endpoint (AWS::SageMaker::Endpoint)" in ended["reason"]
    assert taken in ended["reason"]
    message = eventually("the reason in Slack", lambda: multi.message_with(ended["release_id"], taken))
    assert "AWS::SageMaker::Endpoint" in message
    (mail,) = multi.mails(ended["release_id"])
    assert taken in mail["message"]
    stack = multi.stack(STAGING, ended["stack_name"])
    assert stack is not None
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert multi.stack(PROD, ended["stack_name"]) is None


def test_a_missing_permission_ends_the_release_with_the_role_and_the_action(multi: Team, live: str) -> None:
    iam = multi.client("iam", DEV)
    role = "mlops-deploy"
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    for name, document in policies.items():
        iam.put_role_policy(
            RoleName=role,
            PolicyName=name,
            PolicyDocument=json.dumps(without("cloudformation:CreateChangeSet", document)),
        )
    try:
        ended = multi.release("forbidden", multi.configuration("forbidden"))
    finally:
        for name, document in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    assert ended["status"] == "failed"
    assert "mlops-deploy" in ended["reason"]
    assert "cloudformation:CreateChangeSet" in ended["reason"]
    assert multi.stack(DEV, ended["stack_name"]) is None


def test_a_forged_stack_event_resumes_nothing(multi: Team, live: str) -> None:
    name = "forged"
    cloud = multi.running.cloud
    cloud.faults(endpoints_settle=False)
    try:
        multi.upload(name, multi.configuration(name))
        release_id = multi.started(f"{name}-realtime")
        (wait,) = eventually("a wait for dev's stack", lambda: multi.open_waits(release_id))
        before = multi.invocations("resume-deployment")
        forged = stack_changed(wait["subject"], "CREATE_COMPLETE", wait["request_token"], DEV)
        cloud.inject_event(forged, DEV)
        eventually("the event handled", lambda: multi.invocations("resume-deployment") > before)
        assert multi.open_waits(release_id) == [wait]
        assert multi.show(release_id)["status"] == "deploying"
    finally:
        cloud.faults(endpoints_settle=True)
    multi.until_asked(release_id, "staging")
    multi.reject(release_id, "Enough for this test.")
    assert multi.ended(release_id).status == "rejected"


def test_the_sweeper_alone_completes_a_release(multi: Team, live: str) -> None:
    name = "swept"
    cloud = multi.running.cloud
    cloud.faults(status_events=False)
    try:
        before = multi.invocations("resume-deployment")
        multi.upload(name, multi.configuration(name))
        release_id = multi.started(f"{name}-realtime")
        for stage_name, following in (("dev", "staging"), ("staging", "prod"), ("prod", "")):
            eventually(f"a wait for {stage_name}", lambda: multi.open_waits(release_id))
            eventually(f"{stage_name} swept", lambda: cloud.run_schedules() and not multi.open_waits(release_id))
            if following:
                multi.approve(waiting_approval(multi.until_asked(release_id, following)))
        assert multi.ended(release_id).status == "succeeded"
        assert multi.invocations("resume-deployment") == before
    finally:
        cloud.faults(status_events=True)


def without(action: str, document: dict[str, Any]) -> dict[str, Any]:
    """A policy without one action."""
    kept = []
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        left = [one for one in actions if one != action]
        if left:
            kept.append({**statement, "Action": left})
    return {**document, "Statement": kept}
