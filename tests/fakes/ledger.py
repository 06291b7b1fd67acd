"""The ledgers in memory, and verified as whoever reads them would."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.core.ledger.chain import Head, Sealed
from orchestrator.core.ledger.ports import Appended
from orchestrator.core.ledger.rows import EntryRow
from orchestrator.core.ledger.verification import Row, Verdict, verify


class MemoryLedgers:
    """``Ledgers`` in dicts. What the ``heads`` and ``entries`` hold may be tampered with."""

    def __init__(self) -> None:
        self.heads: dict[str, Head] = {}
        self.entries: dict[str, dict[int, EntryRow]] = {}
        self.marks: set[tuple[str, str]] = set()
        self.before_append: Callable[[], object] | None = None
        """Slips a rival's entry between reading the head and the next append."""

    def head(self, ledger: str) -> Head | None:
        """See ``Ledgers``."""
        return self.heads.get(ledger)

    def append(self, ledger: str, sealed: Sealed, before: Head | None) -> Appended:
        """See ``Ledgers``."""
        rival, self.before_append = self.before_append, None
        if rival is not None:
            rival()
        if (ledger, sealed.change) in self.marks:
            return Appended.TOLD_BEFORE
        entries = self.entries.setdefault(ledger, {})
        if self.heads.get(ledger) != before or sealed.sequence in entries:
            return Appended.OVERTAKEN
        entries[sealed.sequence] = EntryRow(ledger, sealed.sequence, sealed.hash, sealed.text)
        self.marks.add((ledger, sealed.change))
        self.heads[ledger] = sealed.head
        return Appended.APPENDED

    def page(self, ledger: str, after: int, limit: int) -> Sequence[EntryRow]:
        """See ``Ledgers``."""
        found = sorted(self.entries.get(ledger, {}).items())
        return tuple(row for sequence, row in found if sequence > after)[:limit]

    # For a test's own eyes.

    def all(self, ledger: str) -> list[dict[str, Any]]:
        """Every entry, in order."""
        return [json.loads(row.text) for row in self.page(ledger, 0, 10**6)]

    def verdict(self, ledger: str) -> Verdict:
        """What verifying says."""
        return verify(ledger, map(read, self.page(ledger, 0, 10**6)), self.head(ledger))


def read(row: EntryRow) -> Row:
    """A row as whoever verifies has read it."""
    return Row(row.sequence, row.hash, json.loads(row.text))


def told(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each entry in a few words: ``prod vote approve``."""
    return [" ".join(filter(None, (entry["stage"], entry["kind"], entry["outcome"]))) for entry in entries]
