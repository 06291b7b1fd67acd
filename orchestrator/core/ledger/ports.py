"""What ledgers need from the table: ``orchestrator/aws/ledger.py`` fulfils it, ``tests/fakes/ledger.py`` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from orchestrator.core.ledger.chain import Head, Sealed
from orchestrator.core.ledger.rows import EntryRow


class Appended(StrEnum):
    """What came of an attempt to append."""

    APPENDED = "appended"
    TOLD_BEFORE = "told_before"
    """The change stands in the ledger already."""
    OVERTAKEN = "overtaken"
    """Somebody else appended since the head was read, or the rows beyond the head are not what they should be."""


class Ledgers(Protocol):
    """The ledgers of one installation. Every method may raise what ``ports.Store`` may."""

    def head(self, ledger: str) -> Head | None:
        """The end of the chain (strongly consistent); None where there is no head."""
        ...

    def append(self, ledger: str, sealed: Sealed, before: Head | None) -> Appended:
        """Write entry, mark and head together or not at all, if the head is still ``before``."""
        ...

    def page(self, ledger: str, after: int, limit: int) -> Sequence[EntryRow]:
        """Entries after a sequence number, in order; at most so many, and perhaps fewer. Empty where there is none."""
        ...
