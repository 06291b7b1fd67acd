"""What frees a turn that a dead execution holds, and how the sweeper comes round to everything that waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.records import Approval, Release, Status, TaskToken, Wait, WaitKind
from orchestrator.core.steps import abandoned
from orchestrator.core.steps.record_outcome import record_outcome
from orchestrator.core.steps.sweep_waits import BATCH
from tests.fakes.machine import Machines
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.steps.journeys import STACK, asked, in_dev, packaged
from tests.steps.test_turns import newer


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def gone(world: MemoryWorld, release: Release, status: str = "ABORTED") -> None:
    """The execution has ended, and no event has told of it."""
    world.fake_tasks.statuses[release.release_id] = status


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT", "SUCCEEDED"])
def test_an_execution_that_ended_without_a_word_frees_its_turn(world: MemoryWorld, status: str) -> None:
    holder = asked(world)
    waiting = newer(world)
    gone(world, holder, status)
    world.memory.update(Approval, world.approval(holder.release_id, "staging").key(), lambda found: found)
    assert world.sweep().mended == (), "it has moved a moment ago: its own end may still be at work"
    world.clock.pass_hours(0.3)
    assert world.sweep().mended == (holder.release_id,)
    ended = world.of(holder.release_id)
    assert (ended.status, ended.failure) == (Status.FAILED, "ExecutionEnded")
    assert ended.reason == f"The execution of the state machine has ended {status}."
    assert world.stacks("staging").stacks == {}
    assert world.package(waiting.release_id) == {"outcome": "packaged"}
    assert world.sweep().mended == ()


def test_an_execution_that_nobody_knows_any_more_frees_its_turn(world: MemoryWorld) -> None:
    holder = in_dev(world)
    del world.fake_tasks.started[holder.release_id]
    world.clock.pass_hours(0.3)
    assert world.sweep().mended == (holder.release_id,)
    assert world.of(holder.release_id).reason == "The execution of the state machine is gone."
    assert world.workload().running_release == ""


def test_a_release_that_waits_for_people_for_days_is_left_alone(world: MemoryWorld) -> None:
    release = asked(world)
    world.clock.pass_hours(70)
    assert world.sweep().mended == ()
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL


def test_an_execution_that_was_never_started_is_started(world: MemoryWorld) -> None:
    """The function died after the record, and the event was not delivered again."""
    release = world.release()
    del world.fake_tasks.started[release.release_id]
    world.memory.update(Release, release.key(), lambda found: replace(found, execution_arn=""))
    world.clock.pass_hours(0.3)
    assert world.sweep().mended == (release.release_id,)
    Machines(world).settle()
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL


def test_an_end_that_died_before_it_passed_the_turn_on_is_completed(world: MemoryWorld) -> None:
    release = packaged(world)
    held = world.workload()
    world.end(release.release_id, Status.FAILED, "E", "x")
    world.memory.rows[held.key()] = held
    world.clock.pass_hours(0.3)
    assert world.sweep().mended == (release.release_id,)
    assert world.workload().running_release == ""
    assert world.of(release.release_id).reason == "x"


def test_a_holder_is_looked_at_however_many_releases_came_after_it(world: MemoryWorld) -> None:
    holder = packaged(world)
    for number in range(5):
        other = world.release(configuration(model_name=f"other-{number}"))
        world.end(other.release_id, Status.FAILED, "E", "x")
    gone(world, holder)
    world.clock.pass_hours(0.3)
    assert world.sweep().mended == (holder.release_id,)


def test_of_many_that_stand_still_all_are_asked_about_in_time(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned, "ASKED", 2)
    releases = [world.release(configuration(model_name=f"model-{number}")) for number in range(7)]
    for release in releases:
        gone(world, release)
    world.clock.pass_hours(0.3)
    asked_about: set[str] = set()
    for _ in range(7):
        asked_about |= set(world.sweep().mended)
        world.clock.moment += timedelta(minutes=1)
    assert asked_about == {release.release_id for release in releases}


def test_what_cannot_be_asked_about_is_told_and_keeps_no_other_waiting(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (packaged(world, configuration(model_name=name)) for name in ("one", "two"))
    gone(world, second)
    real = world.fake_tasks.status

    def status(execution: str) -> str:
        if execution.endswith(first.release_id):
            raise RuntimeError("states:DescribeExecution was refused")
        return real(execution)

    monkeypatch.setattr(world.fake_tasks, "status", status)
    world.clock.pass_hours(0.3)
    swept = world.sweep()
    assert swept.mended == (second.release_id,)
    assert swept.failures == (f"execution of {first.release_id}: states:DescribeExecution was refused",)


# The sweeper comes round.


def waits_that_never_end(world: MemoryWorld, count: int) -> None:
    """Of a stage that the installation no longer has: each of them cannot be looked at."""
    release = world.release(configuration(model_name="long-ago"))
    for number in range(count):
        world.memory.insert(
            Wait(
                kind=WaitKind.STACK,
                subject=f"arn:stack:qa:{number}",
                request_token=f"r-{number}",
                release_id=release.release_id,
                stage="qa",
                token=TaskToken(f"of-{number}"),
                stored_at=f"2020-01-01T00:00:00.{number:03}Z",
            )
        )


def test_waits_that_cannot_be_looked_at_do_not_starve_newer_ones(world: MemoryWorld) -> None:
    waits_that_never_end(world, 2 * BATCH)
    release = packaged(world)
    world.stacks("dev").immediate = False
    token = world.deploy(release.release_id, "dev")
    world.stacks("dev").finish(STACK)
    for _ in range(3):
        world.sweep()
        world.clock.moment += timedelta(minutes=1)
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_sweep_that_takes_long_ends_before_its_function_is_ended(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_that_never_end(world, 20)
    stages: list[str] = []

    def slow(stage: str) -> object:
        stages.append(stage)
        world.clock.moment += timedelta(seconds=65)
        raise RuntimeError("no answer")

    monkeypatch.setattr(world.fake_accounts, "stacks", slow)
    assert len(world.sweep().failures) == len(stages) == 4


def test_the_outcome_step_is_what_the_report_calls(world: MemoryWorld) -> None:
    """A report twice is an end once."""
    release = packaged(world)
    for _ in range(2):
        world.outcomes().report(release.release_id, "ExecutionEnded", "gone")
    assert world.of(release.release_id).reason == "gone"
    assert record_outcome(
        release.release_id, Status.FAILED, store=world.store, accounts=world.accounts, now=world.clock
    ) == {"outcome": "failed", "error": "Failed", "reason": "gone"}
