"""One call's turn at sending to Slack: a lease, the pace that Slack allows, and the pauses that it asks for.

Slack counts for each workspace. So one call sends at a time, whatever wakes it, and what it has spent stands in the
table for the next one. A pace is kept by waiting a second or so between two calls; what takes longer (a Retry-After, an
outage) is not waited for but put off: nobody calls Slack before it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.core.errors import ChatPutOff
from orchestrator.core.outbox import Sender
from orchestrator.core.ports import Clock, Store
from orchestrator.core.steps.progress import read_stamp, stamp
from orchestrator.core.upsert import upsert

HOLD = timedelta(seconds=90)
"""How long a turn lasts unless it is taken anew, which happens between two releases. Who holds it longer has died."""

RENEWED = timedelta(seconds=65)
"""A turn that lasts for less is taken anew: a write in half a minute, not one a release."""

BRIEF = 2.0
"""Seconds that are waited for within a call: longer ones are put off, since a waiting function is paid for."""

OUT_OF_REACH = (BRIEF, 5.0, 20.0)
"""Seconds without a call after the first failure, the second in a row, and every other one."""


@dataclass(frozen=True)
class Limit:
    """So many calls at once, and then one in so many seconds."""

    burst: int
    every: float


POSTS = Limit(3, 1.0)
"""One a second and channel, with short bursts (docs.slack.dev/apis/web-api/rate-limits, "Posting messages"). Channels
are counted together: nearly everything goes to one, which we call by its name at first and then by its id."""

TIER_3 = Limit(10, 1.5)
"""Fifty a minute (the same page, "Web API Tier 3": chat.update and most others): in no minute are there more."""

LIMITS: Mapping[str, Limit] = {"chat.postMessage": POSTS}


class TurnOver(Exception):
    """The turn was held for too long, and somebody else sends."""


class Sending:
    """See the module. Fulfils ``ports.Pace``."""

    def __init__(self, *, store: Store, now: Clock, pause: Callable[[float], None], holder: str, pace: int = 1) -> None:
        """``holder`` is unique to this call; ``pace`` how many times Slack's published rates are allowed."""
        self._store = store
        self._now = now
        self._pause = pause
        self._holder = holder
        self._pace = pace
        self._row = Sender()
        self._ready: dict[str, datetime] = {}

    # -- the turn ------------------------------------------------------------------------------------------------

    def take(self) -> bool:
        """Become the one who sends; False where somebody else does, who will look at the outbox once more."""

        def taken(row: Sender) -> Sender:
            moment = self._now()
            if row.held_by and moment < read_stamp(row.held_until):
                return replace(row, knocks=row.knocks + 1)
            return replace(row, held_by=self._holder, held_until=stamp(moment + HOLD))

        try:
            self._row = self._store.update(Sender, Sender().key(), taken)
        except KeyError:
            self._row = upsert(self._store, Sender(), taken)
        self._ready = {name: read_stamp(ready) for name, ready in self._row.ready}
        return self._row.held_by == self._holder

    def keep(self) -> None:
        """Hold the turn for longer, and see who has knocked; raises ``TurnOver`` when it is lost.

        Who looks at the outbox after this sees everything that was noted before a knock."""

        def kept(row: Sender) -> Sender:
            moment = self._now()
            long = read_stamp(row.held_until) - moment > RENEWED
            return row if long else replace(row, held_until=stamp(moment + HOLD))

        self._write(kept)

    def end(self, *, unheard: bool = False) -> bool:
        """Let the next one send; False, with the turn kept, when somebody has knocked since the last ``keep``.

        ``unheard``: go all the same."""
        known = self._row.knocks

        def ended(row: Sender) -> Sender:
            if row.knocks != known and not unheard:
                return row
            moment = self._now()
            ready = tuple(sorted((name, stamp(when)) for name, when in self._ready.items() if when > moment))
            return replace(row, held_by="", held_until="", ready=ready)

        self._write(ended)
        return not self._row.held_by

    def _write(self, change: Callable[[Sender], Sender]) -> None:
        def changed(row: Sender) -> Sender:
            if row.held_by != self._holder:
                raise TurnOver("another call sends to Slack by now")
            return change(row)

        self._row = self._store.update(Sender, Sender().key(), changed)

    # -- the pace ------------------------------------------------------------------------------------------------

    def before(self, method: str) -> None:
        """See ``ports.Pace``."""
        if self.closed_for > 0:
            raise ChatPutOff(self.closed_for)
        limit = LIMITS.get(method, TIER_3)
        every = timedelta(seconds=limit.every / self._pace)
        moment = self._now()
        ready = max(self._ready.get(method, moment), moment)
        early = ready - (limit.burst - 1) * every - moment
        if early > timedelta(0):
            self._pause(min(early, every).total_seconds())
        self._ready[method] = max(ready, self._now()) + every

    def slower(self, seconds: float) -> None:
        """See ``ports.Pace``."""
        self.put_off(max(seconds, 1.0))

    @property
    def closed_for(self) -> float:
        """Seconds for which Slack may not be called; nothing, or less, when it may."""
        if not self._row.not_before:
            return 0.0
        return (read_stamp(self._row.not_before) - self._now()).total_seconds()

    def put_off(self, seconds: float) -> None:
        """No call of Slack for so long; written at once, for whoever sends next."""
        until = stamp(self._now() + timedelta(seconds=seconds))
        self._write(lambda row: replace(row, not_before=max(row.not_before, until)))

    def out_of_reach(self) -> None:
        """A call did not reach Slack: the next is made after a while, after a longer one if that fails too."""
        failures = self._row.failures
        self._write(lambda row: replace(row, failures=failures + 1))
        self.put_off(OUT_OF_REACH[min(failures, len(OUT_OF_REACH) - 1)])

    def reached(self) -> None:
        """Slack has answered."""
        if self._row.failures:
            self._write(lambda row: replace(row, failures=0))

    def wait_if_brief(self) -> None:
        """Wait for the end of a pause that is over soon."""
        if 0 < self.closed_for <= BRIEF:
            self._pause(self.closed_for)
