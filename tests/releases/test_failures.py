"""What goes wrong in an account or on the way: told in the service's own words, and nothing half done is left."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from local.settings import DEV, ORCHESTRATOR, PROD, REGION, STAGING
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
            RoleName=role, PolicyName=name, PolicyDocument=json.dumps(without("cloudformation:CreateChangeSet", document))
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
    multi.running.cloud.faults(status_events=False)
    try:
        multi.upload(name, multi.configuration(name))
        release_id = multi.started(f"{name}-realtime")
        multi.until_asked(release_id, "staging") if False else None
        wait = eventually("a wait for dev's stack", lambda: multi.open_wait(release_id, "dev"))
        before = multi.invocations("ResumeDeployment")
        multi.running.cloud.inject_event(forged(wait["subject"], wait["request_token"]), DEV)
        eventually("the event handled", lambda: multi.invocations("ResumeDeployment") > before)
    finally:
        multi.running.cloud.faults(status_events=True)


def test_the_sweeper_alone_completes_a_release(multi: Team, live: str) -> None:
    name = "swept"
    multi.running.cloud.faults(status_events=False)
    try:
        multi.upload(name, multi.configuration(name))
        release_id = multi.started(f"{name}-realtime")
        before = multi.invocations("ResumeDeployment")
        ended = multi.follower.until_end(release_id, decide=multi.approve)
        assert ended.status == "succeeded", ended.reason
        assert multi.invocations("ResumeDeployment") == before
    finally:
        multi.running.cloud.faults(status_events=True)


def without(action: str, document: dict[str, object]) -> dict[str, object]:
    """A policy without one action."""
    kept = []
    for statement in document["Statement"]:  # type: ignore[attr-defined]
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        left = [one for one in actions if one != action]
        if left:
            kept.append({**statement, "Action": left})
    return {**document, "Statement": kept}


def forged(stack_id: str, token: str) -> dict[str, object]:
    """A status event of the right shape that says more than is so."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "account": DEV,
        "region": REGION,
        "resources": [stack_id],
        "detail": {
            "stack-id": stack_id,
            "status-details": {"status": "CREATE_COMPLETE", "status-reason": ""},
            "client-request-token": token,
        },
    }


assert ORCHESTRATOR
