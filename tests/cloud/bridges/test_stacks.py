"""CloudFormation: change sets described and executed, status events, the service role, requests that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    eventually,
    failed_events,
    make_bucket,
    make_role,
    receive,
    service_trust,
    settled,
    stack_status,
    statement,
    trust,
    unique,
    watch_events,
)

pytestmark = pytest.mark.cloud

TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Title"}}}
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Title"}}}
BROKEN = {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointConfigName": "there-is-none"}}


def template(**resources: Any) -> str:
    return json.dumps({"Parameters": {"Title": {"Type": "String"}}, "Resources": resources})


def plan(cloud: EmbeddedCloud, stack: str, body: str, kind: str, title: str = "one", **more: Any) -> dict[str, Any]:
    """A change set made and described."""
    client = more.pop("client", None) or cloud.client("cloudformation", DEV)
    made = client.create_change_set(
        StackName=stack,
        ChangeSetName=unique("plan"),
        ChangeSetType=kind,
        TemplateBody=body,
        Parameters=[{"ParameterKey": "Title", "ParameterValue": title}],
        **more,
    )
    found: dict[str, Any] = client.describe_change_set(ChangeSetName=made["Id"])
    return found


def execute(cloud: EmbeddedCloud, planned: dict[str, Any], request: str = "an-operation") -> dict[str, Any]:
    cloud.client("cloudformation", DEV).execute_change_set(
        ChangeSetName=planned["ChangeSetId"], ClientRequestToken=request
    )
    return settled(cloud, DEV, planned["StackId"])


def test_a_change_set_says_what_is_added_modified_replaced_and_removed(cloud: EmbeddedCloud) -> None:
    stack = unique("described")
    first = plan(cloud, stack, template(Topic=TOPIC, Gone=TOPIC), "CREATE")
    assert {c["ResourceChange"]["Action"] for c in first["Changes"]} == {"Add"}
    execute(cloud, first)
    replaced = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": unique("named")}}
    execute(cloud, plan(cloud, stack, template(Topic=TOPIC, Gone=TOPIC, Queue=replaced), "UPDATE"))
    renamed = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": unique("named")}}
    changes = plan(cloud, stack, template(Topic=TOPIC, Queue=renamed), "UPDATE", title="two")["Changes"]
    found = {
        c["ResourceChange"]["LogicalResourceId"]: (
            c["ResourceChange"]["Action"],
            c["ResourceChange"].get("Replacement", ""),
            {detail["Target"].get("Name", "") for detail in c["ResourceChange"]["Details"]},
        )
        for c in changes
    }
    assert found == {
        "Topic": ("Modify", "False", {"DisplayName"}),
        "Queue": ("Modify", "True", {"QueueName"}),
        "Gone": ("Remove", "", set()),
    }


def test_the_template_of_a_change_set_and_the_time_of_the_last_update_are_told(cloud: EmbeddedCloud) -> None:
    client = cloud.client("cloudformation", DEV)
    body = template(Topic=TOPIC)
    planned = plan(cloud, unique("told"), body, "CREATE")
    got = client.get_template(ChangeSetName=planned["ChangeSetId"], TemplateStage="Original")["TemplateBody"]
    assert got == json.loads(body)
    first = execute(cloud, planned)
    second = execute(cloud, plan(cloud, first["StackName"], body, "UPDATE", title="two"))
    assert second["LastUpdatedTime"] > first["LastUpdatedTime"]


def test_every_event_of_an_operation_carries_its_request_token(cloud: EmbeddedCloud) -> None:
    stack = execute(cloud, plan(cloud, unique("tokens"), template(Topic=TOPIC), "CREATE"), request="release-1-dev")
    events = cloud.client("cloudformation", DEV).describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    tokens = {e["ResourceStatus"]: e.get("ClientRequestToken") for e in events}
    assert tokens == {
        "CREATE_COMPLETE": "release-1-dev",
        "CREATE_IN_PROGRESS": "release-1-dev",
        "REVIEW_IN_PROGRESS": None,
    }


def test_every_status_of_a_stack_is_an_event_on_the_accounts_default_bus(cloud: EmbeddedCloud) -> None:
    stack = unique("eventful")
    planned = plan(cloud, stack, template(Topic=TOPIC), "CREATE")
    url = watch_events(cloud, DEV, {"source": ["aws.cloudformation"], "detail": {"stack-id": [planned["StackId"]]}})
    execute(cloud, planned, request="release-2-dev")
    events = [json.loads(receive(cloud, DEV, url)["Body"]) for _ in range(2)]
    event = next(e for e in events if e["detail"]["status-details"]["status"] == "CREATE_COMPLETE")
    assert event["detail-type"] == "CloudFormation Stack Status Change"
    assert (event["account"], event["region"], event["resources"]) == (DEV, REGION, [planned["StackId"]])
    assert event["detail"] == {
        "stack-id": planned["StackId"],
        "status-details": {"status": "CREATE_COMPLETE", "status-reason": ""},
        "client-request-token": "release-2-dev",
    }


def test_status_events_can_be_lost(cloud: EmbeddedCloud) -> None:
    planned = plan(cloud, unique("silent"), template(Topic=TOPIC), "CREATE")
    url = watch_events(cloud, DEV, {"source": ["aws.cloudformation"], "detail": {"stack-id": [planned["StackId"]]}})
    assert cloud.faults(status_events=False)["status_events"] is False
    try:
        execute(cloud, planned)
    finally:
        cloud.faults(status_events=True)
    cloud.client("cloudformation", DEV).delete_stack(StackName=planned["StackId"])
    event = json.loads(receive(cloud, DEV, url)["Body"])
    assert event["detail"]["status-details"]["status"].startswith("DELETE_")


def test_a_failed_first_creation_rolls_back_with_the_reason_in_its_events(cloud: EmbeddedCloud) -> None:
    found = execute(cloud, plan(cloud, unique("broken"), template(Topic=TOPIC, Endpoint=BROKEN), "CREATE"))
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = {e["LogicalResourceId"]: e["ResourceStatusReason"] for e in failed_events(cloud, DEV, found["StackId"])}
    assert "there-is-none" in reasons["Endpoint"]


def test_an_update_with_a_failing_resource_rolls_back_to_what_was(cloud: EmbeddedCloud) -> None:
    stack = unique("kept")
    execute(cloud, plan(cloud, stack, template(Topic=TOPIC), "CREATE"))
    found = execute(cloud, plan(cloud, stack, template(Topic=TOPIC, Endpoint=BROKEN), "UPDATE", title="two"))
    assert found["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert found["Parameters"] == [{"ParameterKey": "Title", "ParameterValue": "one"}]


def test_a_change_set_without_changes_fails_and_says_so(cloud: EmbeddedCloud) -> None:
    stack = unique("same")
    execute(cloud, plan(cloud, stack, template(Topic=TOPIC), "CREATE"))
    planned = plan(cloud, stack, template(Topic=TOPIC), "UPDATE")
    assert (planned["Status"], planned["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in planned["StatusReason"]


def test_the_stack_of_a_first_plan_can_be_deleted(cloud: EmbeddedCloud) -> None:
    planned = plan(cloud, unique("reviewed"), template(Topic=TOPIC), "CREATE")
    assert stack_status(cloud, DEV, planned["StackId"]) == "REVIEW_IN_PROGRESS"
    client = cloud.client("cloudformation", DEV)
    client.delete_change_set(ChangeSetName=planned["ChangeSetId"])
    client.delete_stack(StackName=planned["StackId"])
    eventually(lambda: stack_status(cloud, DEV, planned["StackId"]) == "DELETE_COMPLETE")


ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"Path": "/mlops/workload/", "AssumeRolePolicyDocument": json.loads(service_trust("sagemaker"))},
}


def test_iam_resources_need_a_capability(cloud: EmbeddedCloud) -> None:
    with pytest.raises(ClientError, match=r"InsufficientCapabilities.*CAPABILITY_IAM"):
        plan(cloud, unique("capable"), template(Role=ROLE), "CREATE")
    assert plan(cloud, unique("capable"), template(Role=ROLE), "CREATE", Capabilities=["CAPABILITY_IAM"])["Changes"]


def test_a_parameter_that_the_template_lacks_is_refused(cloud: EmbeddedCloud) -> None:
    with pytest.raises(ClientError, match=r"Parameters: \[Title\] do not exist in the template"):
        plan(cloud, unique("undeclared"), json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}), "CREATE")


def service_role(cloud: EmbeddedCloud, *statements: dict[str, Any], **more: Any) -> str:
    return make_role(cloud, DEV, service_trust("cloudformation"), *statements, path="/mlops/", **more)


def test_resources_are_made_with_the_service_role_and_what_it_may_not_do_fails(cloud: EmbeddedCloud) -> None:
    topics_only = service_role(cloud, statement(["sns:CreateTopic", "sns:DeleteTopic"], "*"))
    planned = plan(cloud, unique("topics"), template(Topic=TOPIC), "CREATE", RoleARN=topics_only)
    made = execute(cloud, planned)
    assert (made["StackStatus"], made["RoleARN"]) == ("CREATE_COMPLETE", topics_only)

    refused = execute(cloud, plan(cloud, unique("queues"), template(Queue=QUEUE), "CREATE", RoleARN=topics_only))
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    (event,) = [e for e in failed_events(cloud, DEV, refused["StackId"]) if e["LogicalResourceId"] == "Queue"]
    assert "is not authorized to perform: sqs:CreateQueue" in event["ResourceStatusReason"]

    # The stack keeps the role: a later change that names none is made with it as well.
    later = plan(cloud, made["StackName"], template(Topic=TOPIC, Queue=QUEUE), "UPDATE")
    assert execute(cloud, later)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_the_service_roles_boundary_and_its_conditions_count(cloud: EmbeddedCloud) -> None:
    iam = cloud.client("iam", DEV)
    anything = {"Statement": [statement("*", "*")]}
    boundary = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=json.dumps(anything))["Policy"]["Arn"]
    bounded = {**ROLE, "Properties": {**ROLE["Properties"], "PermissionsBoundary": boundary}}  # type: ignore[dict-item]
    role = service_role(
        cloud,
        statement(
            "iam:CreateRole",
            f"arn:aws:iam::{DEV}:role/mlops/workload/*",
            Condition={"StringEquals": {"iam:PermissionsBoundary": boundary}},
        ),
        statement("iam:DeleteRole", "*"),
    )
    both: dict[str, Any] = {"Capabilities": ["CAPABILITY_IAM"], "RoleARN": role}
    assert execute(cloud, plan(cloud, unique("free"), template(Role=ROLE), "CREATE", **both))["StackStatus"] == (
        "ROLLBACK_COMPLETE"
    )
    assert execute(cloud, plan(cloud, unique("bound"), template(Role=bounded), "CREATE", **both))["StackStatus"] == (
        "CREATE_COMPLETE"
    )

    topics = {"Statement": [statement("sns:*", "*")]}
    narrow = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=json.dumps(topics))["Policy"]["Arn"]
    limited = service_role(cloud, statement("*", "*"), PermissionsBoundary=narrow)
    outside = execute(cloud, plan(cloud, unique("outside"), template(Queue=QUEUE), "CREATE", RoleARN=limited))
    assert outside["StackStatus"] == "ROLLBACK_COMPLETE"
    assert execute(cloud, plan(cloud, unique("inside"), template(Topic=TOPIC), "CREATE", RoleARN=limited))[
        "StackStatus"
    ] == ("CREATE_COMPLETE")


def deployer(cloud: EmbeddedCloud, *statements: dict[str, Any]) -> Any:
    """A CloudFormation client of a role that may work on the stacks of one prefix only."""
    stacks = statement("cloudformation:*", f"arn:aws:cloudformation:{REGION}:{DEV}:stack/mine-*")
    role = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{DEV}:root"}), stacks, *statements)
    return cloud.client_as("cloudformation", role, DEV)


def test_a_deployer_must_be_allowed_to_pass_the_service_role(cloud: EmbeddedCloud) -> None:
    role = service_role(cloud, statement("sns:*", "*"))
    passing = statement(
        "iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}
    )
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:PassRole"):
        plan(cloud, unique("mine"), template(Topic=TOPIC), "CREATE", client=deployer(cloud), RoleARN=role)
    allowed = deployer(cloud, passing)
    planned = plan(cloud, unique("mine"), template(Topic=TOPIC), "CREATE", client=allowed, RoleARN=role)
    assert planned["Status"] == "CREATE_COMPLETE", "described by the ARN of the change set alone"
    with pytest.raises(ClientError, match="AccessDenied"):
        plan(cloud, unique("theirs"), template(Topic=TOPIC), "CREATE", client=allowed, RoleARN=role)


def test_a_role_that_cloudformation_may_not_assume_is_refused(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, DEV, service_trust("lambda"))
    with pytest.raises(ClientError, match="invalid or cannot be assumed"):
        plan(cloud, unique("untrusted"), template(Topic=TOPIC), "CREATE", RoleARN=role)


def test_a_template_is_read_from_another_accounts_bucket_when_its_policy_lets_the_caller_in(
    cloud: EmbeddedCloud,
) -> None:
    bucket = make_bucket(cloud, HUB)
    cloud.client("s3", HUB).put_object(Bucket=bucket, Key="p/template.json", Body=template(Topic=TOPIC))
    url = f"{cloud.endpoint_url}/{bucket}/p/template.json"
    reading = statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    stacks = statement("cloudformation:*", "*")
    trusted = trust({"AWS": f"arn:aws:iam::{DEV}:root"})
    roles = {
        "right": make_role(cloud, DEV, trusted, stacks, reading, path="/mlops/"),
        "other path": make_role(cloud, DEV, trusted, stacks, reading),
        "no permission of its own": make_role(cloud, DEV, trusted, stacks, path="/mlops/"),
    }

    def made_by(name: str) -> Any:
        return cloud.client_as("cloudformation", roles[name], DEV).create_change_set(
            StackName=unique("shared"),
            ChangeSetName="plan",
            ChangeSetType="CREATE",
            TemplateURL=url,
            Parameters=[{"ParameterKey": "Title", "ParameterValue": "x"}],
        )

    with pytest.raises(ClientError, match="Access Denied"):
        made_by("right")
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/*"}}
    let_in = {**reading, "Principal": {"AWS": f"arn:aws:iam::{DEV}:root"}, "Condition": condition}
    cloud.client("s3", HUB).put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [let_in]}))
    assert made_by("right")["Id"]
    for name in ("other path", "no permission of its own"):
        with pytest.raises(ClientError, match="Access Denied"):
            made_by(name)
