"""What is special to CloudFormation: change sets that take time or fail, lost answers, events, and narrow policies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from orchestrator.aws.change_sets import digest_of
from orchestrator.aws.stacks import CloudFormationStacks
from orchestrator.core.errors import AccessDenied, CallRefused, ChangeSetPending, PlanFailed, StackBusy, Throttled
from orchestrator.core.plans import AccessChange, Area, Reach, ResourceChange
from tests.aws.cloudformation_double import CloudFormationDouble
from tests.aws.service_double import Refusal
from tests.aws.test_stacks_behaviour import FIRST, NAME, ROLE, SECOND, TOKEN

DEPLOY, OBSERVE = ROLE.replace("cloudformation", "deploy"), ROLE.replace("cloudformation", "observe")
LOST = ConnectionClosedError(endpoint_url="https://aws.test")


@pytest.fixture
def double() -> CloudFormationDouble:
    """CloudFormation in the stage's account."""
    return CloudFormationDouble()


@pytest.fixture
def stacks(double: CloudFormationDouble) -> CloudFormationStacks:
    """The adapter, which waits for nothing."""
    client = double.client()
    return CloudFormationStacks(
        lambda: client, lambda: client, ROLE, deploy_role=DEPLOY, observe_role=OBSERVE, wait_seconds=0
    )


# What a plan opens.


def _role(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:s3:::b/*"}
    policies = [{"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}]
    return json.dumps({"Properties": {"Policies": policies}})


def _changed(**more: str) -> dict[str, Any]:
    change = {"Action": "Modify", "LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role", **more}
    return {"Type": "Resource", "ResourceChange": change}


def test_a_plan_tells_what_it_opens_and_its_digest_binds_it(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    stacks.plan(FIRST)
    stacks.execute(stacks.plan(FIRST), TOKEN)
    double.changes = (
        _changed(BeforeContext=_role("s3:GetObject"), AfterContext=_role("s3:GetObject", "s3:PutObject")),
    )
    plan = stacks.plan(SECOND)
    told = "may s3:PutObject on arn:aws:s3:::b/*"
    assert plan.access == (AccessChange(Area.IAM, Reach.WIDENS, "Role", "AWS::IAM::Role", told),)
    assert stacks.still_valid(plan, SECOND.content_digest)
    double.change_sets[-1].changes = (
        _changed(BeforeContext=_role("s3:GetObject"), AfterContext=_role("s3:GetObject", "s3:*")),
    )
    assert not stacks.still_valid(plan, SECOND.content_digest)


def test_of_a_new_stack_it_tells_what_is_granted(double: CloudFormationDouble, stacks: CloudFormationStacks) -> None:
    change = {"Action": "Add", "LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role"}
    double.changes = ({"Type": "Resource", "ResourceChange": {**change, "AfterContext": _role("s3:GetObject")}},)
    (granted,) = stacks.plan(FIRST).access
    assert (granted.reach, granted.told) == (Reach.GRANTS, "may s3:GetObject on arn:aws:s3:::b/*")


@pytest.mark.parametrize("context", ["", "no JSON", "[]", '{"Properties": 7}'])
def test_what_cannot_be_read_may_widen(
    double: CloudFormationDouble, stacks: CloudFormationStacks, context: str
) -> None:
    double.changes = (_changed(BeforeContext=_role("s3:GetObject"), AfterContext=context),)
    (found,) = stacks.plan(FIRST).access
    assert found.told == "changes, which CloudFormation does not show"


def test_a_plan_that_opens_nothing_has_the_digest_it_always_had() -> None:
    """So that what is asked while an installation is upgraded stays asked."""
    added = {"Action": "Add", "LogicalResourceId": "Alarm", "ResourceType": "AWS::CloudWatch::Alarm"}
    change = {"ResourceChange": {**added, "AfterContext": json.dumps({"Properties": {"Namespace": "x"}})}}
    described = {"ChangeSetId": "arn:cs", "Parameters": [], "Changes": [change]}
    assert digest_of(described, "Resources: {}", "content") == digest_of(
        {**described, "Changes": []}, "Resources: {}", "content"
    )


# Making a change set.


def test_a_change_set_is_made_with_the_service_role_and_what_the_package_says(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    stacks.plan(FIRST)
    (made,) = double.made("create_change_set")
    assert made == {
        "StackName": NAME,
        "ChangeSetName": "r-fraud-0001-1",
        "ChangeSetType": "CREATE",
        "TemplateURL": FIRST.template_url,
        "Parameters": [
            {"ParameterKey": "ImageUri", "ParameterValue": "image:1"},
            {"ParameterKey": "InstanceCount", "ParameterValue": "1"},
        ],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": "mlops:stage", "Value": "dev"}],
        "RoleARN": ROLE,
    }


@pytest.mark.parametrize("status", ["CREATE_PENDING", "CREATE_IN_PROGRESS", "DELETE_PENDING", "DELETE_IN_PROGRESS"])
def test_a_change_set_that_is_not_made_yet_is_asked_for_again(
    double: CloudFormationDouble, stacks: CloudFormationStacks, status: str
) -> None:
    double.making = status
    with pytest.raises(ChangeSetPending):
        stacks.plan(FIRST)
    double.change_sets[0].status, double.change_sets[0].execution = "CREATE_COMPLETE", "AVAILABLE"
    assert stacks.plan(FIRST).change_set_arn == double.change_sets[0].arn
    assert len(double.made("create_change_set")) == 1


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_an_empty_change_set_is_deleted(
    double: CloudFormationDouble, stacks: CloudFormationStacks, reason: str
) -> None:
    stack = double.put(NAME, "UPDATE_COMPLETE")
    double.making_fails_with = reason
    plan = stacks.plan(FIRST)
    assert (plan.empty, plan.stack_id) == (True, stack.stack_id)
    assert double.change_sets == []


def test_a_change_set_that_cannot_be_made_tells_why_and_leaves_nothing(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.making_fails_with = "Transform AWS::Serverless failed"
    with pytest.raises(PlanFailed, match="Transform AWS::Serverless failed"):
        stacks.plan(FIRST)
    assert double.change_sets == []
    assert stacks.state(NAME).status == "ABSENT"


def test_why_a_plan_failed_is_told_even_when_its_leftovers_stay(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.making_fails_with = "Transform AWS::Serverless failed"
    double.refusals["delete_change_set"] = [Refusal("AccessDenied", "no", 403)]
    with pytest.raises(PlanFailed, match="Transform AWS::Serverless failed"):
        stacks.plan(FIRST)


def test_a_change_set_whose_making_was_not_acknowledged_is_adopted(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.lost["create_change_set"] = [LOST]
    with pytest.raises(Throttled):
        stacks.plan(FIRST)
    assert stacks.plan(FIRST).change_set_arn == double.change_sets[0].arn
    assert len(double.made("create_change_set")) == 1


def test_a_repeated_call_of_the_sdk_finds_the_change_set_of_the_first(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.lost["create_change_set"] = [Refusal("AlreadyExistsException", "ChangeSet r-fraud-0001-1 already exists")]
    assert stacks.plan(FIRST).change_set_arn == double.change_sets[0].arn


def test_a_change_set_of_our_name_with_other_parameters_is_not_ours(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    foreign = stacks.plan(replace(FIRST, parameters={"ImageUri": "evil:1"}))
    plan = stacks.plan(FIRST)
    assert plan.change_set_arn != foreign.change_set_arn
    assert {change.name: change.after for change in plan.parameters} == dict(FIRST.parameters)


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        (Refusal("ValidationError", "Parameters: [X] do not exist in the template"), PlanFailed, "do not exist"),
        (Refusal("InsufficientCapabilitiesException", "Requires capabilities"), PlanFailed, "Requires capabilities"),
        (Refusal("LimitExceededException", "Limit of 2000 stacks exceeded"), PlanFailed, "2000 stacks"),
        (Refusal("ValidationError", "Stack is in DELETE_IN_PROGRESS state"), StackBusy, "another operation"),
        (Refusal("OperationInProgressException", ""), StackBusy, "another operation"),
        (Refusal("Throttling", "Rate exceeded"), Throttled, "slower pace"),
        (
            Refusal("AccessDenied", f"User: x is not authorized to perform: iam:PassRole on resource: {ROLE}", 403),
            AccessDenied,
            f"IAM refused iam:PassRole to {DEPLOY}",
        ),
        (Refusal("OptInRequired", "The account is not signed up"), CallRefused, "not signed up"),
    ],
    ids=["bad template", "capabilities", "quota", "busy", "busy elsewhere", "throttled", "pass role", "not signed up"],
)
def test_what_cloudformation_refuses_is_a_core_error(
    double: CloudFormationDouble,
    stacks: CloudFormationStacks,
    refusal: Refusal,
    error: type[Exception],
    words: str,
) -> None:
    double.refusals["create_change_set"] = [refusal]
    with pytest.raises(error, match=words):
        stacks.plan(FIRST)


def test_a_failed_first_creation_that_still_has_resources_is_left_to_an_operator(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.put(NAME, "ROLLBACK_COMPLETE", resources={"Bucket": "DELETE_COMPLETE", "Table": "CREATE_COMPLETE"})
    with pytest.raises(PlanFailed, match="an operator has to mend it"):
        stacks.plan(FIRST)
    assert double.made("delete_stack") == []


@pytest.mark.parametrize(
    ("ends", "error"), [("DELETE_IN_PROGRESS", StackBusy), ("DELETE_FAILED", PlanFailed)], ids=["slow", "fails"]
)
def test_a_deletion_that_does_not_end_well_is_told(
    double: CloudFormationDouble, stacks: CloudFormationStacks, ends: str, error: type[Exception]
) -> None:
    stack = double.put(NAME, "ROLLBACK_COMPLETE")

    def delete(**_: Any) -> dict[str, Any]:
        stack.status = ends
        return {}

    double.delete_stack = delete  # type: ignore[assignment, method-assign]
    with pytest.raises(error):
        stacks.plan(FIRST)


# Describing it.


def change(action: str, name: str, **more: Any) -> dict[str, Any]:
    """One change, as DescribeChangeSet tells it."""
    told = {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::SageMaker::Model", **more}
    return {"Type": "Resource", "ResourceChange": told}


def details(*targets: tuple[str, str]) -> list[dict[str, Any]]:
    """Attribute and property of each detail; a change of tags names no property."""
    return [{"Target": {"Attribute": where, **({"Name": name} if name else {})}} for where, name in targets]


def test_each_kind_of_change_has_its_word(double: CloudFormationDouble, stacks: CloudFormationStacks) -> None:
    double.put(NAME, "CREATE_COMPLETE")
    double.changes = (
        change("Add", "A"),
        change("Remove", "B"),
        change("Modify", "C", Replacement="False", Details=details(("Properties", "Size"), ("Tags", ""))),
        change("Modify", "D", Replacement="True", Details=details(("Properties", "Name"), ("Properties", "Name"))),
        change("Modify", "E", Replacement="Conditional"),
        change("Import", "F"),
        change("Dynamic", "G"),
    )
    kind = "AWS::SageMaker::Model"
    assert stacks.plan(FIRST).resources == (
        ResourceChange("add", "A", kind),
        ResourceChange("remove", "B", kind),
        ResourceChange("modify", "C", kind, ("Size", "Tags")),
        ResourceChange("replace", "D", kind, ("Name",)),
        ResourceChange("maybe_replace", "E", kind),
        ResourceChange("add", "F", kind),
        ResourceChange("modify", "G", kind),
    )


def test_every_page_of_changes_is_read(double: CloudFormationDouble, stacks: CloudFormationStacks) -> None:
    double.changes = tuple(change("Add", f"Model{n}") for n in range(7))
    double.page_size = 3
    assert [one.logical_id for one in stacks.plan(FIRST).resources] == [f"Model{n}" for n in range(7)]


def test_the_digest_binds_change_set_template_parameters_and_content(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    plan = stacks.plan(FIRST)
    found = double.change_sets[0]
    assert stacks.still_valid(plan, FIRST.content_digest)
    found.template, kept = "Resources: {Other: {}}", found.template
    assert not stacks.still_valid(plan, FIRST.content_digest)
    found.template = kept
    found.parameters = {**found.parameters, "ImageUri": "evil:1"}
    assert not stacks.still_valid(plan, FIRST.content_digest)


def test_a_template_in_json_has_one_digest_however_its_keys_are_ordered(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    """GetTemplate answers a JSON template parsed."""
    answers: list[Any] = [{"A": 1, "B": {"C": 2}}, {"B": {"C": 2}, "A": 1}]
    double.get_template = lambda **_: {"TemplateBody": answers.pop(0)}  # type: ignore[method-assign]
    plan = stacks.plan(FIRST)
    assert stacks.still_valid(plan, FIRST.content_digest)


@pytest.mark.parametrize("execution", ["UNAVAILABLE", "OBSOLETE", "EXECUTE_FAILED", "EXECUTE_COMPLETE"])
def test_a_change_set_that_cannot_be_executed_is_stale(
    double: CloudFormationDouble, stacks: CloudFormationStacks, execution: str
) -> None:
    plan = stacks.plan(FIRST)
    double.change_sets[0].execution = execution
    assert not stacks.still_valid(plan, FIRST.content_digest)
    assert stacks.execute(plan, TOKEN) is False


# Executing it.


def test_an_execution_that_was_not_acknowledged_is_adopted(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    plan = stacks.plan(FIRST)
    double.lost["execute_change_set"] = [LOST]
    with pytest.raises(Throttled):
        stacks.execute(plan, TOKEN)
    assert stacks.execute(plan, TOKEN) is True
    assert [event["ResourceStatus"] for event in double.events].count("CREATE_IN_PROGRESS") == 1


@pytest.mark.parametrize("code", ["InvalidChangeSetStatus", "TokenAlreadyExistsException", "ChangeSetNotFound"])
def test_an_operation_whose_events_cannot_be_seen_yet_is_waited_for_and_not_called_stale(
    double: CloudFormationDouble, stacks: CloudFormationStacks, code: str
) -> None:
    """CloudFormation shows an operation's events a moment after it has accepted it."""
    double.immediate = False
    plan = stacks.plan(FIRST)
    stacks.execute(plan, TOKEN)
    (shown, *before) = double.events
    double.events = before
    double.refusals["execute_change_set"] = [Refusal(code)]
    with pytest.raises(StackBusy):
        stacks.execute(plan, TOKEN)
    with pytest.raises(StackBusy):
        stacks.still_valid(plan, FIRST.content_digest)
    double.events = [shown, *before]
    assert stacks.execute(plan, TOKEN) is True


def test_the_operation_of_somebody_else_is_waited_for(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.put(NAME, "CREATE_COMPLETE")
    plan = stacks.plan(FIRST)
    double.somebody_else_begins(NAME)
    with pytest.raises(StackBusy):
        stacks.execute(plan, TOKEN)


def test_the_operation_of_an_earlier_attempt_is_not_taken_for_this_one(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    plan = stacks.plan(FIRST)
    stacks.execute(plan, "another-token")
    assert stacks.execute(plan, TOKEN) is False


# Looking at a stack.


def test_an_operation_that_has_just_begun_is_not_taken_for_one_that_has_ended(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    """Events and stack are two reads, and each may show a moment the other does not."""
    stack = double.put(NAME, "CREATE_COMPLETE")
    plan = stacks.plan(SECOND)
    double.immediate = False
    stacks.execute(plan, "token-2")
    stack.status = "CREATE_COMPLETE"  # DescribeStacks still shows the status from before
    state = stacks.state(plan.stack_id)
    assert (state.status, state.last_request_token) == ("UPDATE_IN_PROGRESS", "token-2")


def test_events_are_read_back_to_the_beginning_of_the_latest_operation_and_no_further(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.fails_with = "an old failure"
    double.put(NAME, "CREATE_COMPLETE")
    stacks.execute(stacks.plan(FIRST), "token-1")
    double.fails_with = ""
    stacks.execute(stacks.plan(SECOND), "token-2")
    double.page_size = 1
    state = stacks.state(NAME)
    assert (state.last_request_token, state.reason) == ("token-2", "")
    pages = double.made("describe_stack_events")
    assert len(pages) < len(double.events)


def test_the_reason_is_the_first_failure_and_no_consequence_of_it(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.fails_with = "The job was cancelled by its owner"
    plan = stacks.plan(FIRST)
    stacks.execute(plan, TOKEN)
    double.page_size = 2
    assert stacks.state(NAME).reason == "Endpoint (AWS::SageMaker::Endpoint): The job was cancelled by its owner"


def test_a_stack_that_failed_without_a_failed_resource_has_its_own_reason(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.put(NAME, "UPDATE_ROLLBACK_COMPLETE", reason="Rollback requested by user")
    assert stacks.state(NAME).reason == "Rollback requested by user"


def test_a_stack_that_never_was_is_absent(stacks: CloudFormationStacks) -> None:
    assert stacks.state(NAME).status == "ABSENT"


def test_a_denied_look_names_the_observing_role(double: CloudFormationDouble, stacks: CloudFormationStacks) -> None:
    double.refusals["describe_stack_events"] = [Refusal("AccessDenied", "no", 403)]
    with pytest.raises(AccessDenied, match=f"IAM refused cloudformation:DescribeStackEvents to {OBSERVE}"):
        stacks.state(NAME)


# Discarding it.


def test_a_shell_with_resources_is_kept(double: CloudFormationDouble, stacks: CloudFormationStacks) -> None:
    plan = stacks.plan(FIRST)
    double.stacks[0].resources = {"Bucket": "CREATE_COMPLETE"}
    stacks.discard(plan)
    assert double.made("delete_stack") == []


def test_a_plan_that_is_being_executed_is_not_torn_down(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    double.immediate = False
    plan = stacks.plan(FIRST)
    stacks.execute(plan, TOKEN)
    stacks.discard(plan)
    assert stacks.state(NAME).status == "CREATE_IN_PROGRESS"


# Permissions.


def test_every_call_names_the_stack_by_which_iam_judges_it(
    double: CloudFormationDouble, stacks: CloudFormationStacks
) -> None:
    """A policy on ``stack/mlops-*`` could allow none of them otherwise."""
    plan = stacks.plan(FIRST)
    stacks.still_valid(plan, FIRST.content_digest)
    stacks.execute(plan, TOKEN)
    stacks.execute(plan, TOKEN)
    stacks.discard(stacks.plan(SECOND))
    stacks.state(NAME)
    assert {given["StackName"] for _, given in double.calls} == {NAME, plan.stack_id}


def test_changes_are_the_deploy_roles_and_looks_the_observe_roles(double: CloudFormationDouble) -> None:
    asked: list[str] = []
    client = double.client()

    def of(role: str) -> Any:
        asked.append(role)
        return client

    stacks = CloudFormationStacks(lambda: of("deploy"), lambda: of("observe"), ROLE, wait_seconds=0)
    stacks.state(NAME)
    assert asked == ["observe"]
    stacks.discard(stacks.plan(FIRST))
    assert asked == ["observe", "deploy"]
