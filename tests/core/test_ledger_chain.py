"""Entries of the audit ledger: their canonical form, their hashes, and what they never hold."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.ledger.chain import (
    GENESIS,
    MAX_BYTES,
    MAX_TEXT,
    MEMBERS,
    Actor,
    Draft,
    EntryKind,
    Head,
    canonical,
    digest,
    seal,
)
from orchestrator.core.ledger.rows import ENTRIES, PARTITION, EntryRow, HeadRow, MarkRow, place

MOMENT = "2026-03-01T12:00:00.000Z"
BEN = Actor("Ben Okafor", "ben@example.com", "email", verified=True)
DRAFT = Draft(EntryKind.VOTE, "c" * 64, MOMENT, "fraud-0001", "prod", BEN, "slack", "approve", facts={"n": 1})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        # RFC 8785, section 3.2.2.2: the shortest escapes, and none where none is needed.
        ({"a": '€$\x0f\nA\'B"\\\\"/'}, '{"a":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'),
        ({"ä": "ü 🚫"}, '{"ä":"ü 🚫"}'),
    ],
)
def test_the_canonical_form_is_that_of_rfc_8785(value: object, text: str) -> None:
    assert canonical(value) == text


def test_an_entry_is_sealed_with_its_place_and_the_hash_before_it() -> None:
    first = seal(DRAFT, "fraud", Head(), MOMENT)
    second = seal(DRAFT, "fraud", first.head, MOMENT)
    one, two = json.loads(first.text), json.loads(second.text)
    assert (one["sequence"], one["previous"], two["sequence"], two["previous"]) == (1, GENESIS, 2, first.hash)
    assert first.hash == hashlib.sha256(first.text.encode()).hexdigest() != second.hash
    assert first.text == canonical(one)
    assert set(one) == set(MEMBERS)
    assert all(isinstance(one[name], types) for name, types in MEMBERS.items())
    assert one["actor"] == {"display": "Ben Okafor", "identity": "ben@example.com", "kind": "email", "verified": True}


ANY_TEXT = st.text(st.characters(), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=4),
    max_leaves=12,
)


@given(ANY_TEXT, st.dictionaries(st.sampled_from("abc"), JSON), ANY_TEXT)
def test_whatever_people_write_is_sealed_and_read_back_the_same(reason: str, facts: dict[str, Any], who: str) -> None:
    actor = Actor(who, who, "slack", verified=True)
    draft = Draft(EntryKind.VOTE, "c" * 64, MOMENT, "r", actor=actor, reason=reason, facts=facts)
    sealed = seal(draft, "fraud", Head(), MOMENT)
    read = json.loads(json.dumps(json.loads(sealed.text)))
    assert digest(canonical(read)) == sealed.hash


def test_a_long_text_is_cut_and_half_a_character_is_none() -> None:
    entry = json.loads(seal(Draft(EntryKind.VOTE, "c", MOMENT, "r", reason="x" * 9_000), "f", Head(), MOMENT).text)
    assert (len(entry["reason"]), entry["reason"][-1]) == (MAX_TEXT, "…")
    entry = json.loads(seal(Draft(EntryKind.VOTE, "c", MOMENT, "r", reason="a\ud800b"), "f", Head(), MOMENT).text)
    assert entry["reason"] == "a?b"


def test_an_entry_too_large_for_a_row_goes_without_its_facts_and_says_so() -> None:
    facts = {"many": ["🚫" * MAX_TEXT] * 100}
    sealed = seal(Draft(EntryKind.PLAN, "c", MOMENT, "r", reason="why", facts=facts), "f", Head(), MOMENT)
    entry = json.loads(sealed.text)
    assert len(sealed.text.encode()) < MAX_BYTES
    assert (list(entry["facts"]), entry["reason"]) == (["left_out"], "why")


def test_what_is_no_json_is_no_fact() -> None:
    with pytest.raises(TypeError):
        seal(Draft(EntryKind.PLAN, "c", MOMENT, "r", facts={"f": 0.5}), "f", Head(), MOMENT)


def test_the_rows_of_a_ledger_stand_together_and_entries_sort_by_number() -> None:
    rows = (EntryRow("fraud", 1, "h", "t"), MarkRow("fraud", "c", 1), HeadRow("fraud", 1, "h"))
    assert {row.key()[0] for row in rows} == {f"{PARTITION}fraud"}
    assert len({row.key() for row in rows}) == 3
    assert [row.listing() for row in rows] == [None, None, None]
    places = [place(number) for number in (1, 2, 9, 10, 99, 100, 10**11)]
    assert places == sorted(places)
    assert all(one.startswith(ENTRIES) for one in places)
