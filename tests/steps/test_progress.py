"""Reading and moving records: what is not there, what has ended, what has changed when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import UnknownRelease
from orchestrator.core.records import StageRecord, StageStatus, Status
from orchestrator.core.steps.progress import move, move_stage, release_of, rules_for, stage_of
from tests.fakes.memory_world import MemoryWorld, configuration, installation
from tests.steps.journeys import packaged


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_an_unknown_release_is_named(world: MemoryWorld) -> None:
    with pytest.raises(UnknownRelease, match="'nope'"):
        release_of(world.memory, "nope")


def test_a_release_that_has_ended_stays_as_it_ended(world: MemoryWorld) -> None:
    release = packaged(world)
    world.end(release.release_id, Status.EXPIRED)
    before = world.of(release.release_id)
    assert move(world.memory, release.release_id, world.clock, Status.DEPLOYING, stage="dev") == before
    assert world.of(release.release_id) == before


def test_a_move_is_dated(world: MemoryWorld) -> None:
    release = packaged(world)
    moved = move(world.memory, release.release_id, world.clock, Status.PLANNING, stage="prod")
    assert (moved.status, moved.stage) == (Status.PLANNING, "prod")
    assert moved.updated_at > release.updated_at


def test_a_stage_is_made_once(world: MemoryWorld) -> None:
    release = packaged(world)
    first = stage_of(world.memory, release.release_id, "dev", world.clock)
    assert (first.status, first.attempt) == (StageStatus.PENDING, 1)
    assert stage_of(world.memory, release.release_id, "dev", world.clock) == first


def test_a_stage_that_a_rival_makes_first_is_taken(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    release = packaged(world)
    theirs = StageRecord(release.release_id, "dev", StageStatus.PLANNED, "t", attempt=2)
    get, seen = world.memory.get, []

    def slow(cls: type[StageRecord], key: tuple[str, str]) -> StageRecord | None:
        seen.append(key)
        found = get(cls, key)
        if len(seen) == 1:
            world.memory.insert(theirs)
        return found

    monkeypatch.setattr(world.memory, "get", slow)
    assert stage_of(world.memory, release.release_id, "dev", world.clock) == theirs


def test_only_a_change_is_dated(world: MemoryWorld) -> None:
    release = packaged(world)
    record = stage_of(world.memory, release.release_id, "dev", world.clock)
    assert move_stage(world.memory, record, world.clock, lambda current: current) == record
    changed = move_stage(world.memory, record, world.clock, lambda current: replace(current, note="x"))
    assert changed.updated_at > record.updated_at


def test_the_policies_of_a_stage_are_its_own(world: MemoryWorld) -> None:
    asked = {"staging": {"any_of": [{"risk": 2}]}, "prod": {"any_of": [{"ml-owner": 3}]}}
    release = packaged(world, configuration(approval=asked))
    rules = rules_for(installation(), release, "staging")
    assert rules is not None
    assert [policy.any_of for policy in rules.policies] == [((("ml-owner", 1),),), ((("risk", 2),),)]
    assert rules_for(installation(), release, "dev") is None
