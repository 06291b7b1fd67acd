"""What waits is resumed by what has happened, not by what an event says has happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import AccessDenied
from orchestrator.core.events import JobChanged, StackChanged
from orchestrator.core.records import Release, StageStatus, Status, TaskToken, Wait, WaitKind
from orchestrator.core.steps.settle import settle, store_wait
from orchestrator.core.steps.sweep_waits import BATCH
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.steps.journeys import STACK, in_dev, live, packaged


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def deploying(world: MemoryWorld) -> tuple[Release, TaskToken]:
    """A release whose stack in dev is being created."""
    world.stacks("dev").immediate = False
    release = packaged(world)
    return release, world.deploy(release.release_id, "dev")


def told(world: MemoryWorld, status: str = "CREATE_COMPLETE", token: str | None = None) -> StackChanged:
    """The event that CloudFormation sends."""
    stack = world.stacks("dev").stacks[STACK]
    return StackChanged(stack.stack_id, status, stack.token if token is None else token)


def test_the_end_of_the_stack_resumes_the_release(world: MemoryWorld) -> None:
    release, token = deploying(world)
    world.stacks("dev").finish(STACK)
    assert world.happened(told(world)) == 1
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}
    assert world.stage(release.release_id, "dev").status is StageStatus.DEPLOYED
    assert world.waits() == ()


def test_a_second_and_a_late_event_resume_nothing(world: MemoryWorld) -> None:
    _, token = deploying(world)
    world.stacks("dev").finish(STACK)
    assert [world.happened(told(world)) for _ in range(3)] == [1, 0, 0]
    assert world.happened(told(world, "CREATE_IN_PROGRESS")) == 0
    assert list(world.fake_tasks.answers) == [token.value]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"])
def test_a_forged_event_resumes_nothing(world: MemoryWorld, status: str) -> None:
    """It has the right shape, stack and token; CloudFormation says that the stack is still being created."""
    release, _ = deploying(world)
    assert world.happened(told(world, status)) == 0
    assert world.fake_tasks.answers == {}
    assert world.fake_tasks.failures == {}
    assert world.stage(release.release_id, "dev").status is StageStatus.DEPLOYING


def test_an_event_of_something_nobody_waits_for_reads_one_row(world: MemoryWorld) -> None:
    assert world.happened(StackChanged("arn:stack:dev:other:1", "CREATE_COMPLETE", "x")) == 0
    assert world.happened(JobChanged("arn:pipeline:other", "Succeeded")) == 0
    assert world.memory.rows == {}


def test_somebody_elses_operation_is_not_ours(world: MemoryWorld) -> None:
    """The wait is stored, our change set not executed yet; meanwhile the console has updated the stack."""
    live(world)
    release = packaged(world, configuration(inference_instance="ml.c5.large"))
    world.plan(release.release_id, "dev")
    stack = world.stacks("dev").stacks[STACK]
    token = TaskToken("t")
    wait = Wait(
        kind=WaitKind.STACK,
        subject=stack.stack_id,
        request_token=f"{release.release_id}-dev-1",
        release_id=release.release_id,
        stage="dev",
        token=token,
        stored_at=release.created_at,
    )
    world.memory.insert(wait)
    world.stacks("dev").somebody_else_deploys(STACK)
    assert world.happened(told(world, "UPDATE_COMPLETE")) == 0
    world.clock.pass_hours(1)
    assert world.sweep().settled == 0
    assert world.waits() == (wait,)


def test_an_operation_that_another_one_followed_is_not_waited_for_for_ever(world: MemoryWorld) -> None:
    release, token = deploying(world)
    world.stacks("dev").finish(STACK)
    world.stacks("dev").somebody_else_deploys(STACK)
    assert world.happened(told(world, "UPDATE_COMPLETE")) == 0, "the events may only lag"
    world.clock.pass_hours(0.3)
    assert world.sweep().settled == 1
    error, reason = world.fake_tasks.failures[token.value]
    assert error == "DeploymentFailed"
    assert "another operation followed" in reason
    assert world.stage(release.release_id, "dev").status is StageStatus.FAILED


def test_a_rollback_fails_with_the_first_failed_resource(world: MemoryWorld) -> None:
    release, token = deploying(world)
    world.stacks("dev").fails_with = "Endpoint (AWS::SageMaker::Endpoint): no capacity"
    world.stacks("dev").finish(STACK)
    assert world.happened(told(world, "ROLLBACK_COMPLETE")) == 1
    assert world.fake_tasks.failures[token.value] == (
        "DeploymentFailed",
        "Endpoint (AWS::SageMaker::Endpoint): no capacity",
    )
    assert world.stage(release.release_id, "dev").note == "Endpoint (AWS::SageMaker::Endpoint): no capacity"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("CREATE_COMPLETE", "deployed"),
        ("UPDATE_COMPLETE", "deployed"),
        ("IMPORT_COMPLETE", "deployed"),
        ("CREATE_FAILED", "failed"),
        ("ROLLBACK_COMPLETE", "failed"),
        ("ROLLBACK_FAILED", "failed"),
        ("UPDATE_FAILED", "failed"),
        ("UPDATE_ROLLBACK_COMPLETE", "failed"),
        ("UPDATE_ROLLBACK_FAILED", "failed"),
        ("DELETE_COMPLETE", "failed"),
        ("DELETE_FAILED", "failed"),
        ("IMPORT_ROLLBACK_COMPLETE", "failed"),
        ("IMPORT_ROLLBACK_FAILED", "failed"),
        ("CREATE_IN_PROGRESS", "waits"),
        ("ROLLBACK_IN_PROGRESS", "waits"),
        ("DELETE_IN_PROGRESS", "waits"),
        ("UPDATE_IN_PROGRESS", "waits"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "waits"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "waits"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "waits"),
        ("REVIEW_IN_PROGRESS", "waits"),
        ("IMPORT_IN_PROGRESS", "waits"),
        ("IMPORT_ROLLBACK_IN_PROGRESS", "waits"),
    ],
)
def test_every_status_of_cloudformation_means_something(world: MemoryWorld, status: str, outcome: str) -> None:
    _, token = deploying(world)
    world.stacks("dev").stacks[STACK].status = status
    world.sweep()
    seen = "waits"
    if token.value in world.fake_tasks.answers:
        seen = "deployed"
    elif token.value in world.fake_tasks.failures:
        seen = "failed"
    assert seen == outcome


def test_a_stack_that_is_gone_fails_the_release(world: MemoryWorld) -> None:
    _, token = deploying(world)
    world.stacks("dev").stacks.clear()
    assert world.sweep().settled == 1
    assert world.fake_tasks.failures[token.value] == ("DeploymentFailed", "the stack ended in ABSENT")


def test_a_first_change_set_that_could_not_be_executed_fails_the_release(world: MemoryWorld) -> None:
    """No event tells: the stack stays in review, and the release would wait for twelve hours."""
    world.stacks("dev").cannot_execute = "a hook refused it"
    release = packaged(world)
    token = world.deploy(release.release_id, "dev")
    assert world.fake_tasks.failures[token.value] == ("DeploymentFailed", "a hook refused it")
    assert world.stage(release.release_id, "dev").status is StageStatus.FAILED
    assert world.waits() == ()


def test_a_first_change_set_that_somebody_deleted_is_not_waited_for_for_ever(world: MemoryWorld) -> None:
    release, token = deploying(world)
    stacks = world.stacks("dev")
    stacks.stacks[STACK].status = "REVIEW_IN_PROGRESS"
    stacks.executions.clear()
    assert world.sweep().settled == 0, "its events may only lag"
    world.clock.pass_hours(0.3)
    assert world.sweep().settled == 1
    error, reason = world.fake_tasks.failures[token.value]
    assert (error, reason) == ("DeploymentFailed", "the change set was deleted before it was executed")
    assert world.stage(release.release_id, "dev").status is StageStatus.FAILED


def test_after_that_the_same_workload_can_be_released_again(world: MemoryWorld) -> None:
    world.stacks("dev").cannot_execute = "a hook refused it"
    release = packaged(world)
    world.deploy(release.release_id, "dev")
    world.end(release.release_id, Status.FAILED, "DeploymentFailed", "a hook refused it")
    world.stacks("dev").cannot_execute = ""
    again = in_dev(world)
    assert world.stage(again.release_id, "dev").status is StageStatus.VERIFIED


def test_a_lost_event_is_made_good_by_the_sweeper(world: MemoryWorld) -> None:
    _, token = deploying(world)
    assert (world.sweep().open, world.sweep().settled) == (1, 0)
    world.stacks("dev").finish(STACK)
    assert world.sweep().settled == 1
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}
    assert world.sweep().open == 0


def test_one_wait_that_cannot_be_looked_at_does_not_keep_the_others(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = deploying(world)
    second = packaged(world, configuration(pipeline_name="other"))
    token = world.deploy(second.release_id, "dev")
    other = world.of(second.release_id).stack_name
    world.stacks("dev").finish(other)
    state = world.stacks("dev").state

    def denied(stack: str) -> object:
        if f":{STACK}:" in stack:
            raise AccessDenied("mlops-observe may not do cloudformation:DescribeStacks")
        return state(stack)

    monkeypatch.setattr(world.stacks("dev"), "state", denied)
    swept = world.sweep()
    assert (swept.open, swept.settled) == (2, 1)
    assert swept.failures == (f"{first.release_id} in dev: mlops-observe may not do cloudformation:DescribeStacks",)
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_many_jobs_that_run_for_days_keep_no_later_wait_from_being_looked_at(world: MemoryWorld) -> None:
    for number in range(BATCH):
        subject = f"arn:aws:sagemaker:us-east-1:222222222222:automl-job/{number}"
        started = "2026-02-01T00:00:00.000Z"
        world.memory.insert(Wait(WaitKind.JOB, subject, "token", "other", "dev", TaskToken("other"), started))
    _, token = deploying(world)
    world.stacks("dev").finish(STACK)
    for _ in range(2):
        world.sweep()
        world.clock.pass_seconds(60)
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_stage_that_the_installation_no_longer_has_does_not_stop_the_sweep(world: MemoryWorld) -> None:
    _, token = deploying(world)
    (wait,) = world.waits()
    world.memory.insert(replace(wait, stage="qa", subject="arn:stack:qa:x:1", stored_at="2020"))
    world.stacks("dev").finish(STACK)
    swept = world.sweep()
    assert swept.settled == 1
    assert len(swept.failures) == 1
    assert token.value in world.fake_tasks.answers


def test_the_waits_of_a_release_that_has_ended_are_dropped(world: MemoryWorld) -> None:
    """Its time-out came first; without this the sweeper would ask about the stack for ever."""
    release, token = deploying(world)
    world.end(release.release_id, Status.FAILED, "States.Timeout", "")
    assert (world.sweep().settled, world.waits()) == (1, ())
    assert token.value not in world.fake_tasks.answers
    assert world.of(release.release_id).status is Status.FAILED


def test_an_answer_that_is_repeated_late_undoes_nothing(world: MemoryWorld) -> None:
    """The function died between the answer and the deletion of the wait; the release has gone on."""
    release, _ = deploying(world)
    (wait,) = world.waits()
    world.stacks("dev").finish(STACK)
    world.sweep()
    world.verify(release.release_id, "dev")
    before = world.stage(release.release_id, "dev")
    world.memory.insert(wait)
    assert world.sweep().settled == 1
    assert world.stage(release.release_id, "dev") == before
    assert world.waits() == ()


def test_a_wait_that_was_taken_over_keeps_the_new_token(world: MemoryWorld) -> None:
    """An event's function read the wait before the step ran again: its answer goes to the dead token."""
    release, dead = deploying(world)
    (stale,) = world.waits()
    world.fake_tasks.retired.add(dead.value)
    token = world.deploy(release.release_id, "dev")
    world.stacks("dev").finish(STACK)
    assert settle(stale, store=world.store, accounts=world.accounts, tasks=world.tasks, now=world.clock)
    assert token.value not in world.fake_tasks.answers
    assert [wait.token for wait in world.waits()] == [token]
    assert world.sweep().settled == 1
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_wait_that_is_settled_while_it_is_taken_over_is_stored_anew(world: MemoryWorld) -> None:
    deploying(world)
    (known,) = world.waits()
    mine = replace(known, token=TaskToken("mine"))
    world.memory.before_write_of[Wait] = lambda: world.memory.delete(known)
    assert store_wait(mine, world.memory).token == TaskToken("mine")
    assert world.waits() == (mine,)


def test_a_wait_says_its_token_to_nobody(world: MemoryWorld) -> None:
    _, token = deploying(world)
    assert token.value not in repr(world.waits())


def test_an_in_progress_event_asks_nobody(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    deploying(world)

    def asked(stack: str) -> object:
        raise AssertionError("an event of something in progress needs no call")

    monkeypatch.setattr(world.stacks("dev"), "state", asked)
    assert world.happened(told(world, "CREATE_IN_PROGRESS")) == 0


def test_a_deployed_stage_is_left_alone_by_a_sweep(world: MemoryWorld) -> None:
    release = in_dev(world)
    assert world.sweep() == world.sweep()
    assert world.stage(release.release_id, "dev").status is StageStatus.VERIFIED
