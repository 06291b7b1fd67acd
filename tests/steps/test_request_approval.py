"""Asking for an approval: once for each plan, and not where there is nothing to ask."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.core.errors import StepFailed
from orchestrator.core.installation import StageSettings
from orchestrator.core.records import Approval, ApprovalStatus, StageStatus, Status
from orchestrator.core.steps.progress import read_stamp
from tests.fakes.memory_world import BEN, MemoryWorld, configuration, installation
from tests.steps.journeys import asked, in_dev, live, planned


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_the_question_is_bound_to_the_plan(world: MemoryWorld) -> None:
    release = planned(world)
    token = world.ask(release.release_id, "staging")
    approval = world.approval(release.release_id, "staging")
    plan = world.stage(release.release_id, "staging").plan
    assert plan is not None
    assert (approval.status, approval.digest, approval.token) == (ApprovalStatus.PENDING, plan.digest, token)
    assert world.stage(release.release_id, "staging").status is StageStatus.AWAITING_APPROVAL
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL
    assert token.value not in world.fake_tasks.answers


def test_the_token_is_nowhere_to_be_read(world: MemoryWorld) -> None:
    release = asked(world)
    approval = world.approval(release.release_id, "staging")
    assert approval.token is not None
    assert approval.token.value not in repr(approval)
    assert approval.token.value not in str(approval.token)
    assert approval.token.value not in approval.approval_id


def test_who_can_see_the_question_finds_the_release_waiting(world: MemoryWorld) -> None:
    """The question is the last thing written: a vote that comes at once meets records that are complete."""
    release = planned(world)
    before = len(world.memory.written)
    world.ask(release.release_id, "staging")
    kinds = [record.KIND for record in world.memory.written[before:]]
    assert kinds[-1] == Approval.KIND


def test_a_repeated_call_asks_the_same_question_with_the_new_token(world: MemoryWorld) -> None:
    release = planned(world)
    dead = world.ask(release.release_id, "staging")
    world.fake_tasks.retired.add(dead.value)
    first = world.approval(release.release_id, "staging")
    world.clock.pass_hours(1)
    token = world.ask(release.release_id, "staging")
    again = world.approval(release.release_id, "staging")
    assert (again.approval_id, again.token) == (first.approval_id, token)
    assert again.expires_at == first.expires_at
    world.vote(BEN, again)
    assert world.fake_tasks.answers[token.value] == {"decision": "approved"}
    assert dead.value not in world.fake_tasks.answers


def test_a_repeated_call_after_the_decision_is_answered_at_once(world: MemoryWorld) -> None:
    release = asked(world)
    world.vote(BEN, world.approval(release.release_id, "staging"))
    token = world.ask(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"decision": "approved"}
    assert world.approval(release.release_id, "staging").token is None


def test_a_vote_between_the_two_writes_of_a_repeated_call_is_not_lost(world: MemoryWorld) -> None:
    release = asked(world)
    approval = world.approval(release.release_id, "staging")
    world.memory.before_write_of[Approval] = lambda: world.vote(BEN, approval)
    token = world.ask(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"decision": "approved"}


def test_another_plan_is_another_question(world: MemoryWorld) -> None:
    release = asked(world)
    first = world.approval(release.release_id, "staging")
    world.vote(BEN, first)
    world.stacks("staging").somebody_else_deploys(world.of(release.release_id).stack_name)
    world.deploy(release.release_id, "staging")
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    second = world.approval(release.release_id, "staging")
    assert second.approval_id != first.approval_id
    assert second.status is ApprovalStatus.PENDING


def test_an_empty_plan_needs_nobody(world: MemoryWorld) -> None:
    live(world)
    again = world.release(configuration(), force=True)
    world.package(again.release_id)
    world.plan(again.release_id, "staging")
    token = world.ask(again.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"decision": "approved"}
    assert world.stage(again.release_id, "staging").approval_id == ""


def test_a_stage_without_a_policy_needs_nobody() -> None:
    world = MemoryWorld(installation=installation(StageSettings("dev", "2" * 12), StageSettings("staging", "3" * 12)))
    release = planned(world, configuration(inference_instance="ml.m5.large"))
    token = world.ask(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"decision": "approved"}
    assert world.memory.all(Approval) == ()


def test_the_configuration_may_ask_where_the_installation_does_not() -> None:
    world = MemoryWorld(installation=installation(StageSettings("dev", "2" * 12), StageSettings("staging", "3" * 12)))
    values = configuration(
        inference_instance="ml.m5.large", approval={"staging": {"any_of": [{"risk": 1}], "expires_after_hours": 4}}
    )
    release = planned(world, values)
    token = world.ask(release.release_id, "staging")
    assert token.value not in world.fake_tasks.answers
    approval = world.approval(release.release_id, "staging")
    assert read_stamp(approval.expires_at) - read_stamp(approval.asked_at) == timedelta(hours=4, minutes=-1)


def test_there_is_nothing_to_ask_without_a_plan(world: MemoryWorld) -> None:
    release = in_dev(world)
    with pytest.raises(StepFailed):
        world.ask(release.release_id, "staging")
