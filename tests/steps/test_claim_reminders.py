"""The sweeper claims reminders: once each, whoever sweeps twice, at once or dies, and never after the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.installation import ApprovalPolicy, Reminders, StageSettings
from orchestrator.core.records import Approval, ApprovalStatus, Status
from orchestrator.core.steps.claim_reminders import claim_reminders
from tests.fakes.memory_world import BEN, OWNER, MemoryWorld, configuration, installation

HOUR = 3600


@pytest.fixture
def world() -> MemoryWorld:
    policy = replace(OWNER, reminders=Reminders(4, 3))
    stages = (
        StageSettings("dev", "2" * 12),
        StageSettings("staging", "3" * 12, policy),
        StageSettings("prod", "4" * 12),
    )
    return MemoryWorld(installation=installation(*stages))


def asked(world: MemoryWorld, **changes: Any) -> Approval:
    release = world.release(configuration(**changes))
    world.package(release.release_id)
    world.deploy(release.release_id, "dev")
    world.verify(release.release_id, "dev")
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")
    return world.approval(release.release_id, "staging")


def test_the_question_keeps_the_schedule_of_the_policies_as_they_are(world: MemoryWorld) -> None:
    own = {"staging": {"any_of": [{"risk": 1}], "reminders": {"after_hours": 2}}}
    assert asked(world, approval=own).reminders == Reminders(2, 3), "the earliest first one, and the fewest"
    world.installation = installation()
    assert asked(world, model_name="other").reminders == Reminders(8, 3), "where nothing is said"


def test_each_reminder_is_claimed_once_however_often_is_swept(world: MemoryWorld) -> None:
    approval = asked(world)
    world.clock.pass_seconds(3.9 * HOUR)
    assert world.sweep().reminded == 0
    world.clock.pass_seconds(0.2 * HOUR)
    assert [world.sweep().reminded for _ in range(3)] == [1, 0, 0]
    for _ in range(80):
        world.clock.pass_seconds(HOUR)
        world.sweep()
    assert len(world.approval(approval.release_id, "staging").reminded_at) == 3


def test_of_two_sweepers_at_once_one_claims_it(world: MemoryWorld) -> None:
    approval = asked(world)
    world.clock.pass_seconds(5 * HOUR)
    again: list[tuple[int, tuple[str, ...]]] = []

    class Racing:
        """Another sweeper claims between this one's reading and its writing."""

        def update(self, cls: type[Approval], key: tuple[str, str], change: Callable[[Approval], Approval]) -> Approval:
            if not again:
                again.append((0, ()))
                again[0] = claim_reminders([approval], store=world.store, now=world.clock)
            return world.store.update(cls, key, change)

    late = claim_reminders([approval], store=Racing(), now=world.clock)  # type: ignore[arg-type]
    assert (again[0][0], late[0]) == (1, 0)
    assert len(world.approval(approval.release_id, "staging").reminded_at) == 1


def test_nobody_is_reminded_once_it_is_decided(world: MemoryWorld) -> None:
    approval = asked(world)
    world.vote(BEN, approval)
    world.clock.pass_seconds(5 * HOUR)
    assert claim_reminders([approval], store=world.store, now=world.clock) == (0, ()), "the list of the sweep was old"
    assert world.approval(approval.release_id, "staging").reminded_at == ()


def test_nobody_is_reminded_once_it_has_expired(world: MemoryWorld) -> None:
    approval = asked(world)
    world.clock.pass_seconds(72 * HOUR)
    assert world.sweep().reminded == 0
    world.end(approval.release_id, Status.EXPIRED)
    assert world.approval(approval.release_id, "staging").status is ApprovalStatus.EXPIRED
    assert world.sweep().reminded == 0


def test_one_that_fails_keeps_no_other_from_its_reminder(world: MemoryWorld) -> None:
    first, second = asked(world), asked(world, model_name="other")
    world.clock.pass_seconds(5 * HOUR)

    class Broken:
        def update(self, cls: type[Approval], key: tuple[str, str], change: Callable[[Approval], Approval]) -> Approval:
            if key == first.key():
                raise RuntimeError("the table has no time")
            return world.store.update(cls, key, change)

    claimed, failures = claim_reminders([first, second], store=Broken(), now=world.clock)  # type: ignore[arg-type]
    assert claimed == 1
    assert failures == (f"reminder of {first.release_id} in staging: the table has no time",)


def test_the_ledger_tells_nothing_of_reminders(world: MemoryWorld) -> None:
    asked(world)
    before = len(world.ledgers.all("fraud-detector-realtime"))
    world.clock.pass_seconds(5 * HOUR)
    assert world.sweep().reminded == 1
    assert len(world.ledgers.all("fraud-detector-realtime")) == before


def test_what_the_settings_say_later_changes_no_open_question(world: MemoryWorld) -> None:
    approval = asked(world)
    policy = ApprovalPolicy(OWNER.any_of, reminders=Reminders(1, 9))
    world.installation = installation(*(replace(stage, approval=policy) for stage in world.installation.stages))
    world.clock.pass_seconds(2 * HOUR)
    assert world.sweep().reminded == 0
    assert world.approval(approval.release_id, "staging").reminders == Reminders(4, 3)
