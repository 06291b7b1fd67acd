"""Append to the ledger what a change of a row tells: the only writer of ledgers.

One transaction writes the entry, a mark of the change it tells, and the ledger's head, on the condition that the head
is still the one that the entry was sealed after and that the change has no mark yet. So a change that is delivered
twice, late, or to two functions at once is told once, and a function that dies after any line has told it or has not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.core.errors import Conflict, UnknownRelease
from orchestrator.core.installation import Installation
from orchestrator.core.ledger.chain import REQUESTS, Draft, Head, seal
from orchestrator.core.ledger.changes import Change
from orchestrator.core.ledger.entries import drafts, unreadable
from orchestrator.core.ledger.ports import Appended, Ledgers
from orchestrator.core.ledger.setting import Setting, ledger_of
from orchestrator.core.ports import Clock, Store
from orchestrator.core.records import Release
from orchestrator.core.steps.progress import release_of, stamp

ATTEMPTS = 20
"""Lost races before it is left to the next delivery: a ledger is written by one release's changes at a time."""

PAUSE_SECONDS = 0.05
"""After a lost race, times the number of the attempt."""


@dataclass(frozen=True)
class Noted:
    """What came of one change."""

    ledger: str
    heads: tuple[Head, ...] = ()
    """The chain's end after each entry that was appended: noted in the log, they are anchors beside the table."""
    told_before: int = 0
    """Entries that an earlier delivery had appended."""


def append_ledger(
    change: Change,
    *,
    store: Store,
    ledgers: Ledgers,
    installation: Installation,
    now: Clock,
    pause: Callable[[float], None],
) -> Noted:
    """Append everything that a change tells; raises ``Conflict`` where it lost twenty races.

    Where the row is of a release whose own row is gone by now, which workload it was of cannot be known any more: then
    it is told that there was a change.
    """
    known = [record for record in (change.after, change.before) if isinstance(record, Release)]
    try:
        release = known[0] if known else release_of(store, change.release_id)
    except UnknownRelease:
        return append_unreadable(change, store=store, ledgers=ledgers, now=now, pause=pause)
    setting = Setting(release, installation)
    return _append_all(setting.ledger, drafts(change, setting), ledgers, now, pause)


def append_unreadable(
    change: Change, *, store: Store, ledgers: Ledgers, now: Clock, pause: Callable[[float], None]
) -> Noted:
    """Append that there was a change which could not be read, so that what comes after it can be told."""
    return _append_all(_ledger_of(change, store), (unreadable(change),), ledgers, now, pause)


def _ledger_of(change: Change, store: Store) -> str:
    """Where it belongs; its release may be as unreadable as the row itself."""
    try:
        return ledger_of(release_of(store, change.release_id))
    except (UnknownRelease, LookupError, TypeError, ValueError):
        return REQUESTS


def _append_all(
    ledger: str, told: tuple[Draft, ...], ledgers: Ledgers, now: Clock, pause: Callable[[float], None]
) -> Noted:
    appended = [_append(ledger, draft, ledgers, now, pause) for draft in told]
    heads = tuple(head for head in appended if head is not None)
    return Noted(ledger, heads, len(told) - len(heads))


def _append(ledger: str, draft: Draft, ledgers: Ledgers, now: Clock, pause: Callable[[float], None]) -> Head | None:
    """The chain's new end; None where the change was told before."""
    for attempt in range(1, ATTEMPTS + 1):
        before = ledgers.head(ledger)
        sealed = seal(draft, ledger, before or Head(), stamp(now()))
        match ledgers.append(ledger, sealed, before):
            case Appended.APPENDED:
                return sealed.head
            case Appended.TOLD_BEFORE:
                return None
            case Appended.OVERTAKEN:
                pause(PAUSE_SECONDS * attempt)
    raise Conflict(
        f"nothing could be appended to the ledger of {ledger} after its head in {ATTEMPTS} attempts; "
        "`mlops audit --verify` tells whether rows stand where none should"
    )
