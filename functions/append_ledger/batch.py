"""One batch of the table's stream: each change told in order, and what has to be delivered again.

Of a release nothing is told after a change that could not be: it is delivered again with everything that follows, and
what was told by then is not told twice. Other releases go on. A change that nobody here can read (a row of a version
that is not deployed yet, or written by hand) is waited for, and after some hours told as just that: it must not hold up
the others until the stream, which remembers a day, has forgotten them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from orchestrator.aws.ledger import bare_change_of, change_of, created_at
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.ledger.changes import Change
from orchestrator.core.steps.append_ledger import Noted
from orchestrator.core.steps.progress import read_stamp

PATIENCE = timedelta(hours=6)
"""For a change that cannot be read: time to deploy what can."""

Append = Callable[[Change], Noted]
Failed = Callable[[Change, Exception], None]
"""Told of each change that has to be looked at again."""


def append_batch(
    records: Sequence[Mapping[str, Any]], append: Append, append_unreadable: Append, failed: Failed, now: datetime
) -> dict[str, Any]:
    """Tell each change; Lambda repeats the batch from the lowest sequence number that is reported."""
    failures: list[str] = []
    held: set[str] = set()
    for row in records:
        bare = bare_change_of(row)
        if bare.release_id in held:
            failures.append(bare.number)
            continue
        try:
            _append(row, bare, append, append_unreadable, now)
        except Exception as error:
            failures.append(bare.number)
            held.add(bare.release_id)
            failed(bare, error)
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failures]}


def _append(row: Mapping[str, Any], bare: Change, append: Append, append_unreadable: Append, now: datetime) -> None:
    try:
        change = change_of(row)
        if change.told:
            append(change)
    except OrchestratorError:
        raise  # AWS's refusals and lost races: the next delivery may fare better, however late
    except Exception:
        if now - read_stamp(created_at(row)) < PATIENCE:
            raise
        append_unreadable(bare)
