"""Is this ledger what was appended? Pure, so that it runs where the auditor is: nothing that was said is believed.

Every hash is computed anew from the entry's own content. The first broken row is named by its sequence number. What a
chain alone cannot show is that all of it was written anew, by somebody with the right to: for that an ``Anchor``, a
hash that was noted earlier and elsewhere (an export, the log of the appending function), is held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orchestrator.core.ledger.chain import FORMAT, GENESIS, MEMBERS, Head, canonical, digest


class Fault(StrEnum):
    """What is wrong with a row."""

    UNREADABLE = "unreadable"
    MISSING = "missing"
    OUT_OF_PLACE = "out_of_place"
    OF_ANOTHER_LEDGER = "of_another_ledger"
    CONTENT_CHANGED = "content_changed"
    REWRITTEN = "rewritten"
    NO_HEAD = "no_head"
    AFTER_THE_HEAD = "after_the_head"
    NOT_AS_NOTED = "not_as_noted"


@dataclass(frozen=True)
class Row:
    """An entry as it was read: nothing about it is certain."""

    sequence: int
    """Where it was found."""
    hash: str
    """What was stored with it."""
    entry: object
    """Its parsed JSON."""


@dataclass(frozen=True)
class Anchor:
    """The hash of an entry, as it was noted at another time."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Broken:
    """The first row that is not as it should be."""

    sequence: int
    fault: Fault
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What came of verifying."""

    entries: int
    """Rows that were looked at."""
    head: Head | None
    """The last entry that is sound; None where there is none."""
    broken: Broken | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing is broken."""
        return self.broken is None


def row_of(found: object) -> Row:
    """An entry as the API or a file has it; what it should be and is not, ``verify`` tells."""
    if not isinstance(found, Mapping):
        return Row(0, "", None)
    sequence, stored = found.get("sequence"), found.get("hash")
    number = sequence if isinstance(sequence, int) and not isinstance(sequence, bool) else 0
    return Row(number, stored if isinstance(stored, str) else "", found.get("entry"))


def head_of(found: object) -> Head | None:
    """A head, likewise; None for what is none."""
    if not isinstance(found, Mapping):
        return None
    row = row_of(found)
    return Head(row.sequence, row.hash) if row.hash else None


def verify(ledger: str, rows: Iterable[Row], head: Head | None, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Verify a whole ledger, from its first entry to its head."""
    last = Head()
    looked_at = 0
    noted = {anchor.sequence: anchor.hash for anchor in anchors}
    for row in rows:
        looked_at += 1
        broken = _broken(ledger, row, last, head)
        if broken is None and noted.get(row.sequence, row.hash) != row.hash:
            broken = Broken(row.sequence, Fault.NOT_AS_NOTED, "its hash is not the one that was noted earlier")
        if broken is not None:
            return Verdict(looked_at, last if last.sequence else None, broken)
        last = Head(row.sequence, row.hash)
    broken = _broken_end(last, head) or _unmet(noted, last)
    return Verdict(looked_at, last if last.sequence else None, broken)


def _broken(ledger: str, row: Row, last: Head, head: Head | None) -> Broken | None:
    expected = last.sequence + 1
    if row.sequence > expected:
        return _missing(expected, row.sequence - 1)
    if row.sequence < expected:
        return Broken(row.sequence, Fault.OUT_OF_PLACE, f"it is found again, where entry {expected} should be")
    entry = row.entry
    if not isinstance(entry, Mapping) or not _well_formed(entry):
        return Broken(row.sequence, Fault.UNREADABLE, f"it is no entry of format {FORMAT}")
    try:
        found = digest(canonical(entry))
    except (TypeError, ValueError, RecursionError):
        return Broken(row.sequence, Fault.UNREADABLE, "it has a value that no entry has")
    if found != row.hash:
        return Broken(row.sequence, Fault.CONTENT_CHANGED, "its content is not what its hash was made of")
    if entry["ledger"] != ledger:
        return Broken(row.sequence, Fault.OF_ANOTHER_LEDGER, f"it is an entry of {entry['ledger']}")
    if entry["sequence"] != row.sequence:
        return Broken(row.sequence, Fault.OUT_OF_PLACE, f"it was written as entry {entry['sequence']}")
    if entry["previous"] != last.hash:
        return _not_followed(row.sequence)
    if head is not None and row.sequence > head.sequence:
        return Broken(row.sequence, Fault.AFTER_THE_HEAD, f"the ledger's head is entry {head.sequence}")
    return None


def _not_followed(sequence: int) -> Broken:
    """An entry names another hash than the one before it has: that is not the one that it was written after."""
    if sequence == 1:
        return Broken(1, Fault.MISSING, "the first entry follows another one, which is missing")
    return Broken(
        sequence - 1, Fault.REWRITTEN, f"entry {sequence} was written after another entry {sequence - 1} than this one"
    )


def _broken_end(last: Head, head: Head | None) -> Broken | None:
    if head is None:
        if last.sequence == 0:
            return None
        return Broken(last.sequence, Fault.NO_HEAD, "the ledger's head is missing, so that later entries may be too")
    if head.sequence > last.sequence:
        return _missing(last.sequence + 1, head.sequence)
    if head.hash != (last.hash if last.sequence else GENESIS):
        return Broken(last.sequence, Fault.REWRITTEN, "the ledger's head names another hash for it")
    return None


def _unmet(noted: Mapping[int, str], last: Head) -> Broken | None:
    """A noted entry that the ledger does not have."""
    lacking = sorted(sequence for sequence in noted if not 1 <= sequence <= last.sequence)
    if not lacking:
        return None
    return Broken(lacking[0], Fault.MISSING, "it was noted earlier, and the ledger ends before it")


def _missing(first: int, last: int) -> Broken:
    what = "it is missing" if first == last else f"it is missing, and so are all up to entry {last}"
    return Broken(first, Fault.MISSING, what)


def _well_formed(entry: Mapping[str, Any]) -> bool:
    return (
        set(entry) == set(MEMBERS)
        and entry["format"] == FORMAT
        and all(
            isinstance(entry[name], types) and not (int in types and isinstance(entry[name], bool))
            for name, types in MEMBERS.items()
        )
    )
