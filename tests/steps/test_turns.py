"""One release of a workload at a time: who gives way to whom, who is fenced off, and what frees a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.errors import TurnLost, WorkloadBusy
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Release,
    StageStatus,
    Status,
    TaskToken,
    Verdict,
    Wait,
    WaitKind,
    Workload,
)
from orchestrator.core.steps import abandoned
from orchestrator.core.steps.record_outcome import record_outcome
from orchestrator.core.steps.sweep_waits import BATCH
from tests.fakes.dying import standing_still_after
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, MemoryWorld, configuration
from tests.steps.journeys import STACK, approved, asked, in_dev, packaged, planned


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def newer(world: MemoryWorld, words: str = "newer", **changes: object) -> Release:
    """A newer release that has asked for its turn, and was told to wait."""
    release = world.release(configuration(description=words, **changes))
    with pytest.raises(WorkloadBusy):
        world.package(release.release_id)
    return world.of(release.release_id)


# Who gives way.


def test_nobody_is_asked_about_a_release_that_a_newer_one_waits_behind(world: MemoryWorld) -> None:
    older = planned(world)
    waiting = newer(world)
    token = world.ask(older.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"decision": "superseded"}
    assert world.memory.all(Approval) == ()
    world.end(older.release_id, Status.SUPERSEDED)
    ended = world.of(older.release_id)
    assert (ended.status, ended.ended_by) == (Status.SUPERSEDED, waiting.release_id)
    assert world.stacks("staging").stacks == {}
    assert world.package(waiting.release_id) == {"outcome": "packaged"}


def test_a_repetition_supersedes_nothing(world: MemoryWorld) -> None:
    older = planned(world)
    same = world.release(configuration())
    assert world.package(same.release_id) == {"outcome": "unchanged"}
    assert world.workload().newest_release == same.release_id
    world.ask(older.release_id, "staging")
    assert world.approval(older.release_id, "staging").status is ApprovalStatus.PENDING


def test_a_forced_repetition_is_a_release_like_any_other(world: MemoryWorld) -> None:
    older = planned(world)
    forced = world.release(configuration(), force=True)
    with pytest.raises(WorkloadBusy):
        world.package(forced.release_id)
    token = world.ask(older.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"decision": "superseded"}


def test_a_newer_release_that_has_failed_keeps_nobody_from_asking(world: MemoryWorld) -> None:
    older = planned(world)
    world.end(newer(world).release_id, Status.FAILED, "ExecutionEnded", "aborted")
    world.ask(older.release_id, "staging")
    assert world.approval(older.release_id, "staging").status is ApprovalStatus.PENDING


def test_in_a_chain_of_three_each_says_who_took_over(world: MemoryWorld) -> None:
    """The third comes before the first has ended: the first was superseded by the second, and stays so."""
    first = asked(world)
    second = newer(world, "second")
    third = newer(world, "third")
    world.end(first.release_id, Status.SUPERSEDED)
    assert world.package(second.release_id) == {"outcome": "superseded"}
    world.end(second.release_id, Status.SUPERSEDED)
    assert world.package(third.release_id) == {"outcome": "packaged"}
    names = [world.of(one.release_id).ended_by for one in (first, second, third)]
    assert names == [second.release_id, third.release_id, ""]
    assert "second" not in world.of(third.release_id).reason


def test_who_superseded_is_named_though_the_newer_one_died_before_it_said_so(world: MemoryWorld) -> None:
    older = asked(world)
    waiting = newer(world)
    world.memory.update(Release, older.key(), lambda found: replace(found, ended_by=""))
    world.end(older.release_id, Status.SUPERSEDED)
    assert world.of(older.release_id).reason == f"{waiting.release_id} took over."


def test_a_late_click_on_a_superseded_release_decides_nothing(world: MemoryWorld) -> None:
    older = asked(world)
    question = world.approval(older.release_id, "staging")
    newer(world)
    for verdict in (Verdict.APPROVE, Verdict.REJECT):
        result = world.vote(BEN, question, verdict, "too late")
        assert not result.counted
        assert result.sentence == f"A newer release of {older.workload} has superseded this one."
    assert world.approval(older.release_id, "staging").votes == ()


def test_a_decision_that_came_first_stands(world: MemoryWorld) -> None:
    older = approved(world)
    newer(world)
    world.deploy(older.release_id, "staging")
    assert world.stage(older.release_id, "staging").status is StageStatus.DEPLOYED


def test_of_many_that_wait_the_newest_goes_on_whoever_looks_first(world: MemoryWorld) -> None:
    holder = packaged(world)
    waiting = [newer(world, f"number {number}") for number in range(5)]
    world.end(holder.release_id, Status.FAILED, "E", "x")
    outcomes = [world.package(one.release_id)["outcome"] for one in reversed(waiting)]
    assert outcomes == ["packaged", *["superseded"] * 4]


def test_a_release_waits_for_days_and_follows(world: MemoryWorld) -> None:
    """``test_structure`` holds how long the state machine repeats the step: 32 days."""
    holder = packaged(world)
    waiting = newer(world)
    for _ in range(5):
        world.clock.pass_hours(24)
        with pytest.raises(WorkloadBusy):
            world.package(waiting.release_id)
        world.sweep()
    world.end(holder.release_id, Status.SUCCEEDED)
    assert world.package(waiting.release_id) == {"outcome": "packaged"}


def test_of_two_versions_the_newer_is_asked_for_later_whatever_the_clocks_say(world: MemoryWorld) -> None:
    """The function that receives the newer version lives on a machine whose clock is late; both note their upload
    before either goes on."""
    older, newest = (world.put_configuration(configuration(description=words)) for words in ("older", "newest"))
    late: list[Release] = []

    def meanwhile() -> None:
        world.clock.moment -= timedelta(seconds=2)
        late.extend(world.receive(newest).releases)
        world.clock.moment += timedelta(seconds=2)

    with standing_still_after(world, 2, meanwhile):
        first = world.receive(older).releases[0]
    assert first.status is Status.REQUESTED, "the newer one came after this one had been noted"
    assert late[0].order > first.order
    assert world.package(late[0].release_id) == {"outcome": "packaged"}
    assert world.package(first.release_id) == {"outcome": "superseded"}


# Who is fenced off.

STEPS: dict[str, Callable[[MemoryWorld, str], object]] = {
    "package": lambda world, name: world.package(name),
    "plan": lambda world, name: world.plan(name, "staging"),
    "ask": lambda world, name: world.ask(name, "staging"),
    "deploy": lambda world, name: world.deploy(name, "staging"),
    "run job": lambda world, name: world.run_job(name, "dev"),
}


def standing(world: MemoryWorld) -> tuple[object, ...]:
    """What the table holds, and what has been done in staging."""
    stacks = world.stacks("staging")
    return dict(world.memory.rows), dict(stacks.change_sets), list(stacks.executed)


@pytest.mark.parametrize("step", [name for name in STEPS if name != "run job"])
def test_a_late_step_of_a_release_that_has_ended_changes_nothing(world: MemoryWorld, step: str) -> None:
    """Its execution was stopped while the function ran; the release was ended, and the next one has its turn."""
    late = approved(world)
    world.end(late.release_id, Status.FAILED, "ExecutionEnded", "aborted")
    packaged(world, configuration(description="next"))
    before = standing(world)
    with pytest.raises(TurnLost):
        STEPS[step](world, late.release_id)
    assert standing(world) == before


@pytest.mark.parametrize("step", [name for name in STEPS if name not in {"package", "run job"}])
def test_a_step_of_an_older_generation_changes_nothing(world: MemoryWorld, step: str) -> None:
    late = approved(world)
    taken = replace(world.workload(), generation=world.workload().generation + 1)
    world.memory.update(Workload, taken.key(), lambda found: taken)
    executed = list(world.stacks("staging").executed)
    with pytest.raises(TurnLost):
        STEPS[step](world, late.release_id)
    assert world.stacks("staging").executed == executed


def test_each_turn_has_a_generation_of_its_own(world: MemoryWorld) -> None:
    generations = []
    for number in range(3):
        release = packaged(world, configuration(description=f"number {number}"))
        generations.append(world.of(release.release_id).generation)
        world.end(release.release_id, Status.FAILED, "E", "x")
    assert generations == [1, 2, 3]


def test_a_release_that_is_ended_while_it_takes_its_turn_gives_it_back(world: MemoryWorld) -> None:
    release = world.release()
    world.memory.before_write_of[Workload] = lambda: world.end(release.release_id, Status.FAILED, "E", "aborted")
    with pytest.raises(TurnLost):
        world.package(release.release_id)
    assert world.workload().running_release == ""
    assert world.of(release.release_id).status is Status.FAILED


# What frees a turn.


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


def test_a_holder_is_looked_at_however_many_releases_came_after_it(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned, "LOOKED_BACK", 3)
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
