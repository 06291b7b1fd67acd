"""The ledger's rows of the table: entries, one mark for each change that has been told, and the head.

All three of a ledger stand in one partition, whose key begins with ``PARTITION``: IAM's condition
``dynamodb:LeadingKeys`` holds every function off such rows but the one that appends, and that one may put rows only. An
entry and a mark are put once, on the condition that they are not there; the head alone is put anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

PARTITION = "LEDGER#"
"""Begins the partition key of every row of every ledger, and of nothing else."""

ENTRIES = "ENTRY#"
"""Begins the sort key of an entry."""

HEAD = "HEAD"


def partition(ledger: str) -> str:
    """Partition key of a ledger's rows."""
    return f"{PARTITION}{ledger}"


def place(sequence: int) -> str:
    """Sort key of an entry: sorts as the numbers do."""
    return f"{ENTRIES}{sequence:012d}"


@dataclass(frozen=True)
class EntryRow:
    """One entry."""

    KIND: ClassVar[str] = "ledger_entry"
    ledger: str
    sequence: int
    hash: str
    text: str
    """Its canonical JSON."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return partition(self.ledger), place(self.sequence)

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class MarkRow:
    """A change has been told: its second delivery finds this."""

    KIND: ClassVar[str] = "ledger_mark"
    ledger: str
    change: str
    sequence: int

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return partition(self.ledger), f"CHANGE#{self.change}"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class HeadRow:
    """The end of the chain."""

    KIND: ClassVar[str] = "ledger_head"
    ledger: str
    sequence: int
    hash: str

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return partition(self.ledger), HEAD

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None
