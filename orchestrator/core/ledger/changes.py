"""A change of a row, as the table's stream tells it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from orchestrator.core.records import Approval, Record, Release, StageRecord

TOLD: Final = (Release, StageRecord, Approval)
"""Rows whose changes the ledger tells; waits, claims, messages and the ledger's own rows are none of them."""


@dataclass(frozen=True)
class Change:
    """One write of one row."""

    key: tuple[str, str]
    """Partition key and sort key."""
    number: str
    """The stream's sequence number: the same whenever this change is delivered."""
    at: str
    """When the table took it (ISO 8601, UTC; whole seconds)."""
    before: Record | None
    """None for a row that was new."""
    after: Record | None
    """None for a row that was deleted."""
    revision_before: int = 0
    revision: int = 0
    release_id: str = ""
    """The release that the row is of."""

    @property
    def altered(self) -> bool:
        """Whether this is no write of the product: each of those raises the row's revision by one, the first to 1, and
        leaves it of its kind."""
        if self.after is None:
            return False
        of_another_kind = self.before is not None and type(self.before) is not type(self.after)
        return of_another_kind or self.revision != self.revision_before + 1

    @property
    def told(self) -> bool:
        """Whether the ledger tells of this row, by what it is or what it was."""
        return isinstance(self.before, TOLD) or isinstance(self.after, TOLD)

    def told_as(self, *what: str) -> str:
        """Key of one thing that this change tells: SHA-256 (hex)."""
        parts = (*self.key, str(self.revision), self.number, *what)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()
