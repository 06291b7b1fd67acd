"""Homes are drawn anew after changes: one round for all that change before it begins, another for what comes later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.notify.homes import wake_homes
from orchestrator.core.opened_homes import GROUP, changed_event
from tests.fakes.memory_world import BEN
from tests.slack_app.test_notify_batch import BATCH
from tests.steps.test_publish_home import Scene


@dataclass
class Woken:
    """A world whose stream asks the worker for rounds through the Homes."""

    scene: Scene = field(default_factory=Scene)
    sent: list[tuple[str, ...]] = field(default_factory=list)

    def wake(self, batch: Sequence[Mapping[str, Any]] = BATCH) -> bool:
        world = self.scene.world
        return wake_homes(batch, world.store, lambda *message: self.sent.append(message), world.clock)


@pytest.fixture
def woken() -> Woken:
    """Ben has opened his Home."""
    woken = Woken()
    woken.scene.open(BEN)
    return woken


def test_once_for_a_batch_where_somebody_has_opened_one(woken: Woken) -> None:
    assert Woken().wake() is False
    assert woken.wake(BATCH[4:]) is False, "nothing that a Home shows"
    assert woken.wake() is True
    assert woken.sent == [(changed_event(), GROUP, "homes-1")]


def test_not_again_before_the_round_has_begun(woken: Woken) -> None:
    for rounds in (1, 2, 3):
        assert [woken.wake() for _ in range(20)] == [True] + [False] * 19
        assert len(woken.sent) == rounds
        woken.scene.refresh()


def test_what_changes_while_a_round_draws_has_another(woken: Woken) -> None:
    woken.wake()
    woken.scene.ask()
    asked: list[bool] = []
    woken.scene.homes.before_publish = lambda: asked.append(woken.wake())
    assert woken.scene.refresh() == (1, 0, 0)
    assert asked == [True]


def test_a_round_that_never_began_is_asked_for_anew(woken: Woken) -> None:
    """Whoever asked for it died before the message was on the queue, or the worker is broken."""
    assert woken.wake() is True
    woken.scene.world.clock.pass_seconds(55)
    assert woken.wake() is False
    woken.scene.world.clock.pass_seconds(10)
    assert woken.wake() is True
