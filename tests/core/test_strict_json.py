"""JSON from strangers: one value of RFC 8259, or a refusal with its place; never a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.problems import BadConfiguration
from orchestrator.core.strict_json import MAX_BYTES, MAX_DEPTH, parse
from tests.strategies import json_values


@given(json_values, st.sampled_from([None, 2]))
def test_what_json_is_comes_through(value: Any, indent: int | None) -> None:
    assert parse(json.dumps(value, indent=indent).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        found = parse(data)
    except BadConfiguration:
        return
    assert found == json.loads(data.decode("utf-8-sig"))


@given(st.text(alphabet='{}[]",:\\u0d8e1-.+ntrfalsNI \n', max_size=60))
def test_what_looks_like_json_is_parsed_or_refused(text: str) -> None:
    try:
        found = parse(text.encode())
    except BadConfiguration:
        return
    assert json.dumps(found) == json.dumps(json.loads(text))


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ('{"a": 1, "a": 2}', "$.a", 'the key "a" appears twice (line 1, column 10)'),
        ('{"a": {"b": [0, {"c": 1,\n "c": 2}]}}', "$.a.b[1].c", "(line 2, column 2)"),
        ('{"a": 1, "\\u0061": 2}', "$.a", "appears twice"),
        ('{"a": NaN}', "$.a", "NaN is not a JSON value"),
        ('{"a": [1, -Infinity]}', "$.a[1]", "-Infinity is not a JSON value"),
        ('{"a": 1e999}', "$.a", "too large"),
        ('{"a": ' + "9" * 500 + "}", "$.a", "too large"),
        ('{"a": "\\ud83d"}', "$.a", "surrogate"),
        ("", "$", "is empty"),
        ("  \n", "$", "is empty"),
        ("{", "$", "not valid JSON at line 1, column 2"),
        ('{"a": 1}}', "$", "not valid JSON"),
        ('{"a": 01}', "$", "not valid JSON"),
        ("{'a': 1}", "$", "not valid JSON"),
        ('{"a": 1,}', "$", "not valid JSON"),
        ('{"a": "x', "$", "not valid JSON"),
        ('{"a": "\t"}', "$", "not valid JSON"),
        ("[1] [2]", "$", "not valid JSON"),
        ("[" * (MAX_DEPTH + 1), "$", f"more than {MAX_DEPTH} levels"),
        ('{"a":' * (MAX_DEPTH + 1), "$", f"more than {MAX_DEPTH} levels"),
    ],
    ids=lambda value: value[:25] if isinstance(value, str) else None,
)
def test_what_is_refused(text: str, path: str, words: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        parse(text.encode())
    (problem,) = refused.value.problems
    assert problem.path.startswith(path)
    assert words in problem.what


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_depth_of_a_hundred_thousand_is_no_recursion_error(opening: str) -> None:
    with pytest.raises(BadConfiguration, match="levels of nesting"):
        parse((opening * (MAX_BYTES // len(opening) - 1)).encode())


def test_depth_of_the_limit_is_allowed() -> None:
    assert parse(("[" * MAX_DEPTH + "]" * MAX_DEPTH).encode()) is not None


def test_equal_keys_of_different_objects_are_fine() -> None:
    assert parse(b'{"a": {"k": 1}, "b": {"k": 1}, "c": [{"k": 1}, {"k": 2}]}')


def test_size() -> None:
    assert parse(b'"' + b"x" * (MAX_BYTES - 2) + b'"')
    with pytest.raises(BadConfiguration, match="6,000,000 bytes"):
        parse(b" " * 6_000_000)


def test_a_byte_order_mark_is_tolerated_and_other_encodings_are_not() -> None:
    assert parse(b"\xef\xbb\xbf{}") == {}
    for encoding in ("utf-16", "utf-32", "latin-1"):
        with pytest.raises(BadConfiguration):
            parse('{"a": "ü"}'.encode(encoding))


@pytest.mark.parametrize("hostile", ['"', '\\"', '"a', "1", "{}", "a,", '"\\'])
def test_long_nonsense_takes_linear_time(hostile: str) -> None:
    """Quadratic time would show as minutes here."""
    try:
        parse((hostile * (MAX_BYTES // len(hostile.encode()) - 1)).encode())
    except BadConfiguration:
        return
    assert hostile == "1"
