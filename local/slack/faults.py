"""Slack's bad sides, switched on by `POST /_local/faults`, and the log of requests that `GET /_local/log` shows."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from local.slack.schema import Json

REORDER_WAIT: Final = 1.5  # seconds that a held click waits for a second one to overtake it

LISTS: Final = {"archived": "channel ids", "missing_scopes": "scopes", "deactivated": "user ids"}
"""Faults that name things, and what."""


@dataclass(frozen=True)
class Faults:
    """What is wrong just now. Everything off is the healthy Slack."""

    rate_limit: int = 0  # the next calls of the Web API answered 429
    retry_after: int = 1  # seconds told with a 429
    outage: bool = False  # the Web API and response URLs answer 503
    archived: tuple[str, ...] = ()  # ids of channels that are archived
    missing_scopes: tuple[str, ...] = ()  # scopes that the bot token does not have
    deactivated: tuple[str, ...] = ()  # ids of people whose accounts Slack calls deleted
    duplicate_clicks: bool = False  # every click is delivered twice, at the same time
    reorder_clicks: bool = False  # of two clicks, the second is delivered first
    slow_front: float = 0.0  # seconds added to the app's answer on its way back
    expired_triggers: bool = False  # trigger ids have expired when they arrive
    lost_clicks: int = 0  # the next clicks never reach the app

    def changed(self, wanted: Json) -> Faults:
        """A copy with the wanted values. Raises ValueError naming what is unknown or of the wrong type."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        values: dict[str, Any] = {}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"unknown fault {name}; known are {', '.join(known)}")
            if name in LISTS:
                if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                    raise ValueError(f"{name} must be a list of {LISTS[name]}")
                value = tuple(value)
            elif isinstance(known[name], bool) != isinstance(value, bool) or not isinstance(value, (bool, int, float)):
                raise ValueError(f"{name} must be {'true or false' if isinstance(known[name], bool) else 'a number'}")
            values[name] = value
        return replace(self, **values)


class FaultBox:
    """The faults in force, shared by all threads. `on_change` hears of every change, outside of the lock."""

    def __init__(self, on_change: Callable[[Faults], None] = lambda faults: None) -> None:
        self._on_change = on_change
        self._lock = threading.Condition()
        self._faults = Faults()
        self._held = False
        self._overtaken = False

    @property
    def now(self) -> Faults:
        with self._lock:
            return self._faults

    def change(self, wanted: Json) -> Faults:
        with self._lock:
            self._faults = self._faults.changed(wanted)
            self._lock.notify_all()
            faults = self._faults
        self._on_change(faults)
        return faults

    def spend(self, name: str) -> bool:
        """Whether one of the next `name` calls is hit, counting it."""
        with self._lock:
            left: int = getattr(self._faults, name)
            if left <= 0:
                return False
            faults = self._faults = self._faults.changed({name: left - 1})
        self._on_change(faults)
        return True

    @contextmanager
    def turn(self, on_held: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Around the sending of a click. With reorder_clicks on, the first is held here until a second was answered,
        or for a while; `on_held` hears of it."""
        with self._lock:
            reorder = self._faults.reorder_clicks
            overtaking, self._held = self._held, reorder and not self._held
            self._overtaken = self._overtaken and not self._held
        if reorder and not overtaking:
            on_held()
            with self._lock:
                self._lock.wait_for(lambda: self._overtaken, REORDER_WAIT)
                self._held = self._overtaken = False
        try:
            yield
        finally:
            if overtaking:
                with self._lock:
                    self._overtaken = True
                    self._lock.notify_all()


class RequestLog:
    """The last requests in both directions, without credentials."""

    def __init__(self) -> None:
        self._rows: deque[Json] = deque(maxlen=2_000)
        self._lock = threading.Lock()
        self._seq = 0

    def add(self, direction: str, what: str, **details: Any) -> None:
        """`direction` is web_api, response_url or to_app; `what` the method or the payload's type."""
        with self._lock:
            self._seq += 1
            self._rows.append({"seq": self._seq, "at": time.time(), "direction": direction, "what": what, **details})

    def rows(self) -> list[Json]:
        with self._lock:
            return list(self._rows)
