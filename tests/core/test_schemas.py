"""Sentences from JSON Schema: every fault of a value, with its path, and in words."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core import schemas

ROOT: dict[str, Any] = {
    "definitions": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "deep": {"$ref": "#/definitions/size"},
        "flag": {"enum": [True, False, "True", "False"], "x-form": "boolean"},
    }
}


def told(value: Any, schema: dict[str, Any]) -> list[str]:
    return [problem.sentence for problem in schemas.faults(value, schema, ROOT, "$.x")]


@pytest.mark.parametrize(
    ("value", "schema", "sentences"),
    [
        (3, {"$ref": "#/definitions/deep"}, []),
        (0, {"$ref": "#/definitions/deep"}, ["$.x: 0 is too small, at least 1 is needed."]),
        (99, {"$ref": "#/definitions/size"}, ["$.x: 99 is too large, at most 9 is allowed."]),
        ("a", {"type": "integer"}, ['$.x: must be a whole number, not "a".']),
        (None, {"type": ["string", "boolean"]}, ["$.x: must be text or true or false, not null."]),
        ("b", {"enum": ["aa", "bb"]}, ['$.x: "b" is not allowed here. Known: aa, bb.']),
        ("aaa", {"enum": ["aaaa", "bb"]}, ['$.x: "aaa" is not allowed here. Did you mean "aaaa"?']),
        (3, {"enum": [1, 2]}, ["$.x: 3 is not allowed here. Allowed: 1, 2."]),
        ("y", {"const": "z"}, ['$.x: must be "z", not "y".']),
        ("B", {"type": "string", "pattern": "^a$"}, ['$.x: "B" does not have the right form. It must match ^a$.']),
        (
            "B",
            {"type": "string", "pattern": "^a$", "x-expects": "Write an a."},
            ['$.x: "B" does not have the right form. Write an a.'],
        ),
        ("", {"type": "string", "minLength": 1, "examples": ["a"]}, ['$.x: is empty. For example "a".']),
        ("abc", {"maxLength": 2}, ["$.x: has 3 characters, 2 are allowed."]),
        ([1, 1], {"type": "array", "uniqueItems": True}, ["$.x: names something twice."]),
        (
            True,
            {"not": {"const": True}, "x-expects": "Leave it out."},
            ["$.x: true is not allowed here. Leave it out."],
        ),
        ([], {"type": "array", "minItems": 2}, ["$.x: needs at least 2 entries."]),
        ([1, 2], {"type": "array", "maxItems": 1}, ["$.x: has 2 entries, 1 are allowed."]),
        (
            [1, "a", 2, None],
            {"type": "array", "items": {"type": "integer"}},
            ['$.x[1]: must be a whole number, not "a".', "$.x[3]: must be a whole number, not null."],
        ),
        (
            ["a", "b", 3],
            {"items": [{"const": "a"}, {"type": "integer"}]},
            ['$.x[1]: must be a whole number, not "b".'],
        ),
        (
            ["number", "b"],
            {
                "if": {"items": [{"const": "number"}]},
                "then": {"items": [{}, {"type": "integer"}]},
                "else": {"items": [{}, {"minLength": 9}]},
            },
            ['$.x[1]: must be a whole number, not "b".'],
        ),
        (
            ["text", "b"],
            {"if": {"items": [{"const": "number"}]}, "else": {"items": [{}, {"type": "string", "minLength": 9}]}},
            ['$.x[1]: "b" is shorter than 9 characters.'],
        ),
        (
            {"a": 1, "c": "x"},
            {"required": ["b"], "properties": {"c": {"type": "integer"}, "b": {"description": "Size."}}},
            ["$.x.b: is required but missing. Size.", '$.x.c: must be a whole number, not "x".'],
        ),
        (
            {"colour": 1},
            {"type": "object", "additionalProperties": False, "properties": {"color": {}}},
            ['$.x.colour: there is no such key. Did you mean "color"?'],
        ),
        (
            {"a": 1, "b": "x"},
            {"type": "object", "additionalProperties": {"type": "string"}},
            ["$.x.a: must be text, not 1."],
        ),
        (
            {"k": 0},
            {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"$ref": "#/definitions/size"}}]},
            ["$.x.k: 0 is too small, at least 1 is needed."],
        ),
        (7, {"anyOf": [{"type": "string"}, {"type": "object"}]}, ["$.x: must be text or an object, not 7."]),
        ("x" * 200, {"type": "integer"}, ['$.x: must be a whole number, not "' + "x" * 76 + "…."]),
        (
            {"a": {"b": {}}},
            {"properties": {"a": {"properties": {"b": {"minProperties": 1}}}}},
            ["$.x.a.b: needs at least 1 entry."],
        ),
        (True, {"type": "integer"}, ["$.x: must be a whole number, not true."]),
        ("a\n", {"type": "string", "pattern": "^a$"}, ['$.x: "a\\n" does not have the right form. It must match ^a$.']),
    ],
)
def test_faults(value: Any, schema: dict[str, Any], sentences: list[str]) -> None:
    assert told(value, schema) == sentences
    assert schemas.holds(value, schemas.resolve(schema, ROOT), ROOT) == (not sentences)


@pytest.mark.parametrize(
    ("value", "schema", "normal"),
    [
        ("True", {"$ref": "#/definitions/flag"}, True),
        (" no ", {"$ref": "#/definitions/flag"}, False),
        ("maybe", {"$ref": "#/definitions/flag"}, "maybe"),
        (True, {"$ref": "#/definitions/flag"}, True),
        (" 12 ", {"x-form": "integer"}, 12),
        ("1" * 13, {"x-form": "integer"}, "1" * 13),
        ("-1", {"x-form": "integer"}, "-1"),
        ("٣", {"x-form": "integer"}, "٣"),
        (" s3://b/p// ", {"x-form": "location"}, "b/p"),
        (" fraud/out// ", {"x-form": "folder"}, "fraud/out"),
        (" FRAUD ", {"x-form": "lower"}, "fraud"),
        (" Regression ", {"x-form": "trimmed"}, "Regression"),
        ('{"a": [1]}', {"x-form": "json"}, {"a": [1]}),
        ("not json", {"x-form": "json"}, "not json"),
        ("", {"x-form": "json"}, ""),
        ("NaN", {"x-form": "json"}, "NaN"),
        ('{"a": 1, "a": 2}', {"x-form": "json"}, '{"a": 1, "a": 2}'),
        ("[" * 100_000, {"x-form": "json"}, "[" * 100_000),
        (2.0, {"type": "integer"}, 2),
        (2.5, {"type": "integer"}, 2.5),
        (2.0, {"type": "number"}, 2.0),
        (
            {"a": "True", "b": "2", "c": "True"},
            {"properties": {"a": {"x-form": "boolean"}}, "additionalProperties": {"x-form": "integer"}},
            {"a": True, "b": 2, "c": "True"},
        ),
        (["True", "x"], {"items": {"x-form": "boolean"}}, [True, "x"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_forms(value: Any, schema: dict[str, Any], normal: Any) -> None:
    found = schemas.normalise(value, schema, ROOT)
    assert found == normal
    assert type(found) is type(normal)


def test_no_value_makes_the_check_itself_fail() -> None:
    """JSON values that Python counts as equal or of one type are told apart."""
    assert told(1, {"const": True}) != []
    assert told(False, {"enum": [0]}) != []
    assert told(1.0, {"type": "integer"}) == []
