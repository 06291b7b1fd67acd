"""The figures of an evaluation file: what was measured of a model, shown to those who decide; ``gates`` judges them.

The shape is that of SageMaker's model-quality reports ("Model quality metrics", Amazon SageMaker Developer Guide):
``{"binary_classification_metrics": {"accuracy": {"value": 0.97, "standard_deviation": "NaN"}, "auc": …}}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard

from orchestrator.core import strict_json
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.records import Figure

MAX_BYTES = strict_json.MAX_BYTES
"""Of an evaluation file: room for a curve of some thousand points beside the figures."""

MAX_FIGURES = 12
"""The first ones of the file: more are a table, not a line of a message."""

MAX_NAME = 64
"""Characters of a figure's name."""

DIGITS = 4
"""Significant digits that a person is shown."""

_SHAPE = 'Write it as {"binary_classification_metrics": {"accuracy": {"value": 0.97}}}.'


def read_figures(size: int, read: Callable[[], bytes], path: str, wanted: Sequence[str] = ()) -> tuple[Figure, ...]:
    """The named numbers of an evaluation file of ``size`` bytes, in the file's order, the first twelve; after them
    those of ``wanted`` that the file has besides.

    A figure is a member of a top-level object ``…_metrics`` with a number under ``value``; matrices, curves and ``NaN``
    are none. Of two with one name the first counts. What is wanted is the name of a figure, or the path to any number
    of the file, its steps joined by dots. Raises ``BadConfiguration`` at ``path``, the place that names the file, for a
    file that is too large (it is not read then), no strict JSON object, or without figures.
    """
    if size > MAX_BYTES:
        what = f"the evaluation file has {size:,} bytes, {MAX_BYTES:,} are allowed"
        raise BadConfiguration([Problem(path, what, "Leave curves and single predictions out of it.")])
    try:
        report = strict_json.parse(read())
    except BadConfiguration as refused:
        problems = [
            Problem(path, f"the evaluation file is refused at {found.path}: {found.what}", found.fix)
            for found in refused.problems
        ]
        raise BadConfiguration(problems) from None
    if not isinstance(report, dict):
        raise BadConfiguration([Problem(path, "the evaluation file is no JSON object", _SHAPE)])
    found: dict[str, Figure] = {}
    besides: dict[str, Figure] = {}
    for name, value in _scalars(report):
        if len(found) == MAX_FIGURES:
            besides.setdefault(name, Figure(name, json.dumps(value)))
            continue
        if len(name) > MAX_NAME:
            what = f'the evaluation file has a figure with a name of {len(name)} characters, "{name[:MAX_NAME]}…"'
            raise BadConfiguration([Problem(path, what, f"Give it at most {MAX_NAME}.")])
        found.setdefault(name, Figure(name, json.dumps(value)))
    for name in wanted:
        besides_it = besides.get(name) or _by_path(report, name)
        if name not in found and besides_it is not None:
            found[name] = besides_it
    if not found:
        raise BadConfiguration([Problem(path, "the evaluation file has no figures", _SHAPE)])
    return tuple(found.values())


def _scalars(report: Mapping[str, object]) -> Iterator[tuple[str, int | float]]:
    for group, members in report.items():
        if not group.endswith("_metrics") or not isinstance(members, dict):
            continue
        for name, member in members.items():
            value = member.get("value") if isinstance(member, dict) else None
            if name.strip() and _is_number(value):
                yield name, value


def _by_path(report: Mapping[str, object], path: str) -> Figure | None:
    value = _at(report, path)
    return None if value is None else Figure(path, json.dumps(value))


def _at(value: object, path: str) -> int | float | None:
    """The number at a path, or under ``value`` there. Names may have dots in them: each member that the rest of the
    path begins with is tried, in the file's order."""
    if not path:
        inner = value.get("value") if isinstance(value, dict) else value
        return inner if _is_number(inner) else None
    for name, member in value.items() if isinstance(value, dict) else ():
        if path == name:
            found = _at(member, "")
        elif name and path.startswith(f"{name}.") and path != f"{name}.":
            found = _at(member, path.removeprefix(f"{name}."))
        else:
            continue
        if found is not None:
            return found
    return None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(figure: Figure) -> int | float:
    """The figure's value as the file has it."""
    value: int | float = json.loads(figure.value)
    return value


def rounded(value: float, digits: int = DIGITS) -> str:
    """A number for people: at most so many significant digits, without an exponent where it reads well without one."""
    short = f"{value:.{digits}g}"
    return format(Decimal(short), "f") if value == 0 or 1e-4 <= abs(value) < 1e9 else short


def side_by_side(
    metrics: Sequence[Figure], live: Sequence[Figure]
) -> tuple[tuple[str, int | float, int | float | None], ...]:
    """Name, value, and the live release's value of each figure; None where that has none of the name."""
    known = {figure.name: number(figure) for figure in live}
    return tuple((figure.name, number(figure), known.get(figure.name)) for figure in metrics)


def told(name: str, value: float, live: float | None) -> str:
    """One figure in words: ``accuracy 0.972 (live 0.965)``."""
    beside = "" if live is None else f" (live {rounded(live)})"
    return f"{name} {rounded(value)}{beside}"
