"""Whose messages are drawn anew when a release ends: those of what it replaced, if there are any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.outbox import ChatMessage
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.replaced import replaced_by
from tests.fakes.memory_world import MemoryWorld

BEFORE, BACK_TO = "model-realtime-1111111111", "model-realtime-0000000000"


@pytest.fixture
def world() -> MemoryWorld:
    """Both earlier releases have a message in Slack."""
    world = MemoryWorld()
    for name in (BEFORE, BACK_TO):
        world.memory.insert(ChatMessage(name, channel="C0RELEASES", ts="1.000000"))
    return world


def ended(world: MemoryWorld, status: Status, **changes: Any) -> str:
    release = world.release()
    world.store.update(Release, release.key(), lambda one: replace(one, status=status, **changes))
    return release.release_id


@pytest.mark.parametrize("status", [status for status in Status if status.ended])
def test_what_was_live_before_and_what_it_went_back_to(world: MemoryWorld, status: Status) -> None:
    name = ended(world, status, before=BEFORE, goes_back_to=BACK_TO)
    assert replaced_by(name, world.store) == (BEFORE, BACK_TO)


def test_one_that_is_both_is_named_once(world: MemoryWorld) -> None:
    name = ended(world, Status.SUCCEEDED, before=BEFORE, goes_back_to=BEFORE)
    assert replaced_by(name, world.store) == (BEFORE,)


@pytest.mark.parametrize("status", [status for status in Status if not status.ended])
def test_nothing_before_the_end(world: MemoryWorld, status: Status) -> None:
    assert replaced_by(ended(world, status, before=BEFORE), world.store) == ()


def test_nobody_hears_now_of_what_was_never_told(world: MemoryWorld) -> None:
    world.memory.insert(ChatMessage("unsaid-0000000000"))
    for other in ("", "nowhere-0000000000", "unsaid-0000000000"):
        assert replaced_by(ended(world, Status.SUCCEEDED, before=other), world.store) == ()
    assert replaced_by("nowhere-0000000000", world.store) == ()
