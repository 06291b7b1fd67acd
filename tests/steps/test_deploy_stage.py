"""Deploying: exactly the plan that was approved, once, with the wait stored before anything starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import PlanKeepsMoving, StackBusy, StepFailed
from orchestrator.core.plans import Plan
from orchestrator.core.ports import StackState
from orchestrator.core.records import ApprovalStatus, StageStatus, Status, Wait
from orchestrator.core.steps.deploy_stage import request_token
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.steps.journeys import STACK, approved, asked, live, packaged, planned


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_a_stage_without_approval_is_planned_and_deployed(world: MemoryWorld) -> None:
    release = packaged(world)
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}
    record = world.stage(release.release_id, "dev")
    assert record.status is StageStatus.DEPLOYED
    assert dict(record.outputs)["EndpointName"] == f"{STACK}-endpoint"
    assert world.stacks("dev").executed == [f"{release.release_id}-dev-1"]
    assert world.waits() == ()
    assert world.of(release.release_id).status is Status.DEPLOYING


def test_the_wait_is_stored_before_the_change_set_is_executed(world: MemoryWorld) -> None:
    release = packaged(world)
    waiting: list[tuple[Wait, ...]] = []
    world.stacks("dev").before_execute = lambda _: waiting.append(world.waits())
    token = world.deploy(release.release_id, "dev")
    ((wait,),) = waiting
    assert (wait.token, wait.request_token) == (token, request_token(release.release_id, "dev", 1))


def test_it_answers_nothing_while_the_stack_works(world: MemoryWorld) -> None:
    world.stacks("dev").immediate = False
    release = packaged(world)
    token = world.deploy(release.release_id, "dev")
    assert token.value not in world.fake_tasks.answers
    assert world.stage(release.release_id, "dev").status is StageStatus.DEPLOYING
    assert len(world.waits()) == 1


def test_a_repeated_step_adopts_its_own_operation(world: MemoryWorld) -> None:
    world.stacks("dev").immediate = False
    release = packaged(world)
    dead = world.deploy(release.release_id, "dev")
    world.fake_tasks.retired.add(dead.value)
    token = world.deploy(release.release_id, "dev")
    assert world.stacks("dev").executed == [request_token(release.release_id, "dev", 1)]
    world.stacks("dev").finish(STACK)
    world.sweep()
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_repeated_step_after_the_end_is_answered_at_once(world: MemoryWorld) -> None:
    release = packaged(world)
    world.deploy(release.release_id, "dev")
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}
    assert len(world.stacks("dev").executed) == 1


def test_an_operation_that_shows_up_late_is_still_ours(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation's events lag: a repeated step may first see neither its operation nor a valid change set."""
    world.stacks("dev").immediate = False
    release = packaged(world)
    world.deploy(release.release_id, "dev")
    stacks, seen = world.stacks("dev"), []
    state = stacks.state

    def lagging(stack: str) -> StackState:
        seen.append(stack)
        found = state(stack)
        return replace(found, last_request_token="") if len(seen) == 1 else found

    monkeypatch.setattr(stacks, "state", lagging)
    monkeypatch.setattr(stacks, "still_valid", lambda plan, digest: False)
    world.deploy(release.release_id, "dev")
    assert world.stage(release.release_id, "dev").attempt == 1
    assert world.stage(release.release_id, "dev").status is StageStatus.DEPLOYING


def test_a_busy_stack_is_waited_for(world: MemoryWorld) -> None:
    release = approved(world)
    world.stacks("staging").busy = True
    with pytest.raises(StackBusy):
        world.deploy(release.release_id, "staging")
    world.stacks("staging").busy = False
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_an_approved_plan_is_executed_as_it_was_shown(world: MemoryWorld) -> None:
    release = approved(world)
    executed: list[Plan] = []
    world.stacks("staging").before_execute = executed.append
    shown = world.stage(release.release_id, "staging").plan
    world.deploy(release.release_id, "staging")
    assert executed == [shown]


def test_a_stale_plan_goes_back_to_planning(world: MemoryWorld) -> None:
    release = approved(world)
    world.stacks("staging").somebody_else_deploys(STACK)
    token = world.deploy(release.release_id, "staging")
    record = world.stage(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "stale"}
    assert (record.status, record.attempt, record.plan, record.approval_id) == (StageStatus.PENDING, 2, None, "")
    assert world.stacks("staging").executed == []
    assert world.waits() == ()


def test_a_stale_plan_whose_answer_was_lost_is_told_again(world: MemoryWorld) -> None:
    release = approved(world)
    world.stacks("staging").somebody_else_deploys(STACK)
    world.deploy(release.release_id, "staging")
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "stale"}
    assert world.stage(release.release_id, "staging").attempt == 2


def test_the_next_plan_needs_an_approval_of_its_own(world: MemoryWorld) -> None:
    release = approved(world)
    world.stacks("staging").somebody_else_deploys(STACK)
    world.deploy(release.release_id, "staging")
    world.plan(release.release_id, "staging")
    with pytest.raises(StepFailed, match="not the one that was approved"):
        world.deploy(release.release_id, "staging")
    assert world.stacks("staging").executed == []


def test_without_approval_a_stale_plan_is_made_anew_at_once(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(world)
    release = packaged(world, configuration(description="x", inference_instance="ml.c5.large"))
    stacks = world.stacks("dev")
    moved: list[Plan] = []
    valid = stacks.still_valid

    def once(plan: Plan, digest: str) -> bool:
        if not moved:
            moved.append(plan)
            stacks.somebody_else_deploys(STACK)
        return valid(plan, digest)

    monkeypatch.setattr(stacks, "still_valid", once)
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}
    assert world.stage(release.release_id, "dev").attempt == 2


def test_without_approval_it_gives_up_after_three(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    release = packaged(world)
    monkeypatch.setattr(world.stacks("dev"), "still_valid", lambda plan, digest: False)
    with pytest.raises(PlanKeepsMoving):
        world.deploy(release.release_id, "dev")
    assert world.stacks("dev").executed == []
    assert world.waits() == ()


def test_an_unapproved_plan_is_never_executed(world: MemoryWorld) -> None:
    release = asked(world)
    with pytest.raises(StepFailed, match="approved"):
        world.deploy(release.release_id, "staging")
    assert world.stacks("staging").executed == []


def test_a_plan_that_was_never_asked_about_is_never_executed(world: MemoryWorld) -> None:
    release = planned(world)
    with pytest.raises(StepFailed, match="approved"):
        world.deploy(release.release_id, "staging")
    other = packaged(world, configuration(pipeline_name="other"))
    with pytest.raises(StepFailed, match="no approved plan"):
        world.deploy(other.release_id, "staging")


@pytest.mark.parametrize("status", [s for s in ApprovalStatus if s is not ApprovalStatus.APPROVED])
def test_only_an_approval_approves(world: MemoryWorld, status: ApprovalStatus) -> None:
    release = approved(world)
    approval = world.approval(release.release_id, "staging")
    world.memory.rows[approval.key()] = replace(approval, status=status)
    with pytest.raises(StepFailed):
        world.deploy(release.release_id, "staging")


def test_an_approval_of_another_digest_approves_nothing(world: MemoryWorld) -> None:
    release = approved(world)
    approval = world.approval(release.release_id, "staging")
    world.memory.rows[approval.key()] = replace(approval, digest="0" * 64)
    with pytest.raises(StepFailed, match="not the one that was approved"):
        world.deploy(release.release_id, "staging")


def test_a_change_set_that_no_longer_digests_to_what_was_shown_is_stale(world: MemoryWorld) -> None:
    release = approved(world)
    ((arn, (request, plan)),) = world.stacks("staging").change_sets.items()
    tampered = replace(request, parameters={**request.parameters, "InferenceInstance": "ml.p4d.24xlarge"})
    world.stacks("staging").change_sets[arn] = (tampered, plan)
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "stale"}
    assert world.stacks("staging").executed == []
    assert world.stacks("staging").change_sets == {}


def test_an_empty_plan_is_unchanged(world: MemoryWorld) -> None:
    live(world)
    again = world.release(configuration(), force=True)
    world.package(again.release_id)
    world.plan(again.release_id, "staging")
    token = world.deploy(again.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "unchanged"}
    record = world.stage(again.release_id, "staging")
    assert record.status is StageStatus.UNCHANGED
    assert dict(record.outputs)["EndpointName"] == f"{STACK}-endpoint"
    assert len(world.stacks("staging").executed) == 1


def test_a_release_that_has_lost_its_turn_deploys_nothing(world: MemoryWorld) -> None:
    release = approved(world)
    world.memory.rows[world.workload().key()] = replace(world.workload(), running_release="another")
    with pytest.raises(StepFailed, match="another has it"):
        world.deploy(release.release_id, "staging")
    assert world.stacks("staging").executed == []


def test_a_release_that_has_ended_deploys_nothing(world: MemoryWorld) -> None:
    release = approved(world)
    world.end(release.release_id, Status.FAILED)
    with pytest.raises(StepFailed, match="no longer has its turn"):
        world.deploy(release.release_id, "staging")
    assert world.stacks("staging").executed == []


def test_a_deployment_that_fails_tells_cloudformations_reason(world: MemoryWorld) -> None:
    world.stacks("dev").fails_with = "Endpoint (AWS::SageMaker::Endpoint): out of capacity"
    release = packaged(world)
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.failures[token.value] == (
        "DeploymentFailed",
        "Endpoint (AWS::SageMaker::Endpoint): out of capacity",
    )
    assert world.stage(release.release_id, "dev").status is StageStatus.FAILED


def test_what_a_failed_first_creation_left_is_replaced(world: MemoryWorld) -> None:
    world.stacks("dev").fails_with = "out of capacity"
    release = packaged(world)
    world.deploy(release.release_id, "dev")
    world.end(release.release_id, Status.FAILED, "DeploymentFailed", "out of capacity")
    world.stacks("dev").fails_with = ""
    again = packaged(world)
    token = world.deploy(again.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_the_request_token_is_one_that_cloudformation_takes(world: MemoryWorld) -> None:
    long = packaged(world, configuration(model_name="m" * 80))
    assert len(request_token(long.release_id, "staging", 3)) <= 128
