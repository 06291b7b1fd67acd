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
    Verdict,
    Workload,
)
from tests.fakes.dying import standing_still_after
from tests.fakes.memory_world import BEN, MemoryWorld, configuration
from tests.steps.journeys import approved, asked, packaged, planned


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
    "verify": lambda world, release_id: world.verify(release_id, "dev"),
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
