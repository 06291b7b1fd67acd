"""A row that is there afterwards, whoever made it: inserted where there is none, then changed conditionally."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from orchestrator.core.errors import Conflict
from orchestrator.core.ports import R, Store
from orchestrator.core.records import Record


def insert_once(store: Store, record: Record) -> None:
    """Insert the row; one that stands there already stays as it is."""
    with suppress(Conflict):
        store.insert(record)


def upsert(store: Store, fresh: R, change: Callable[[R], R]) -> R:
    """Insert ``fresh`` where there is no such row, then ``change`` what stands; what stands after that.

    ``change`` sees the fresh row too: it should leave that one as it is.
    """
    insert_once(store, fresh)
    return store.update(type(fresh), fresh.key(), change)
