"""People who have opened the app's Home in Slack see there what the batch has changed: the Slack worker draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.notify.batch import touched
from orchestrator.core.opened_homes import GROUP, LISTING, OpenedHome, changed_event
from orchestrator.core.ports import Store

Send = Callable[[str, str, str], None]
"""A message, its group, and what makes it this one, onto the worker's queue."""


def wake_homes(records: Sequence[Mapping[str, Any]], store: Store, send: Send) -> bool:
    """Have Homes drawn anew, once for the whole batch; whether there is anybody who looks at one."""
    sequences = touched(records).values()
    if not sequences or not store.listed(OpenedHome, LISTING, limit=1, newest_first=True):
        return False
    # The stream delivers a batch again when a message could not be sent: that changes no Home.
    send(changed_event(), GROUP, f"{GROUP}-{min(sequences)}")
    return True
