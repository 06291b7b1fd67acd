"""Relations between values: numbers against each other, order, names in two objects."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from orchestrator.core.config import CheckContext, RawConfiguration, check
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.workloads import Catalogue, load_types, shipped_templates

NUMBER = {"type": ["integer", "string"]}
PROPERTIES = {
    "least": {**NUMBER, "default": 5},
    "most": NUMBER,
    "spot": {"$ref": "../configuration.schema.json#/definitions/boolean"},
    "limits": {"type": "object", "properties": {"all": {"type": "integer", "default": 1}, "at_once": NUMBER}},
    "ranges": {"type": "object", "additionalProperties": {"type": "array"}},
    "fixed": {"type": "object"},
    "pairs": {"type": "object", "properties": {"names": {}, "values": {}}},
    "by_stage": {"x-per-stage": True, "anyOf": [{"type": "integer"}, {"type": "object"}]},
}
RULES = [
    {"key": "least", "not_above": "most", "if": {"properties": {"spot": {"const": True}}}, "expects": "Raise most."},
    {"key": "limits.at_once", "not_above": "limits.all"},
    {"key": "ranges.*.1", "ascending": True},
    {"key": "pairs.values", "as_long_as": "pairs.names", "expects": "Pair them."},
    {"key": "ranges", "apart_from": "fixed", "severity": "warning"},
    {"key": "fixed.program", "wanted": True, "if": {"required": ["fixed"]}, "severity": "warning"},
    {"key": "by_stage", "not_below": "most"},
    {"key": "limits.all", "unused": True, "if": {"required": ["spot"]}, "severity": "warning"},
]


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("types")
    shutil.copytree(shipped_templates() / "byom_realtime_builtin", folder / "own")
    workload = json.loads((folder / "own" / "workload.json").read_bytes())
    workload |= {
        "stack_name": {"from": "model_name", "suffix": "own", "workload_suffix": "own"},
        "parameters": {},
        "aliases": {"maximum": "most"},
    }
    workload.pop("registry")
    (folder / "own" / "workload.json").write_text(json.dumps(workload))
    schema = {
        "required": ["pipeline_type", "model_name"],
        "properties": {"pipeline_type": {}, "model_name": {"type": "string"}, **PROPERTIES},
        "x-relations": RULES,
    }
    (folder / "own" / "config.schema.json").write_text(json.dumps(schema))
    return load_types([shipped_templates(), folder])


def told(types: Catalogue, **values: Any) -> list[str]:
    raw = RawConfiguration({"pipeline_type": "own", "model_name": "fraud", **values})
    try:
        warnings = check(raw, types, CheckContext("multi")).warnings
    except BadConfiguration as refused:
        return [problem.sentence for problem in refused.problems]
    return [f"({warning.sentence})" for warning in warnings]


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"least": 3, "most": 3}, []),
        ({"least": 4, "most": 3}, ["$.least: 4 is more than most (3). Raise most."]),
        ({"least": 4, "maximum": 3}, ["$.least: 4 is more than maximum (3). Raise most."]),
        ({"least": "4", "most": "3"}, ["$.least: 4 is more than most (3). Raise most."]),
        ({"most": 3}, ["$.most: 3 is less than least, which is 5 where it is not given. Raise most."]),
        ({"least": 4}, []),
        ({"least": 4, "most": 3, "spot": False}, []),
        ({"least": 4, "most": "many"}, []),
        ({"limits": {"at_once": 1}}, []),
        ({"limits": {"at_once": 2}}, ["$.limits.at_once: 2 is more than limits.all (1)."]),
        ({"limits": {"all": 3, "at_once": 4}}, ["$.limits.at_once: 4 is more than limits.all (3)."]),
        ({"ranges": {"a": ["x", [0, 1]], "b": ["x", ["1", "1e1"]]}}, []),
        ({"ranges": {"a": ["x", [0, 1]], "b": ["x", [2, 1]]}}, ["$.ranges.b[1]: goes from 2 down to 1."]),
        ({"ranges": {"a": ["x", ["0.2", "0.10"]]}}, ["$.ranges.a[1]: goes from 0.2 down to 0.10."]),
        ({"ranges": {"a": ["x", ["b", "a"]], "b": ["x"], "c": ["x", []], "d": ["x", 3]}}, []),
        ({"pairs": {"names": ["a", "b"], "values": [[1], [2]]}}, []),
        ({"pairs": {"names": "a", "values": [1, 2]}}, []),
        ({"pairs": {"names": ["a", "b"]}}, []),
        (
            {"pairs": {"names": ["a", "b"], "values": [1]}},
            ["$.pairs.values: has 1 entries, pairs.names has 2. Pair them."],
        ),
        ({"fixed": {"program": 1, "b": 1}, "ranges": {"a": []}}, []),
        ({"fixed": {"program": 1, "a": 1}, "ranges": {"a": []}}, ["($.ranges.a: is in fixed too.)"]),
        ({"fixed": {"b": 1}}, ["($.fixed.program: is not given.)"]),
        (
            {"by_stage": {"dev": 9, "staging": 4, "prod": 5}, "most": 9, "least": 1},
            ["$.by_stage.staging: 4 is less than most (9).", "$.by_stage.prod: 5 is less than most (9)."],
        ),
        ({"spot": True, "limits": {"all": 1}}, ["($.limits.all: has no effect.)"]),
        ({"spot": True, "limits": {}}, []),
        ({"least": [], "most": 3}, ["$.least: must be a whole number or text, not []."]),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_relations(types: Catalogue, values: dict[str, Any], sentences: list[str]) -> None:
    assert told(types, **values) == sentences
