"""Relations between values, which JSON Schema cannot say: ``x-relations`` in a type's ``config.schema.json``.

A list of objects. ``key`` is a path into the configuration, in which ``*`` stands for every member and a number for a
place in a list; a value that is not given counts with the ``default`` of its schema. Each object has one of:

``not_below``, ``not_above``
    A path: the number is not smaller (not larger) than the number there.
``ascending``
    True: the first two members of the list, numbers also as text, are in this order.
``as_long_as``
    A path: where both are lists, this one has as many members.
``apart_from``
    A path to an object: the object shares no name with it.
``wanted``, ``unused``
    True: there is a value (none: it would have no effect).

and may have ``if`` (a schema of the configuration: the relation counts only where it holds), ``expects`` (the remedy,
in a sentence) and ``severity`` (``error``, or ``warning`` where the old product took what is hardly meant).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core import schemas
from orchestrator.core.config_part import Part
from orchestrator.core.problems import Problem, Severity

RELATIONS = "x-relations"

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def relations(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    """Every relation that does not hold; one with a key that is wrong in itself is left alone."""
    root = part.type.schema
    for rule in root.get(RELATIONS, ()):
        others = [rule.get(word) for word in ("not_below", "not_above", "as_long_as", "apart_from")]
        named = {path.split(".")[0] for path in [rule["key"], *others] if path}
        if not named <= sound or ("if" in rule and not schemas.holds(part.values, rule["if"], root)):
            continue
        severity: Severity = "warning" if rule.get("severity") == "warning" else "error"
        for path, what in _faults(rule, part):
            yield Problem(path, what, rule.get("expects", ""), severity)


def _faults(rule: Mapping[str, Any], part: Part) -> Iterator[tuple[str, str]]:
    """Path and what is wrong there."""
    if rule.get("wanted"):
        if not list(_given(part, rule["key"])):
            yield _place(part, rule["key"]), "is not given"
    elif rule.get("unused"):
        for path, _ in _given(part, rule["key"]):
            yield path, "has no effect"
    elif rule.get("ascending"):
        for path, value in _given(part, rule["key"]):
            bounds = [_number(member) for member in value[:2]] if isinstance(value, list) else []
            first, second = bounds if len(bounds) == 2 else (None, None)
            if first is not None and second is not None and first > second:
                yield path, f"goes from {value[0]} down to {value[1]}"
    elif "as_long_as" in rule:
        for path, value in _given(part, rule["key"]):
            for _, other in _given(part, rule["as_long_as"]):
                if isinstance(value, list) and isinstance(other, list) and len(value) != len(other):
                    yield path, f"has {len(value)} entries, {_spelled(part, rule['as_long_as'])} has {len(other)}"
    elif "apart_from" in rule:
        yield from _shared(rule, part)
    else:
        yield from _compared(rule, part)


def _shared(rule: Mapping[str, Any], part: Part) -> Iterator[tuple[str, str]]:
    for _, other in _given(part, rule["apart_from"]):
        for path, value in _given(part, rule["key"]):
            if isinstance(value, Mapping) and isinstance(other, Mapping):
                for name in value:
                    if name in other:
                        yield f"{path}.{name}", f"is in {_spelled(part, rule['apart_from'])} too"


def _compared(rule: Mapping[str, Any], part: Part) -> Iterator[tuple[str, str]]:
    below = "not_below" in rule
    key, other = rule["key"], rule["not_below" if below else "not_above"]
    staged = any(part.per_stage(path.split(".")[0]) for path in (key, other))
    for stage in part.context.stages if staged else ("",):
        (place, mine), (other_place, theirs) = (_effective(part, path, stage) for path in (key, other))
        if mine is None or theirs is None or (mine >= theirs if below else mine <= theirs):
            continue
        if place:
            yield place, f"{mine:g} is {'less' if below else 'more'} than {_spelled(part, other)} ({theirs:g})"
        else:
            default = f"{_spelled(part, key)}, which is {mine:g} where it is not given"
            yield other_place, f"{theirs:g} is {'more' if below else 'less'} than {default}"


def _effective(part: Part, path: str, stage: str) -> tuple[str, float | None]:
    """Place (empty where it is not given) and the number that counts: the given one, else the schema's default."""
    key, *steps = path.split(".")
    for place, value in part.each_value(key):
        if not part.per_stage(key) or place == f"{part.at(key)}.{stage}":
            for found, number in _walk(place, value, steps):
                return found, _number(number)
    schema: Mapping[str, Any] = {"properties": part.type.properties}
    for step in (key, *steps):
        schema = schemas.per_value(schema.get("properties", {}).get(step, {}), part.type.schema)
    return "", _number(schema.get("default"))


def _given(part: Part, path: str) -> Iterator[tuple[str, Any]]:
    """Path in the file and value of each place that the path stands for and the configuration has."""
    key, *steps = path.split(".")
    for place, value in part.each_value(key):
        yield from _walk(place, value, steps)


def _walk(place: str, value: Any, steps: list[str]) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield place, value
    elif isinstance(value, Mapping):
        for name in value if steps[0] == "*" else [steps[0]]:
            if name in value:
                yield from _walk(f"{place}.{name}", value[name], steps[1:])
    elif isinstance(value, list):
        for index in range(len(value)) if steps[0] == "*" else [int(steps[0])]:
            if index < len(value):
                yield from _walk(f"{place}[{index}]", value[index], steps[1:])


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _place(part: Part, path: str) -> str:
    return f"{part.path}.{_spelled(part, path)}"


def _spelled(part: Part, path: str) -> str:
    """The path with its key as the author spelt it."""
    key, dot, rest = path.partition(".")
    return f"{part.spelled.get(key, key)}{dot}{rest}"
