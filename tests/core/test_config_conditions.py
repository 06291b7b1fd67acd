"""Rules between keys (``allOf`` of a schema), on a type of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.config import CheckContext, check_file
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.workloads import Catalogue, load_types
from tests.fakes.memory_world import TEMPLATES

RULES: list[dict[str, Any]] = [
    {"if": {"required": ["small"]}, "then": {"properties": {"large": False}}, "x-expects": "Choose one of them."},
    {"if": {"required": ["small"]}, "else": {"required": ["size"]}},
    {"if": {"required": ["kind"], "properties": {"kind": {"const": "odd"}}}, "then": {"required": ["number"]}},
    {
        "if": {"required": ["size"], "properties": {"size": {"const": "huge"}}},
        "then": {"properties": {"number": {"maximum": 2, "x-expects": "Few huge ones are enough."}}},
    },
]

Read = Callable[[Mapping[str, Any]], list[tuple[str, str]]]


def staged(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A key whose value may be one for each stage."""
    return {"x-per-stage": True, "anyOf": [schema, {"type": "object", "additionalProperties": schema}]}


@pytest.fixture
def types(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "ours"
    folder.mkdir()
    workload = {
        "title": "Ours",
        "description": "A type of our own.",
        "stack_name": {"from": "name", "suffix": "ours", "workload_suffix": "ours"},
        "runs_in": "stages",
        "parameters": {},
    }
    schema = {
        "required": ["pipeline_type", "name"],
        "allOf": RULES,
        "properties": {
            "pipeline_type": {"const": "ours"},
            "name": {"type": "string"},
            "kind": {"type": "string"},
            "size": {**staged({"type": "string"}), "description": "How large.", "examples": ["huge"]},
            "number": {**staged({"type": "integer"}), "description": "How many."},
            "small": {"type": "boolean"},
            "large": staged({"type": "boolean"}),
        },
    }
    (folder / "workload.json").write_text(json.dumps(workload))
    (folder / "config.schema.json").write_text(json.dumps(schema))
    (folder / "template.yaml").write_text("Resources: {}\n")
    return load_types([TEMPLATES, tmp_path])


@pytest.fixture
def problems(types: Catalogue) -> Read:
    def read(values: Mapping[str, Any]) -> list[tuple[str, str]]:
        data = json.dumps({"pipeline_type": "ours", "name": "a", **values}).encode()
        try:
            check_file(data, types, CheckContext("multi"))
        except BadConfiguration as refused:
            return [(problem.path, problem.sentence) for problem in refused.problems]
        return []

    return read


@pytest.mark.parametrize(
    "values",
    [
        {"size": "s"},
        {"small": True},
        {"size": "s", "large": True},
        {"size": "s", "kind": "even"},
        {"size": "s", "kind": "odd", "number": 9},
        {"size": "huge", "number": 2},
        {"size": {"dev": "s", "staging": "s", "prod": "huge"}, "number": {"dev": 9, "staging": 9, "prod": 1}},
    ],
    ids=str,
)
def test_what_no_rule_forbids(problems: Read, values: dict[str, Any]) -> None:
    assert problems(values) == []


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            {"small": True, "large": True},
            [("$.large", "$.large: does not go with small. Choose one of them.")],
        ),
        (
            {"small": True, "large": {"dev": True, "staging": False, "prod": True}},
            [
                (f"$.large.{stage}", f"$.large.{stage}: does not go with small. Choose one of them.")
                for stage in ("dev", "staging", "prod")
            ],
        ),
        ({}, [("$.size", '$.size: is required but missing. How large. For example "huge".')]),
        (
            {"size": "s", "kind": "odd"},
            [("$.number", '$.number: is required with kind "odd". How many.')],
        ),
        (
            {"size": "huge", "number": 3},
            [("$.number", "$.number: 3 is too large, at most 2 is allowed. Few huge ones are enough.")],
        ),
        (
            {"size": {"dev": "s", "staging": "s", "prod": "huge"}, "number": 3},
            [("$.number", "$.number: 3 is too large, at most 2 is allowed. Few huge ones are enough.")],
        ),
        (
            {"size": "huge", "number": {"dev": 1, "staging": 1, "prod": 3}},
            [("$.number.prod", "$.number.prod: 3 is too large, at most 2 is allowed. Few huge ones are enough.")],
        ),
    ],
    ids=str,
)
def test_what_a_rule_forbids(problems: Read, values: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert problems(values) == found


def test_a_misspelt_key_is_one_problem_and_not_two(problems: Read) -> None:
    assert [path for path, _ in problems({"sizee": "s"})] == ["$.sizee"]


def test_a_stage_without_a_value_is_one_problem_and_not_two(problems: Read) -> None:
    assert [path for path, _ in problems({"size": {"dev": "huge", "staging": "s"}, "number": 3})] == [
        "$.size",
        "$.number",
    ]
