"""Releases whose change sets a CodePipeline makes and executes: the same steps, records and ends."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import GatesFailed, PlanFailed
from orchestrator.core.events import PipelineChanged
from orchestrator.core.installation import PIPELINE_EXPIRY_HOURS, ApprovalPolicy, StageSettings
from orchestrator.core.pipelines.progress import ABANDONED, FAILED, IN_PROGRESS, STOPPED, SUCCEEDED
from orchestrator.core.plans import PackageVersion
from orchestrator.core.records import StageStatus, Status, Verdict
from tests.fakes.machine import Machines
from tests.fakes.memory_world import (
    BEN,
    OWNER,
    MemoryWorld,
    configuration,
)
from tests.fakes.pipelines import FakeExecution, piped
from tests.steps import journeys, removals
from tests.steps.journeys import STACK
from tests.steps.runs_of_pipelines import NAME, changed, execution, pipelines, runs, stage_run


@pytest.fixture
def world() -> MemoryWorld:
    return piped()


def test_a_whole_release_is_one_execution_of_its_pipeline(world: MemoryWorld) -> None:
    release = journeys.live(world)
    assert release.status is Status.SUCCEEDED
    assert execution(world, release).status == SUCCEEDED
    assert runs(world, release) == [
        (f"Deploy{stage}", action, SUCCEEDED)
        for stage in ("Dev", "Staging", "Prod")
        for action in ("Plan", "Approve", "Execute")
    ]
    assert list(pipelines(world).executions) == ["execution-1"]
    assert execution(world, release).package.version_id == release.package_version
    assert [world.stage(release.release_id, one).status for one in release.stages] == [StageStatus.VERIFIED] * 3
    assert world.workload().live_release == release.release_id
    assert world.waits() == ()


def test_codepipeline_is_told_who_has_approved(world: MemoryWorld) -> None:
    release = journeys.asked(world)
    world.vote(BEN, world.approval(release.release_id, "staging"), reason="seen the figures")
    world.deploy(release.release_id, "staging")
    dev, staging = pipelines(world).answers
    assert dev == ("DeployDev", True, "No approval is asked for in dev.")
    assert staging == ("DeployStaging", True, "Approved by Ben Okafor (seen the figures)")


def test_the_pipeline_does_not_run_ahead_of_the_verification(world: MemoryWorld) -> None:
    release = journeys.packaged(world)
    world.deploy(release.release_id, "dev")
    pipelines(world).progress(stage_run(world, release, "DeployStaging"))
    assert runs(world, release)[-1] == ("DeployStaging", "Approve", IN_PROGRESS)
    assert world.stacks("staging").executed == []
    world.end(release.release_id, Status.FAILED, "VerificationFailed", "it answers nonsense")
    assert execution(world, release).status == STOPPED
    assert world.stacks("staging").stacks == {}, (
        "the change set that was made ahead is gone, and the shell of its stack"
    )
    assert world.stacks("dev").stacks[STACK].status == "CREATE_COMPLETE"


def test_what_was_planned_behind_a_gate_that_stops_the_release_is_taken_away(world: MemoryWorld) -> None:
    gates = [{"metric": "accuracy", "at_least": 0.99, "stages": ["staging"]}]
    values = journeys.evaluated(world, configuration(metrics="fraud/evaluation.json", gates=gates), accuracy=0.9)
    release = journeys.in_dev(world, values)
    pipelines(world).progress(stage_run(world, release, "DeployStaging"))
    assert STACK in world.stacks("staging").stacks
    with pytest.raises(GatesFailed):
        world.plan(release.release_id, "staging")
    world.end(release.release_id, Status.FAILED, "GatesFailed", "why")
    assert execution(world, release).status == STOPPED
    assert world.stacks("staging").stacks == {}


def test_a_rejection_is_told_with_its_words_and_leaves_nothing(world: MemoryWorld) -> None:
    release = journeys.asked(world)
    world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "not today")
    world.end(release.release_id, Status.REJECTED)
    assert pipelines(world).answers[-1] == ("DeployStaging", False, "not today")
    assert execution(world, release).status == FAILED
    assert world.stacks("staging").stacks == {}
    assert world.of(release.release_id).status is Status.REJECTED


@pytest.mark.parametrize("outcome", [Status.EXPIRED, Status.SUPERSEDED, Status.FAILED])
def test_any_other_end_stops_the_execution(world: MemoryWorld, outcome: Status) -> None:
    release = journeys.asked(world)
    world.end(release.release_id, outcome, "E", "why")
    assert execution(world, release).status == STOPPED
    assert runs(world, release)[-1] == ("DeployStaging", "Approve", ABANDONED)
    assert world.stacks("staging").stacks == {}
    assert world.of(release.release_id).status is outcome


def test_a_slow_stack_is_waited_for_by_the_pipelines_events(world: MemoryWorld) -> None:
    world.stacks("dev").immediate = False
    release = journeys.packaged(world)
    token = world.deploy(release.release_id, "dev")
    (wait,) = world.waits()
    assert wait.subject == f"codepipeline:{NAME}/execution-1"
    assert changed(world, release) == 0, "an event that says more than is so resumes nothing"
    assert world.happened(PipelineChanged(NAME, "execution-9")) == 0
    world.stacks("dev").finish(STACK)
    assert [changed(world, release) for _ in range(3)] == [1, 0, 0]
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_the_sweeper_alone_settles_what_the_pipeline_has_done(world: MemoryWorld) -> None:
    world.stacks("dev").immediate = False
    release = journeys.packaged(world)
    token = world.deploy(release.release_id, "dev")
    assert world.sweep().settled == 0
    world.stacks("dev").finish(STACK)
    swept = world.sweep()
    assert (swept.settled, swept.failures) == (1, ())
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_stack_that_fails_is_told_in_cloudformations_words(world: MemoryWorld) -> None:
    world.stacks("dev").fails_with = "Endpoint (AWS::SageMaker::Endpoint): no capacity"
    release = journeys.packaged(world)
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.failures[token.value] == ("DeploymentFailed", world.stacks("dev").fails_with)
    world.end(release.release_id, Status.FAILED, "DeploymentFailed", world.stacks("dev").fails_with)
    assert execution(world, release).status == FAILED
    # What it left of the stack is cleared away before the next release is planned.
    world.stacks("dev").fails_with = ""
    assert journeys.in_dev(world, configuration(description="again")).status is Status.VERIFYING


def test_an_execution_that_somebody_stops_while_it_deploys_fails_the_stage(world: MemoryWorld) -> None:
    world.stacks("dev").immediate = False
    release = journeys.packaged(world)
    token = world.deploy(release.release_id, "dev")
    pipelines(world).stop(stage_run(world, release, "DeployDev"), "by hand")
    assert (changed(world, release), world.sweep().settled) == (0, 0), "CloudFormation is still at work"
    world.stacks("dev").finish(STACK)
    assert changed(world, release) == 1
    error, cause = world.fake_tasks.failures[token.value]
    assert error == "DeploymentFailed"
    assert "has ended Stopped; the stack is in CREATE_COMPLETE all the same" in cause


def test_a_stale_plan_is_rejected_planned_and_asked_anew(world: MemoryWorld) -> None:
    journeys.live(world)
    release = journeys.approved(world, configuration(inference_instance="ml.m5.2xlarge"))
    world.stacks("staging").somebody_else_deploys(STACK)
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "stale"}
    assert execution(world, release).status == FAILED
    first = world.approval(release.release_id, "staging") if world.stage(release.release_id, "staging").plan else None
    assert first is None
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    world.vote(BEN, world.approval(release.release_id, "staging"))
    world.deploy(release.release_id, "staging")
    assert world.stage(release.release_id, "staging").status is StageStatus.DEPLOYED
    assert [run for run in runs(world, release) if run[:2] == ("DeployStaging", "Plan")] == [
        ("DeployStaging", "Plan", SUCCEEDED)
    ] * 2


def test_a_change_set_that_somebody_deletes_is_made_anew(world: MemoryWorld) -> None:
    release = journeys.in_dev(world)
    pipelines(world).progress(stage_run(world, release, "DeployStaging"))
    world.stacks("staging").change_sets.clear()
    world.plan(release.release_id, "staging")
    assert world.stage(release.release_id, "staging").plan is not None
    assert len([run for run in runs(world, release) if run[:2] == ("DeployStaging", "Plan")]) == 2


def test_a_plan_that_changes_nothing_passes_through(world: MemoryWorld) -> None:
    first = journeys.live(world)
    before = {stage: list(world.stacks(stage).executed) for stage in first.stages}
    again = world.release(configuration(), force=True)
    world.package(again.release_id)
    for stage in again.stages:
        world.plan(again.release_id, stage)
        asked = world.ask(again.release_id, stage)
        assert world.fake_tasks.answers[asked.value] == {"decision": "approved"}
        deployed = world.deploy(again.release_id, stage)
        assert world.fake_tasks.answers[deployed.value] == {"outcome": "unchanged"}
    assert {stage: world.stacks(stage).executed for stage in first.stages} == before
    assert execution(world, again).status == SUCCEEDED


def test_what_is_in_the_way_of_a_release_is_stopped(world: MemoryWorld) -> None:
    release = journeys.packaged(world)
    pipelines(world).executions["by-hand"] = FakeExecution(
        NAME, PackageVersion(release.package_key, release.package_version)
    )
    world.plan(release.release_id, "dev")
    assert pipelines(world).executions["by-hand"].status == STOPPED


def test_a_change_set_that_cannot_be_made_fails_the_release(world: MemoryWorld) -> None:
    world.stacks("dev").refuses = "Template error: no such resource"
    release = journeys.packaged(world)
    with pytest.raises(PlanFailed, match="no such resource"):
        world.plan(release.release_id, "dev")


def test_a_removal_deletes_directly_and_takes_the_pipeline(world: MemoryWorld) -> None:
    machines = Machines(world)
    removals.live(world, machines)
    removal = removals.approved(world, machines, removals.removal(world, machines))
    assert removal.status is Status.SUCCEEDED
    assert all(world.stacks(stage).stacks == {} for stage in removal.stages)
    assert pipelines(world).templates == {}
    assert len(pipelines(world).executions) == 1, "that of the release"


def test_a_removal_that_is_rejected_leaves_the_pipeline(world: MemoryWorld) -> None:
    machines = Machines(world)
    removals.live(world, machines)
    removal = removals.removal(world, machines)
    world.vote(BEN, world.approval(removal.release_id, "staging"), Verdict.REJECT, "we still need it")
    machines.settle()
    assert world.of(removal.release_id).status is Status.REJECTED
    assert list(pipelines(world).templates) == [NAME]


def test_an_answer_that_codepipeline_does_not_list_yet_is_waited_for(world: MemoryWorld) -> None:
    release = journeys.approved(world)
    assert pipelines(world).answer(stage_run(world, release, "DeployStaging"), approved=True, comment="before it died")
    pipelines(world).unlisted = 6
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}
    assert execution(world, release).status == IN_PROGRESS, "nobody has stopped it"


def test_nobody_is_asked_for_longer_than_the_pipeline_waits() -> None:
    slow = ApprovalPolicy(OWNER.any_of, expires_after_hours=2160)
    world = piped(
        StageSettings("dev", "222222222222"),
        StageSettings("staging", "333333333333", slow),
        StageSettings("prod", "444444444444", slow),
    )
    release = journeys.in_dev(world)
    assert world.plan(release.release_id, "staging")["expires_in_seconds"] == PIPELINE_EXPIRY_HOURS * 3600


def test_one_stage_is_called_as_it_was_in_the_former_product() -> None:
    world = piped(StageSettings("prod", "444444444444", OWNER))
    release = world.release(configuration(inference_instance="ml.m5.large"))
    world.package(release.release_id)
    world.plan(release.release_id, "prod")
    assert runs(world, release) == [("DeployPipeline", "Plan", SUCCEEDED), ("DeployPipeline", "Approve", IN_PROGRESS)]


def test_what_failed_long_ago_is_not_told_as_the_reason_of_today(world: MemoryWorld) -> None:
    journeys.live(world)
    stacks = world.stacks("dev")
    stacks.stacks[STACK].status, stacks.stacks[STACK].reason = "UPDATE_ROLLBACK_COMPLETE", "Model: what was in March"
    pipelines(world).execute_fails = "the change set is obsolete"
    release = journeys.packaged(world, configuration(inference_instance="ml.m5.2xlarge"))
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.failures[token.value] == ("DeploymentFailed", "the change set is obsolete")
