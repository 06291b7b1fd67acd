"""Functions that die, and functions that stand still: what happens right after the k-th call of a port.

A function that dies raises ``Died`` when its call has had its effect. While one stands still, something else happens,
from its beginning to its end, as when two functions run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.machine import Died
from tests.fakes.memory_world import MemoryWorld


class Countdown:
    """Counts calls over all ports together; after the last of them it dies, or lets something else happen."""

    def __init__(self, calls: int, meanwhile: Callable[[], object] | None = None) -> None:
        self.left = calls
        self.made: list[str] = []
        self._meanwhile = meanwhile

    def count(self, name: str) -> None:
        """One call more was made; its effect has happened."""
        self.made.append(name)
        self.left -= 1
        if self.left == 0 and self._meanwhile is not None:
            self._meanwhile()
        elif self.left == 0:
            raise Died(name)


class DyingPort:
    """Passes every call on to a port and counts it afterwards."""

    def __init__(self, port: object, countdown: Countdown) -> None:
        self._port = port
        self._countdown = countdown

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            self._countdown.count(f"{type(self._port).__name__}.{name}")
            return answer

        return call


class DyingAccounts:
    """Counts the calls of each stage's ports, not the making of the ports."""

    def __init__(self, accounts: Any, countdown: Countdown) -> None:
        self._accounts = accounts
        self._countdown = countdown

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *stage: DyingPort(getattr(self._accounts, name)(*stage), self._countdown)


@contextmanager
def dying_after(world: MemoryWorld, calls: int) -> Iterator[Countdown]:
    """Within, the world's ports die after this many calls."""
    with _counted(world, Countdown(calls)) as countdown:
        yield countdown


@contextmanager
def standing_still_after(world: MemoryWorld, calls: int, meanwhile: Callable[[], object]) -> Iterator[Countdown]:
    """Within, something else happens after this many calls: once, and whole."""
    with _counted(world, Countdown(calls, meanwhile)) as countdown:
        yield countdown


@contextmanager
def _counted(world: MemoryWorld, countdown: Countdown) -> Iterator[Countdown]:
    kept = world.store, world.objects, world.accounts, world.tasks
    wrapped: list[Any] = [DyingPort(world.store, countdown), DyingPort(world.objects, countdown)]
    wrapped += [DyingAccounts(world.accounts, countdown), DyingPort(world.tasks, countdown)]
    world.store, world.objects, world.accounts, world.tasks = wrapped
    try:
        yield countdown
    finally:
        world.store, world.objects, world.accounts, world.tasks = kept
