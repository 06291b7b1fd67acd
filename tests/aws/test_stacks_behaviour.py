"""One suite for both CloudFormations: what the steps rely on holds for the adapter as for its fake.

The adapter runs on ``cloudformation_double``, behind a real client.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from orchestrator.aws.stacks import CloudFormationStacks
from orchestrator.core.errors import PlanFailed, StackBusy
from orchestrator.core.plans import ParameterChange, Plan
from orchestrator.core.ports import PlanRequest, Stacks
from tests.aws.cloudformation_double import CloudFormationDouble
from tests.fakes.stacks import FakeStacks

NAME = "mlops-pipeline-fraud-byompipelinerealtimebuiltin"
ROLE = "arn:aws:iam::222222222222:role/mlops/mlops-cloudformation"
FIRST = PlanRequest(
    stack_name=NAME,
    template_url="https://s3.test/packages/template.yaml",
    parameters={"ImageUri": "image:1", "InstanceCount": "1"},
    capabilities=("CAPABILITY_IAM",),
    tags={"mlops:stage": "dev"},
    change_set_name="r-fraud-0001-1",
    content_digest="content-1",
)
TOKEN = "token-1"
SECOND = replace(
    FIRST, parameters={"ImageUri": "image:2"}, change_set_name="r-fraud-0002-1", content_digest="content-2"
)


@dataclass
class Cloud:
    """One of the two, as the steps see it and from outside."""

    stacks: Stacks
    outside: FakeStacks | CloudFormationDouble

    def plan(self, request: PlanRequest = FIRST) -> Plan:
        """A plan that can be executed."""
        return self.stacks.plan(request)

    def deploy(self, request: PlanRequest = FIRST, request_token: str = TOKEN) -> Plan:
        """Plan and execute, to the end."""
        plan = self.plan(request)
        assert self.stacks.execute(plan, request_token)
        return plan

    def status(self, status: str) -> None:
        """Put the stack into a status."""
        if isinstance(self.outside, FakeStacks):
            self.outside.stacks[NAME].status = status
            return
        stack = self.outside.stacks[-1]
        stack.status = status
        if status == "ROLLBACK_COMPLETE":
            stack.resources = dict.fromkeys(stack.resources, "DELETE_COMPLETE")


@pytest.fixture(params=["memory", "cloudformation"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """The fake, and the adapter."""
    if request.param == "memory":
        fake = FakeStacks("dev")
        return Cloud(fake, fake)
    double = CloudFormationDouble()
    client = double.client()
    return Cloud(CloudFormationStacks(lambda: client, lambda: client, ROLE, wait_seconds=0), double)


def test_a_first_plan_creates_the_stack(cloud: Cloud) -> None:
    plan = cloud.plan()
    assert (plan.creates_stack, plan.empty, plan.stack_name) == (True, False, NAME)
    assert plan.parameters == (
        ParameterChange("ImageUri", None, "image:1"),
        ParameterChange("InstanceCount", None, "1"),
    )
    assert [(change.action, change.logical_id) for change in plan.resources] == [("add", "Endpoint")]
    assert cloud.stacks.state(plan.stack_id).status == "REVIEW_IN_PROGRESS"


def test_a_plan_made_again_is_the_same_plan(cloud: Cloud) -> None:
    assert cloud.plan() == cloud.plan()


def test_an_executed_plan_is_what_the_stack_says(cloud: Cloud) -> None:
    plan = cloud.deploy()
    state = cloud.stacks.state(plan.stack_id)
    assert (state.stack_id, state.status, state.last_request_token) == (plan.stack_id, "CREATE_COMPLETE", "token-1")
    assert dict(state.outputs)["EndpointName"] == f"{NAME}-endpoint"
    assert cloud.stacks.state(NAME) == state


def test_the_same_content_again_is_an_empty_plan(cloud: Cloud) -> None:
    cloud.deploy()
    plan = cloud.plan(replace(FIRST, change_set_name="r-fraud-0002-1"))
    assert (plan.empty, plan.creates_stack, plan.resources, plan.parameters) == (True, False, (), ())


def test_a_later_plan_tells_each_parameter_before_and_after(cloud: Cloud) -> None:
    cloud.deploy()
    plan = cloud.plan(SECOND)
    assert (plan.empty, plan.creates_stack) == (False, False)
    assert plan.parameters == (
        ParameterChange("ImageUri", "image:1", "image:2"),
        ParameterChange("InstanceCount", "1", None),
    )
    assert cloud.stacks.execute(plan, "token-2")
    assert cloud.stacks.state(plan.stack_id).status == "UPDATE_COMPLETE"


def test_a_creation_that_fails_tells_why_and_is_made_anew_next_time(cloud: Cloud) -> None:
    cloud.outside.fails_with = "Could not find model data"
    plan = cloud.deploy()
    state = cloud.stacks.state(plan.stack_id)
    assert state.status == "ROLLBACK_COMPLETE"
    assert "Could not find model data" in state.reason
    cloud.outside.fails_with = ""
    again = cloud.plan(SECOND)
    assert again.creates_stack
    assert again.stack_id != plan.stack_id


def test_an_update_that_fails_is_rolled_back_and_tells_why(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.outside.fails_with = "Alarm went off"
    plan = cloud.deploy(SECOND, "token-2")
    state = cloud.stacks.state(plan.stack_id)
    assert (state.status, state.last_request_token) == ("UPDATE_ROLLBACK_COMPLETE", "token-2")
    assert "Alarm went off" in state.reason
    assert "cancelled" not in state.reason


def test_a_change_set_tells_whether_it_is_executed(cloud: Cloud) -> None:
    plan = cloud.plan()
    assert cloud.stacks.execution(plan) == ("AVAILABLE", "")
    cloud.outside.immediate = False
    assert cloud.stacks.execute(plan, TOKEN)
    assert cloud.stacks.execution(plan) == ("EXECUTE_IN_PROGRESS", "")


def test_a_first_change_set_that_cannot_be_executed_leaves_its_stack_in_review(cloud: Cloud) -> None:
    cloud.outside.cannot_execute = "a hook refused it"
    plan = cloud.deploy()
    assert cloud.stacks.state(plan.stack_id).status == "REVIEW_IN_PROGRESS"
    assert cloud.stacks.execution(plan) == ("EXECUTE_FAILED", "a hook refused it")


def test_a_change_set_that_is_gone_is_absent(cloud: Cloud) -> None:
    plan = cloud.plan()
    cloud.stacks.discard(plan)
    assert cloud.stacks.execution(plan) == ("ABSENT", "")


def test_a_plan_is_valid_while_nothing_has_moved(cloud: Cloud) -> None:
    plan = cloud.plan()
    assert cloud.stacks.still_valid(plan, FIRST.content_digest)
    assert not cloud.stacks.still_valid(plan, "other content")
    assert not cloud.stacks.still_valid(replace(plan, digest="0" * 64), FIRST.content_digest)


@pytest.mark.parametrize("first", [True, False], ids=["a first plan", "a later plan"])
def test_a_plan_is_stale_when_somebody_else_has_deployed(cloud: Cloud, first: bool) -> None:
    if not first:
        cloud.deploy()
    plan = cloud.plan(SECOND)
    cloud.outside.somebody_else_deploys(NAME)
    assert not cloud.stacks.still_valid(plan, SECOND.content_digest)
    assert cloud.stacks.execute(plan, "token-2") is False
    assert cloud.stacks.state(NAME).last_request_token.startswith("Console-")


def test_while_an_operation_goes_on_nothing_is_planned_or_judged(cloud: Cloud) -> None:
    cloud.outside.immediate = False
    plan = cloud.deploy()
    assert cloud.stacks.state(plan.stack_id).status == "CREATE_IN_PROGRESS"
    with pytest.raises(StackBusy):
        cloud.plan(SECOND)
    with pytest.raises(StackBusy):
        cloud.stacks.still_valid(plan, FIRST.content_digest)


@pytest.mark.parametrize("ended", [True, False], ids=["after its end", "while it goes on"])
def test_an_execution_made_again_adopts_the_first(cloud: Cloud, ended: bool) -> None:
    cloud.outside.immediate = ended
    plan = cloud.deploy()
    before = cloud.stacks.state(plan.stack_id)
    assert cloud.stacks.execute(plan, "token-1") is True
    assert cloud.stacks.state(plan.stack_id) == before


def test_a_discarded_first_plan_leaves_nothing(cloud: Cloud) -> None:
    plan = cloud.plan()
    cloud.stacks.discard(plan)
    assert cloud.stacks.state(NAME).status == "ABSENT"
    assert cloud.stacks.state(plan.stack_id).status == "DELETE_COMPLETE"
    assert not cloud.stacks.still_valid(plan, FIRST.content_digest)


def test_a_plan_is_discarded_twice_without_harm(cloud: Cloud) -> None:
    plan = cloud.plan()
    cloud.stacks.discard(plan)
    cloud.stacks.discard(plan)
    assert cloud.stacks.state(NAME).status == "ABSENT"


def test_a_discarded_first_plan_spares_the_plan_of_somebody_else(cloud: Cloud) -> None:
    plan, other = cloud.plan(), cloud.plan(SECOND)
    cloud.stacks.discard(plan)
    assert cloud.stacks.still_valid(other, SECOND.content_digest)


def test_a_discarded_later_plan_leaves_the_stack_as_it_is(cloud: Cloud) -> None:
    deployed = cloud.deploy()
    before = cloud.stacks.state(deployed.stack_id)
    plan = cloud.plan(SECOND)
    cloud.stacks.discard(plan)
    assert cloud.stacks.state(deployed.stack_id) == before
    assert not cloud.stacks.still_valid(plan, SECOND.content_digest)


CREATES, UPDATES, BUSY, OPERATOR = "creates", "updates", "busy", "operator"
EVERY_STATUS = {
    "REVIEW_IN_PROGRESS": CREATES,
    "CREATE_IN_PROGRESS": BUSY,
    "CREATE_FAILED": OPERATOR,
    "CREATE_COMPLETE": UPDATES,
    "ROLLBACK_IN_PROGRESS": BUSY,
    "ROLLBACK_FAILED": OPERATOR,
    "ROLLBACK_COMPLETE": CREATES,
    "DELETE_IN_PROGRESS": BUSY,
    "DELETE_FAILED": OPERATOR,
    "UPDATE_IN_PROGRESS": BUSY,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": BUSY,
    "UPDATE_COMPLETE": UPDATES,
    "UPDATE_FAILED": OPERATOR,
    "UPDATE_ROLLBACK_IN_PROGRESS": BUSY,
    "UPDATE_ROLLBACK_FAILED": OPERATOR,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": BUSY,
    "UPDATE_ROLLBACK_COMPLETE": UPDATES,
    "IMPORT_IN_PROGRESS": BUSY,
    "IMPORT_COMPLETE": UPDATES,
    "IMPORT_ROLLBACK_IN_PROGRESS": BUSY,
    "IMPORT_ROLLBACK_FAILED": OPERATOR,
    "IMPORT_ROLLBACK_COMPLETE": UPDATES,
}
"""Every status of a stack that is there (DELETE_COMPLETE is one that is not), and what a plan for it does."""


@pytest.mark.parametrize(("status", "expected"), EVERY_STATUS.items(), ids=EVERY_STATUS)
def test_every_status_of_a_stack_has_its_plan(cloud: Cloud, status: str, expected: str) -> None:
    cloud.deploy()
    cloud.status(status)
    match expected:
        case "busy":
            with pytest.raises(StackBusy):
                cloud.plan(SECOND)
        case "operator":
            with pytest.raises(PlanFailed, match=status):
                cloud.plan(SECOND)
        case _:
            assert cloud.plan(SECOND).creates_stack == (expected == CREATES)


def test_the_table_above_names_every_status_that_cloudformation_has() -> None:
    shape = CloudFormationDouble().client().meta.service_model.shape_for("StackStatus")
    assert set(shape.enum) == {*EVERY_STATUS, "DELETE_COMPLETE"}
    assert len(shape.enum) == 23


# Removals.


def test_a_removal_tells_everything_that_the_stack_has(cloud: Cloud) -> None:
    plan = cloud.deploy()
    removal = cloud.stacks.plan_removal(NAME, "removal")
    assert (removal.removes, removal.empty, removal.creates_stack) == (True, False, False)
    assert (removal.stack_id, removal.stack_name, removal.parameters) == (plan.stack_id, NAME, ())
    assert [(change.action, change.logical_id, change.resource_type) for change in removal.resources] == [
        ("remove", "Endpoint", "AWS::SageMaker::Endpoint")
    ]
    assert cloud.stacks.plan_removal(NAME, "removal") == removal
    assert cloud.stacks.still_valid(removal, "removal")
    assert not cloud.stacks.still_valid(removal, "another")
    assert cloud.stacks.state(plan.stack_id).status == "CREATE_COMPLETE", "planning removes nothing"


def test_an_executed_removal_is_what_the_stack_says(cloud: Cloud) -> None:
    plan = cloud.deploy()
    assert cloud.stacks.execute(cloud.stacks.plan_removal(NAME, "removal"), "token-2")
    state = cloud.stacks.state(plan.stack_id)
    assert (state.status, state.last_request_token) == ("DELETE_COMPLETE", "token-2")
    assert cloud.stacks.state(NAME).status == "ABSENT"


def test_where_no_stack_is_nothing_is_removed(cloud: Cloud) -> None:
    removal = cloud.stacks.plan_removal(NAME, "removal")
    assert (removal.empty, removal.resources) == (True, ())


def test_the_shell_of_a_plan_that_was_never_executed_goes_at_once(cloud: Cloud) -> None:
    shell = cloud.plan()
    assert cloud.stacks.plan_removal(NAME, "removal").empty
    assert cloud.stacks.state(shell.stack_id).status == "DELETE_COMPLETE"


def test_a_creation_that_was_rolled_back_can_be_removed(cloud: Cloud) -> None:
    cloud.outside.fails_with = "Could not find model data"
    cloud.deploy()
    cloud.status("ROLLBACK_COMPLETE")
    removal = cloud.stacks.plan_removal(NAME, "removal")
    assert (removal.empty, removal.resources) == (False, ())


def test_a_removal_is_stale_once_the_stack_has_moved_or_gone(cloud: Cloud) -> None:
    cloud.deploy()
    removal = cloud.stacks.plan_removal(NAME, "removal")
    cloud.outside.somebody_else_deploys(NAME)
    assert not cloud.stacks.still_valid(removal, "removal")
    again = cloud.stacks.plan_removal(NAME, "removal")
    assert cloud.stacks.execute(again, "token-2")
    assert not cloud.stacks.still_valid(again, "removal")
    assert cloud.stacks.execute(again, "token-2"), "a repeated call finds the deletion of the first"


def test_a_busy_stack_is_neither_planned_nor_deleted(cloud: Cloud) -> None:
    cloud.deploy()
    removal = cloud.stacks.plan_removal(NAME, "removal")
    cloud.outside.immediate = False
    cloud.deploy(SECOND, "token-2")
    for call in (
        lambda: cloud.stacks.plan_removal(NAME, "removal"),
        lambda: cloud.stacks.still_valid(removal, "removal"),
        lambda: cloud.stacks.execute(removal, "token-3"),
    ):
        with pytest.raises(StackBusy):
            call()


def test_a_deletion_that_fails_tells_which_resource_stays(cloud: Cloud) -> None:
    plan = cloud.deploy()
    cloud.outside.fails_with = "The endpoint is being monitored"
    assert cloud.stacks.execute(cloud.stacks.plan_removal(NAME, "removal"), "token-2")
    state = cloud.stacks.state(plan.stack_id)
    assert state.status == "DELETE_FAILED"
    assert "The endpoint is being monitored" in state.reason
    cloud.outside.fails_with = ""
    assert cloud.stacks.execute(cloud.stacks.plan_removal(NAME, "removal"), "token-3")
    assert cloud.stacks.state(plan.stack_id).status == "DELETE_COMPLETE"


def test_a_protected_stack_is_refused(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.outside.protected = True
    with pytest.raises(PlanFailed, match="termination protection"):
        cloud.stacks.plan_removal(NAME, "removal")


def test_a_removal_that_is_not_wanted_any_more_leaves_the_stack(cloud: Cloud) -> None:
    plan = cloud.deploy()
    cloud.stacks.discard(cloud.stacks.plan_removal(NAME, "removal"))
    assert cloud.stacks.state(plan.stack_id).status == "CREATE_COMPLETE"


def test_cloudformation_deletes_as_its_own_role() -> None:
    double = CloudFormationDouble()
    client = double.client()
    stacks = CloudFormationStacks(lambda: client, lambda: client, ROLE, wait_seconds=0)
    assert stacks.execute(stacks.plan(FIRST), TOKEN)
    assert stacks.execute(stacks.plan_removal(NAME, "removal"), "token-2")
    assert double.deleted_as == [ROLE]
