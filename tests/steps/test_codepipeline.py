"""Releases whose change sets a CodePipeline makes and executes: the same steps, records and ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from orchestrator.core.errors import ApprovedOutside, GatesFailed, PlanFailed, TryAgain
from orchestrator.core.events import PipelineChanged
from orchestrator.core.installation import PIPELINE_EXPIRY_HOURS, ApprovalPolicy, StageSettings
from orchestrator.core.pipelines.progress import ABANDONED, FAILED, IN_PROGRESS, STOPPED, SUCCEEDED
from orchestrator.core.pipelines.template import pipeline_name
from orchestrator.core.plans import PackageVersion, PipelineStage
from orchestrator.core.records import ApprovalStatus, Release, StageStatus, Status, TaskToken, Verdict
from orchestrator.core.steps import sweep_waits
from tests.fakes.dying import Countdown, DyingPort, dying_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import (
    BEN,
    CHLOE,
    OWNER,
    MemoryWorld,
    configuration,
)
from tests.fakes.pipelines import FakeExecution, FakePipelines, PipedAccounts, piped
from tests.steps import journeys, removals
from tests.steps.journeys import STACK
from tests.steps.test_crashes import whole_release

NAME = pipeline_name("fraud-detector-realtime")
STRANGER = "arn:aws:iam::111111111111:user/mallory"


@pytest.fixture
def world() -> MemoryWorld:
    return piped()


def pipelines(world: MemoryWorld) -> FakePipelines:
    assert isinstance(world.accounts, PipedAccounts)
    return world.accounts.fake


def execution(world: MemoryWorld, release: Release) -> FakeExecution:
    return pipelines(world).executions[world.of(release.release_id).pipeline_execution]


def runs(world: MemoryWorld, release: Release) -> list[tuple[str, str, str]]:
    return [(run.stage, run.action, run.status) for run in execution(world, release).runs]


def stage_run(world: MemoryWorld, release: Release, stage: str) -> PipelineStage:
    return PipelineStage(NAME, world.of(release.release_id).pipeline_execution, stage)


def changed(world: MemoryWorld, release: Release) -> int:
    return world.happened(PipelineChanged(NAME, world.of(release.release_id).pipeline_execution))


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
    world.stacks("dev").finish(STACK)
    assert changed(world, release) == 1
    error, cause = world.fake_tasks.failures[token.value]
    assert error == "DeploymentFailed"
    assert "has ended Stopped" in cause


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


STEPS: dict[str, tuple[Callable[[MemoryWorld], Release], Callable[[MemoryWorld, str, TaskToken], object]]] = {
    "package": (lambda world: world.release(), lambda world, release, token: world.package(release)),
    "plan first": (journeys.packaged, lambda world, release, token: world.plan(release, "dev")),
    "plan": (journeys.in_dev, lambda world, release, token: world.plan(release, "staging")),
    "deploy without approval": (journeys.packaged, lambda world, release, token: world.deploy(release, "dev", token)),
    "deploy": (journeys.approved, lambda world, release, token: world.deploy(release, "staging", token)),
    "end, expired": (journeys.asked, lambda world, release, token: world.end(release, Status.EXPIRED)),
}


def what_stands(world: MemoryWorld) -> dict[str, object]:
    stages = world.installation.stage_names
    found = pipelines(world)
    return {
        "rows": sorted(repr(row) for row in world.memory.rows.values()),
        "stacks": {stage: repr(world.stacks(stage).stacks) for stage in stages},
        "executed": {stage: world.stacks(stage).executed for stage in stages},
        "executions": repr(found.executions),
        "told": found.answers,
        "answers": sorted(map(repr, world.fake_tasks.answers.values())),
    }


def counted_by(countdown: Countdown, port: object) -> DyingPort:
    return DyingPort(port, countdown)


def uncounted(port: object) -> object:
    return port


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_died_and_ran_again_ends_like_one_that_did_not(name: str) -> None:
    prepare, step = STEPS[name]

    def prepared() -> tuple[MemoryWorld, str]:
        world = piped()
        release_id = prepare(world).release_id
        world.clock.look = timedelta(0)
        return world, release_id

    undisturbed, release_id = prepared()
    step(undisturbed, release_id, TaskToken("live"))
    undisturbed.sweep()
    wanted = what_stands(undisturbed)
    for calls in range(1, 300):
        world, release_id = prepared()
        accounts = world.accounts
        assert isinstance(accounts, PipedAccounts)
        try:
            with suppress(TryAgain), dying_after(world, calls) as countdown:
                accounts.wrap = partial(counted_by, countdown)
                step(world, release_id, TaskToken("dead"))
        except Died:
            world.fake_tasks.retired.add("dead")
            world.fake_tasks.answers.pop("dead", None)
        accounts.wrap = uncounted
        if countdown.left > 0:
            assert calls > 2
            return
        step(world, release_id, TaskToken("live"))
        world.sweep()
        assert what_stands(world) == wanted, f"after dying at call {calls}: {countdown.made[-1]}"
    raise AssertionError("the step never ends")


def counted_release(world: MemoryWorld, calls: int) -> int:
    """``test_crashes.whole_release``, with what is called of CodePipeline."""
    accounts = world.accounts
    assert isinstance(accounts, PipedAccounts)

    def begun(countdown: Countdown) -> None:
        accounts.wrap = partial(counted_by, countdown)

    try:
        return whole_release(world, calls, begun)
    finally:
        accounts.wrap = uncounted


def test_a_whole_release_survives_a_death_anywhere() -> None:
    def left(world: MemoryWorld) -> dict[str, object]:
        found = what_stands(world)
        return {part: found[part] for part in ("rows", "stacks", "executed", "executions")}

    undisturbed = piped()
    undisturbed.clock.look = timedelta(0)
    made = counted_release(undisturbed, 10_000)
    wanted = left(undisturbed)
    assert "status=<Status.SUCCEEDED" in str(wanted["rows"])
    assert len(pipelines(undisturbed).executions) == 1
    for calls in range(1, made + 1):
        world = piped()
        world.clock.look = timedelta(0)
        counted_release(world, calls)
        assert left(world) == wanted, f"after dying at call {calls} of {made}"


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
