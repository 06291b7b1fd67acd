"""What has changed in a document is told by its values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.core.document_changes import MAX_LEAVES, MAX_PATH, MAX_VALUE, leaves, told_by_leaves
from orchestrator.core.plans import ParameterChange

BUCKET = "mlops-packages"
OLD, NEW = (f"documents/{digit * 64}/pipeline.json" for digit in "ab")


def changes(before: Any, after: Any, *rows: ParameterChange) -> tuple[ParameterChange, ...]:
    """What people are told of a document's change, by its key unless other rows are given."""
    known = {OLD: before, NEW: after}

    def read(key: str) -> bytes | None:
        document = known[key]
        return document if document is None or isinstance(document, bytes) else json.dumps(document).encode()

    return told_by_leaves(rows or (ParameterChange("DefinitionKey", OLD, NEW),), BUCKET, read)


def row(path: str, before: str | None, after: str | None) -> ParameterChange:
    """A leaf's row."""
    return ParameterChange(f"pipeline.json: {path}", before, after)


def step(eta: str, **more: Any) -> dict[str, Any]:
    """A pipeline's definition."""
    arguments = {"HyperParameters": {"eta": eta, "rounds": "100"}, **more}
    return {"Version": "2020-12-01", "Steps": [{"Name": "Train", "Type": "Training", "Arguments": arguments}]}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (step("0.3"), step("0.2"), [row("Steps.Train.Arguments.HyperParameters.eta", "0.3", "0.2")]),
        (step("0.3"), step("0.3", Spot=True), [row("Steps.Train.Arguments.Spot", None, "true")]),
        (step("0.3", Spot=True), step("0.3"), [row("Steps.Train.Arguments.Spot", "true", None)]),
        ({"a": 1}, {"a": "1"}, [row("a", "1", '"1"')]),
        ({"a": None}, {"a": "null"}, [row("a", "null", '"null"')]),
        ({"a": 1}, {"a": True}, [row("a", "1", "true")]),
        ({"a": None, "b": 1}, {"b": 1}, [row("a", "null", None)]),
        ({"x.y": 1, "x": {"y": 3}}, {"x.y": 2, "x": {"y": 3}}, [row('["x.y"]', "1", "2")]),
        ({"s": {"a[0]": 1, "a": [3]}}, {"s": {"a[0]": 2, "a": [3]}}, [row('s["a[0]"]', "1", "2")]),
        (
            {"a": [{"Name": "p.v", "w": 1}, {"Name": "p", "v": {"w": 3}}]},
            {"a": [{"Name": "p.v", "w": 2}, {"Name": "p", "v": {"w": 3}}]},
            [row('a["p.v"].w', "1", "2")],
        ),
        ({"a": "x" * 300 + "b"}, {"a": "x" * 300 + "cd"}, [row("a", f"…{'x' * 40}b", f"…{'x' * 40}cd")]),
        ({"a": []}, {"a": [1]}, [row("a[0]", None, "1"), row("a", "[]", None)]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [row("a[1]", "2", "3")]),
        (
            {"a": [{"ChannelName": "train", "u": 1}, {"ChannelName": "validation", "u": 2}]},
            {"a": [{"ChannelName": "validation", "u": 3}, {"ChannelName": "train", "u": 1}]},
            [row("a.validation.u", "2", "3")],
        ),
        (
            {"a": [{"Name": "x", "v": 1}, {"Name": "x", "v": 2}]},
            {"a": [{"Name": "x", "v": 1}, {"Name": "x", "v": 3}]},
            [row("a[1].v", "2", "3")],
        ),
        ({"a": "x" * 300}, {"a": "y"}, [row("a", "x" * (MAX_VALUE - 1) + "…", "y")]),
        ([1], [2], [row("[0]", "1", "2")]),
        ({}, {"a": None}, [row("a", None, "null"), row("(all)", "{}", None)]),
    ],
    ids=[
        *("changed", "added", "dropped", "the same text", "null and its text", "true", "null dropped"),
        *("a point in a name", "brackets in a name", "a point in a list's name", "a long one's end", "filled"),
        *("a number", "named and moved", "names twice"),
        *("long", "a list", "null"),
    ],
)
def test_a_changed_document_is_told_by_its_leaves(before: Any, after: Any, told: Any) -> None:
    assert list(changes(before, after)) == told


@pytest.mark.parametrize("gone", [None, b"not JSON", b"\xff\xfe"], ids=["gone", "no JSON", "no text"])
def test_a_document_that_cannot_be_read_keeps_its_row(gone: bytes | None) -> None:
    plain = (ParameterChange("DefinitionKey", OLD, NEW),)
    assert changes(gone, step("0.2")) == plain
    assert changes(step("0.2"), gone) == plain


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, NEW),
        (OLD, None),
        (OLD, "somewhere/else.json"),
        (f"s3://another-bucket/{OLD}", f"s3://another-bucket/{NEW}"),
        ("documents/abc/pipeline.json", NEW),
        (OLD + "/more", NEW),
    ],
    ids=["new", "dropped", "elsewhere", "another bucket", "short", "long"],
)
def test_what_is_no_change_of_a_document_keeps_its_row(before: str | None, after: str | None) -> None:
    change = ParameterChange("DefinitionKey", before, after)
    assert changes(step("0.3"), step("0.2"), change) == (change,)


def test_a_document_that_two_parameters_name_is_told_of_once() -> None:
    uri = ParameterChange("DefinitionUri", f"s3://{BUCKET}/{OLD}", f"s3://{BUCKET}/{NEW}")
    key = ParameterChange("DefinitionKey", OLD, NEW)
    other = ParameterChange("InstanceCount", "1", "2")
    assert changes({"a": 1}, {"a": 2}, uri, other, key) == (row("a", "1", "2"), other)


def test_a_plan_has_no_more_rows_than_a_record_can_hold() -> None:
    many = {str(number): number for number in range(5_000)}
    told = changes(dict.fromkeys(many, -1), many)
    assert len(told) == MAX_LEAVES + 1
    assert told[-1] == ParameterChange("pipeline.json", "…", f"… and {5_000 - MAX_LEAVES} more values differ")


def test_a_long_path_is_told_by_its_end() -> None:
    told = changes({"a" * 500: {"end": 1}}, {"a" * 500: {"end": 2}})
    assert len(told[0].name) == len("pipeline.json: ") + MAX_PATH
    assert told[0].name.endswith("a.end")


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a.[]0"', max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(DOCUMENTS, DOCUMENTS)
def test_every_row_is_a_difference(before: Any, after: Any) -> None:
    told = changes(before, after)
    for change in told:
        assert change.before != change.after
    assume(before is not None and after is not None)  # stands for a document that is gone
    assert (told == changes(before, before)) == (
        json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    )


@given(DOCUMENTS)
def test_an_equal_document_has_no_differences(document: Any) -> None:
    assert changes(document, document) == (ParameterChange("DefinitionKey", OLD, NEW),)
    paths = [path for path, _ in leaves(document)]
    assert len(set(paths)) == len(paths)
