"""Rules between keys: the ``if``/``then``/``else`` members of a schema's ``allOf``.

What a rule may say of a key: it is required (``"required": ["scaling"]``), it has a narrower schema (``"properties":
{"problem_type": {…}}``), or it does not go with the rest (``"properties": {"scaling": false}``; the remedy is the
rule's ``x-expects``). A rule is asked once for each stage, with that stage's values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core import schemas
from orchestrator.core.config_part import Part, for_stage
from orchestrator.core.problems import Problem, closest


def conditions(part: Part) -> Iterator[Problem]:
    """Every rule that is broken; the same problem comes once for each stage that has it."""
    root = part.type.schema
    for rule in root.get("allOf", ()):
        for stage, values in _values_of_stages(part):
            met = schemas.holds(values, rule["if"], root)
            branch = rule.get("then" if met else "else", {})
            yield from _missing(branch, rule["if"] if met else {}, values, part)
            for key, schema in branch.get("properties", {}).items():
                if key not in values:
                    continue
                path = f"{part.at(key)}.{stage}" if part.per_stage(key) else part.at(key)
                if schema is False:
                    yield Problem(path, f"does not go with {_reasons(rule['if'], values)}", rule.get("x-expects", ""))
                else:
                    yield from schemas.faults(values[key], schema, root, path)


def _values_of_stages(part: Part) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each stage's values; a stage that an object of stages lacks is told elsewhere."""
    staged = [key for key in part.values if part.per_stage(key)]
    if not staged:
        yield "", part.values
        return
    for stage in part.context.stages:
        if all(stage in part.values[key] for key in staged):
            yield stage, for_stage(part.values, part.type, stage)


def _missing(
    branch: Mapping[str, Any], condition: Mapping[str, Any], values: Mapping[str, Any], part: Part
) -> Iterator[Problem]:
    reasons = _reasons(condition, values)
    for key in branch.get("required", ()):
        if key in values:
            continue
        if any(closest(written, [key]) for written in part.spelled if written not in part.type.properties):
            continue  # misspelt: told elsewhere
        schema = part.type.properties.get(key, {})
        if reasons:
            yield Problem(part.at(key), f"is required with {reasons}", str(schema.get("description", "")))
        else:
            yield schemas.missing(part.at(key), schema)


def _reasons(condition: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The condition in words: ``problem_type "Regression" and serverless``."""
    keys = dict.fromkeys([*condition.get("properties", {}), *condition.get("required", ())])
    given = [(key, values[key]) for key in keys if key in values]
    return " and ".join(f'{key} "{value}"' if isinstance(value, str) else key for key, value in given)
