"""People who answer in CodePipeline itself, past the policy: recorded, told and alarmed, whenever they do it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.errors import AccessDenied, ApprovedOutside
from orchestrator.core.events import PipelineChanged
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.pipelines.template import pipeline_name
from orchestrator.core.plans import PipelineStage
from orchestrator.core.records import ApprovalStatus, Release, StageStatus, Status, Verdict
from orchestrator.core.steps import sweep_waits
from orchestrator.core.steps.notify_release import gather
from tests.fakes.memory_world import (
    BEN,
    CHLOE,
    MemoryWorld,
    configuration,
)
from tests.fakes.pipelines import OURS, piped
from tests.steps import journeys
from tests.steps.runs_of_pipelines import NAME, STRANGER, changed, pipelines, resumed, stage_run


@pytest.fixture
def world() -> MemoryWorld:
    return piped()


@pytest.mark.parametrize(("approved", "status"), [(True, ApprovalStatus.APPROVED), (False, ApprovalStatus.REJECTED)])
@pytest.mark.parametrize("by_event", [True, False])
def test_an_answer_in_the_console_flows_back(
    world: MemoryWorld, approved: bool, status: ApprovalStatus, by_event: bool
) -> None:
    release = journeys.planned(world)
    token = world.ask(release.release_id, "staging")
    pipelines(world).by = STRANGER
    pipelines(world).answer(stage_run(world, release, "DeployStaging"), approved=approved, comment="I know better")
    found = [changed(world, release), changed(world, release)] if by_event else [world.sweep().outside]
    assert found in ([0, 0], [1])
    approval = world.approval(release.release_id, "staging")
    assert approval.status is status
    (vote,) = approval.votes
    assert (vote.person, vote.display) == (f"iam:{STRANGER}", "mallory (outside the policy)")
    assert (vote.reason, vote.via) == ("I know better", "codepipeline")
    assert world.fake_tasks.answers[token.value] == {"decision": status.value}
    if approved:
        deployed = world.deploy(release.release_id, "staging")
        assert world.fake_tasks.answers[deployed.value] == {"outcome": "deployed"}


def test_an_answer_in_the_console_before_anybody_is_asked_fails_the_release(world: MemoryWorld) -> None:
    release = journeys.in_dev(world)
    run = stage_run(world, release, "DeployStaging")
    pipelines(world).progress(run)
    pipelines(world).by = STRANGER
    assert pipelines(world).answer(run, approved=True, comment="hurry")
    with pytest.raises(ApprovedOutside, match="mallory"):
        world.plan(release.release_id, "staging")


def test_an_execution_that_is_stopped_while_people_are_asked_ends_the_release(world: MemoryWorld) -> None:
    release = journeys.planned(world)
    token = world.ask(release.release_id, "staging")
    pipelines(world).stop(stage_run(world, release, "DeployStaging"), "by hand")
    assert world.sweep().outside == 1
    error, cause = world.fake_tasks.failures[token.value]
    assert error == "DeploymentFailed"
    assert "has ended Stopped" in cause


def test_our_own_answer_is_nobodys_outside_the_policy(world: MemoryWorld) -> None:
    release = journeys.approved(world)
    world.deploy(release.release_id, "staging")
    assert world.sweep().outside == 0
    assert changed(world, release) == 0


def test_of_many_questions_every_one_is_looked_at_within_minutes(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_waits, "ASKED", 1)
    asked = [journeys.asked(world, configuration(model_name=name)) for name in ("one", "two", "three")]
    pipelines(world).by = STRANGER
    last = asked[-1]
    run = PipelineStage(pipeline_name(last.workload), last.pipeline_execution, "DeployStaging")
    assert pipelines(world).answer(run, approved=False, comment="no")
    found = []
    for _ in asked:
        found.append(world.sweep().outside)
        world.clock.moment += timedelta(minutes=1)
    assert sum(found) == 1


def approved_past_us(world: MemoryWorld, release: Release, stage: str) -> None:
    run = stage_run(world, release, stage)
    pipelines(world).progress(run)
    pipelines(world).by = STRANGER
    assert pipelines(world).answer(run, approved=True, comment="hurry")
    pipelines(world).progress(run)
    pipelines(world).by = OURS


@pytest.mark.parametrize("outcome", [Status.REJECTED, Status.EXPIRED, Status.SUPERSEDED])
def test_an_approval_in_the_console_that_came_before_another_end_is_warned_of(
    world: MemoryWorld, outcome: Status
) -> None:
    release = journeys.asked(world)
    approved_past_us(world, release, "DeployStaging")
    if outcome is Status.REJECTED:
        world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "not today")
    answer = world.end(release.release_id, outcome)
    assert answer["outside"] == 1
    ended = world.of(release.release_id)
    assert ended.status is outcome
    (warning,) = ended.warnings
    assert warning == f"staging was approved in CodePipeline by {STRANGER}, outside the policy, and deployed there."
    record = world.stage(release.release_id, "staging")
    assert (record.status, record.note) == (StageStatus.FAILED, warning)
    assert warning in json.dumps(release_message(gather(release.release_id, world.store, world.installation)).blocks)
    assert world.workload().live_digest == "", "nobody knows any more what all stages have"


def test_a_stage_that_is_approved_before_its_turn_is_alarmed_at_once_and_told_at_the_end(world: MemoryWorld) -> None:
    release = journeys.in_dev(world)
    run = stage_run(world, release, "DeployStaging")
    pipelines(world).progress(run)
    event = PipelineChanged(NAME, run.execution_id)
    assert resumed(world, event).outside == 0
    approved_past_us(world, release, "DeployStaging")
    assert resumed(world, event).outside == 1
    answer = world.end(release.release_id, Status.FAILED, "JobFailed", "the job of dev did not succeed")
    assert answer["outside"] == 1
    ended = world.of(release.release_id)
    assert "staging was approved in CodePipeline" in ended.warnings[0]
    assert ended.reason == "the job of dev did not succeed"
    assert world.stage(release.release_id, "staging").status is StageStatus.FAILED
    assert world.end(release.release_id, Status.FAILED, "JobFailed", "again").get("outside") is None


def test_a_change_set_that_cannot_be_deleted_hides_no_approval_past_us(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = journeys.in_dev(world)
    approved_past_us(world, release, "DeployStaging")

    def denied(stack_name: str, change_set_name: str) -> None:
        raise AccessDenied("may not delete change sets")

    for stage in release.stages:
        monkeypatch.setattr(world.stacks(stage), "discard_made", denied)
    world.store.update(Release, release.key(), lambda found: replace(found, stage="staging"))
    answer = world.end(release.release_id, Status.FAILED, "GatesFailed", "why")
    assert answer["outside"] == 1
    assert "staging was approved in CodePipeline" in world.of(release.release_id).warnings[0]


def test_what_the_question_tells_already_is_not_told_again_at_the_end(world: MemoryWorld) -> None:
    release = journeys.asked(world)
    world.stacks("staging").fails_with = "no capacity"
    approved_past_us(world, release, "DeployStaging")
    assert world.sweep().outside == 1
    world.deploy(release.release_id, "staging")
    answer = world.end(release.release_id, Status.FAILED, "DeploymentFailed", "no capacity")
    assert "outside" not in answer
    assert world.of(release.release_id).warnings == ()


def test_a_vote_and_a_stranger_at_once_settle_the_question_once(world: MemoryWorld) -> None:
    release = journeys.planned(world)
    world.ask(release.release_id, "staging")
    world.vote(CHLOE, world.approval(release.release_id, "staging"))
    pipelines(world).by = STRANGER
    pipelines(world).answer(stage_run(world, release, "DeployStaging"), approved=True, comment="me too")
    assert world.sweep().outside == 0
    approval = world.approval(release.release_id, "staging")
    assert [vote.display for vote in approval.votes] == ["Chloé Martin"]
    deployed = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[deployed.value] == {"outcome": "deployed"}
