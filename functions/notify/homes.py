"""People who have opened the app's Home in Slack see there what the batch has changed: the Slack worker draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from functions.notify.batch import touched
from orchestrator.core.opened_homes import GROUP, LISTING, OpenedHome, Redraw, changed_event
from orchestrator.core.ports import Clock, Store
from orchestrator.core.steps.progress import read_stamp, stamp
from orchestrator.core.upsert import upsert

Send = Callable[[str, str, str], None]
"""A message, its group, and what makes it this one, onto the worker's queue."""


BEGINS_WITHIN = timedelta(minutes=1)
"""Of a round that was asked for longer ago nobody knows whether it will come; it is asked for anew."""


def wake_homes(records: Sequence[Mapping[str, Any]], store: Store, send: Send, now: Clock) -> bool:
    """Have Homes drawn anew, once for the whole batch; whether that was asked of the worker.

    It is not where nobody looks at one, nor while a round waits to begin that will see this batch too: clicks share the
    worker with Homes, and must not stand behind a round for every change.
    """
    sequences = touched(records).values()
    if not sequences or not store.listed(OpenedHome, LISTING, limit=1, newest_first=True):
        return False
    moment = now()
    mine = Redraw(stamp(moment))

    def ask(found: Redraw) -> Redraw:
        waits = found.asked_at and read_stamp(found.asked_at) > moment - BEGINS_WITHIN
        return found if waits else mine

    before = store.get(Redraw, mine.key()) or Redraw()
    if ask(before) is before or upsert(store, Redraw(), ask) != mine:
        return False
    # The stream delivers a batch again when a message could not be sent: that changes no Home.
    send(changed_event(), GROUP, f"{GROUP}-{min(sequences)}")
    return True
