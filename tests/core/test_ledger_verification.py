"""Verifying a ledger: whatever is done to it, the first broken row is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.ledger.chain import GENESIS, Draft, EntryKind, Head, canonical, digest, seal
from orchestrator.core.ledger.verification import (
    Anchor,
    Fault,
    Row,
    Verdict,
    head_of,
    row_of,
    verify,
)

MOMENT = "2026-03-01T12:00:00.000Z"
LENGTH = 7


def chain(length: int = LENGTH, ledger: str = "fraud") -> list[Row]:
    """A sound ledger."""
    rows, head = [], Head()
    for number in range(1, length + 1):
        draft = Draft(EntryKind.VOTE, f"change-{number}", MOMENT, "r", reason=f"reason {number}", facts={"n": number})
        sealed = seal(draft, ledger, head, MOMENT)
        rows.append(Row(sealed.sequence, sealed.hash, json.loads(sealed.text)))
        head = sealed.head
    return rows


def head_after(rows: list[Row]) -> Head:
    return Head(rows[-1].sequence, rows[-1].hash) if rows else Head()


def changed(row: Row, *, resealed: bool = False, **members: Any) -> Row:
    """The row with other members; resealed, its hash is made to fit."""
    entry = {**row.entry, **members}  # type: ignore[dict-item]
    return Row(row.sequence, digest(canonical(entry)) if resealed else row.hash, entry)


def checked(rows: list[Row], head: Head | None) -> tuple[int, Fault]:
    """The first broken row, and what is wrong with it."""
    broken = verify("fraud", rows, head).broken
    assert broken is not None
    assert broken.sentence
    return broken.sequence, broken.fault


@pytest.mark.parametrize("length", [0, 1, 2, 50])
def test_a_ledger_that_nobody_touched_is_sound(length: int) -> None:
    rows = chain(length)
    head = head_after(rows) if rows else None
    assert verify("fraud", rows, head) == Verdict(length, head)


def without(rows: list[Row], number: int) -> list[Row]:
    return [row for row in rows if row.sequence != number]


def with_row(rows: list[Row], row: Row) -> list[Row]:
    return [row if one.sequence == row.sequence else one for one in rows]


Tampering = Callable[[list[Row]], list[Row]]

ROWS: dict[str, tuple[Tampering, tuple[int, Fault]]] = {
    "content": (lambda rows: with_row(rows, changed(rows[2], reason="another")), (3, Fault.CONTENT_CHANGED)),
    "a fact": (lambda rows: with_row(rows, changed(rows[2], facts={"n": 4})), (3, Fault.CONTENT_CHANGED)),
    "stored hash": (lambda rows: with_row(rows, replace(rows[2], hash="f" * 64)), (3, Fault.CONTENT_CHANGED)),
    "content and hash": (
        lambda rows: with_row(rows, changed(rows[2], resealed=True, reason="another")),
        (3, Fault.REWRITTEN),
    ),
    "the last, with its hash": (
        lambda rows: with_row(rows, changed(rows[-1], resealed=True, reason="another")),
        (LENGTH, Fault.REWRITTEN),
    ),
    "deleted": (lambda rows: without(rows, 3), (3, Fault.MISSING)),
    "the first deleted": (lambda rows: without(rows, 1), (1, Fault.MISSING)),
    "the last deleted": (lambda rows: rows[:-1], (LENGTH, Fault.MISSING)),
    "the end deleted": (lambda rows: rows[:3], (4, Fault.MISSING)),
    "all deleted": (lambda rows: [], (1, Fault.MISSING)),
    "twice": (lambda rows: [*rows[:3], rows[2], *rows[3:]], (3, Fault.OUT_OF_PLACE)),
    "swapped": (
        lambda rows: [*rows[:2], replace(rows[3], sequence=3), replace(rows[2], sequence=4), *rows[4:]],
        (3, Fault.OUT_OF_PLACE),
    ),
    "deleted and closed up": (
        lambda rows: [*rows[:2], *(replace(row, sequence=row.sequence - 1) for row in rows[3:])],
        (3, Fault.OUT_OF_PLACE),
    ),
    "of another ledger": (
        lambda rows: with_row(rows, replace(chain(ledger="churn")[2], sequence=3)),
        (3, Fault.OF_ANOTHER_LEDGER),
    ),
    "added at the end": (
        lambda rows: [*rows, chain(LENGTH + 1)[-1]],
        (LENGTH + 1, Fault.AFTER_THE_HEAD),
    ),
    "no object": (lambda rows: with_row(rows, replace(rows[2], entry="[")), (3, Fault.UNREADABLE)),
    "a member less": (
        lambda rows: with_row(rows, replace(rows[2], entry={"sequence": 3})),
        (3, Fault.UNREADABLE),
    ),
    "a member more": (lambda rows: with_row(rows, changed(rows[2], resealed=True, more=1)), (3, Fault.UNREADABLE)),
    "a member of another type": (
        lambda rows: with_row(rows, changed(rows[2], resealed=True, sequence=True)),
        (3, Fault.UNREADABLE),
    ),
    "another format": (lambda rows: with_row(rows, changed(rows[2], resealed=True, format=2)), (3, Fault.UNREADABLE)),
    "no number that JSON has": (
        lambda rows: with_row(rows, changed(rows[2], facts={"n": float("nan")})),
        (3, Fault.UNREADABLE),
    ),
    "a first one that follows another": (
        lambda rows: with_row(rows, changed(rows[0], resealed=True, previous="e" * 64)),
        (1, Fault.MISSING),
    ),
}


@pytest.mark.parametrize("how", ROWS)
def test_tampering_with_rows_names_the_first_broken_one(how: str) -> None:
    tamper, expected = ROWS[how]
    rows = chain()
    assert checked(tamper(rows), head_after(rows)) == expected


HEADS: dict[str, tuple[Head | None, tuple[int, Fault]]] = {
    "missing": (None, (LENGTH, Fault.NO_HEAD)),
    "of another hash": (Head(LENGTH, "f" * 64), (LENGTH, Fault.REWRITTEN)),
    "behind": (head_after(chain()[:3]), (4, Fault.AFTER_THE_HEAD)),
    "ahead": (Head(LENGTH + 2, "f" * 64), (LENGTH + 1, Fault.MISSING)),
    "nothing": (Head(), (1, Fault.AFTER_THE_HEAD)),
}


@pytest.mark.parametrize("how", HEADS)
def test_tampering_with_the_head_is_seen(how: str) -> None:
    head, expected = HEADS[how]
    assert checked(chain(), head) == expected


def test_a_broken_row_comes_before_a_missing_head() -> None:
    assert checked(without(chain(), 3), None) == (3, Fault.MISSING)


def test_a_gap_says_how_far_it_goes() -> None:
    rows = chain()
    broken = verify("fraud", [*rows[:2], rows[5], rows[6]], head_after(rows)).broken
    assert broken is not None
    assert (broken.sequence, broken.sentence) == (3, "it is missing, and so are all up to entry 5")


def test_a_ledger_written_anew_is_sound_in_itself_but_not_what_was_noted() -> None:
    noted = [Anchor(row.sequence, row.hash) for row in chain()]
    forged, head = [], Head()
    for number in range(1, LENGTH + 1):
        sealed = seal(Draft(EntryKind.VOTE, "c", MOMENT, "r", reason=f"forged {number}"), "fraud", head, MOMENT)
        forged.append(Row(number, sealed.hash, json.loads(sealed.text)))
        head = sealed.head
    assert verify("fraud", forged, head).sound
    for anchor in noted:
        broken = verify("fraud", forged, head, [anchor]).broken
        assert broken is not None
        assert (broken.sequence, broken.fault) == (anchor.sequence, Fault.NOT_AS_NOTED)
    assert verify("fraud", chain(), head_after(chain()), noted).sound


def test_a_noted_entry_that_is_not_there_any_more_is_missing() -> None:
    rows = chain(3)
    broken = verify("fraud", rows, head_after(rows), [Anchor(2, rows[1].hash), Anchor(5, "a" * 64)]).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (5, Fault.MISSING)


@given(st.data())
def test_any_change_of_any_row_is_found_at_that_row_or_before_the_next(data: st.DataObject) -> None:
    """Members, hashes, order, number: one random change of a ledger of random length."""
    rows = chain(data.draw(st.integers(1, 12)))
    at = data.draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    entry: dict[str, Any] = dict(row.entry)  # type: ignore[call-overload]
    member = data.draw(st.sampled_from(sorted(entry)))
    value = data.draw(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just({"n": "x"}), st.just(GENESIS)).filter(
            lambda one: canonical(one) != canonical(entry[member])
        )
    )
    tampered = changed(row, resealed=data.draw(st.booleans()), **{member: value})
    verdict = verify("fraud", with_row(rows, tampered), head_after(rows))
    assert verdict.broken is not None
    # An entry that follows another one than stands before it may name either of the two.
    assert verdict.broken.sequence in {row.sequence, max(row.sequence - 1, 1)}
    assert (verdict.head.sequence if verdict.head else 0) <= row.sequence


@given(st.data())
def test_whatever_is_left_out_moved_or_repeated_is_found(data: st.DataObject) -> None:
    rows = chain(data.draw(st.integers(2, 8)))
    order = data.draw(
        st.lists(st.sampled_from(rows), max_size=10).filter(
            lambda drawn: [row.sequence for row in drawn] != [row.sequence for row in rows]
        )
    )
    verdict = verify("fraud", order, head_after(rows))
    assert not verdict.sound
    sound = 0
    while sound < min(len(order), len(rows)) and order[sound] is rows[sound]:
        sound += 1
    assert (verdict.head.sequence if verdict.head else 0) == sound


@pytest.mark.parametrize("found", [None, [], "x", 1, {}, {"sequence": "1", "hash": 2}, {"sequence": True}])
def test_what_is_no_row_is_read_as_a_broken_one(found: object) -> None:
    assert not verify("fraud", [row_of(found)], Head(1, "x")).sound


@pytest.mark.parametrize("found", [None, "x", {}, {"sequence": 1}, {"sequence": 1, "hash": 1}])
def test_what_is_no_head_is_none(found: object) -> None:
    assert head_of(found) is None


def test_a_row_and_a_head_are_read_as_the_api_gives_them() -> None:
    (row,) = chain(1)
    assert row_of({"sequence": 1, "hash": row.hash, "entry": row.entry}) == row
    assert head_of({"sequence": 1, "hash": row.hash}) == Head(1, row.hash)


def test_a_hostile_depth_is_unreadable_not_a_crash() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    rows = with_row(chain(), replace(chain()[2], entry={**chain()[2].entry, "facts": {"n": deep}}))  # type: ignore[dict-item]
    assert checked(rows, head_after(chain())) == (3, Fault.UNREADABLE)
