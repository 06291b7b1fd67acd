"""A model-card operation as it is asked for, checked completely: every problem with its path, as of any configuration.

The keys and their limits stand in ``model_card.schema.json``; what a schema cannot say (a metric's value must be of its
type, a results file needs its kind) stands here. Source of the limits: the resource schema of
``AWS::SageMaker::ModelCard`` (AWS CloudFormation), and the Amazon SageMaker Developer Guide, "Model card JSON schema".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestrator.core import schemas, strict_json
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.problems import BadConfiguration, Problem, closest, did_you_mean

SECTIONS = ("model_overview", "intended_uses", "training_details", "evaluation_details", "additional_information")
"""Keys whose values become the card's content."""

IGNORED = ("arn", "created_by", "last_modified_by")
"""Keys of the old contract that SageMaker fills in itself."""

_USED: Mapping[str, frozenset[str]] = {
    "create_model_card": frozenset({"name", "status", *SECTIONS}),
    "update_model_card": frozenset({"name", "status", *SECTIONS}),
    "describe_model_card": frozenset({"name", "version"}),
    "delete_model_card": frozenset({"name"}),
    "list_model_cards": frozenset(),
    "export_model_card": frozenset({"name", "export_job_name", "model_card_version"}),
}


@dataclass(frozen=True)
class ModelCardRequest:
    """A checked request."""

    operation: str
    """One of ``OPERATIONS``."""
    name: str = ""
    """Of the card; empty for ``list_model_cards``."""
    status: str = ""
    """As asked for; empty where the request leaves it."""
    version: int | None = None
    """Of ``describe_model_card`` and ``export_model_card``; None for the latest."""
    export_job: str = ""
    sections: tuple[tuple[str, Any], ...] = ()
    """Key and value of each of ``SECTIONS`` that is given."""
    warnings: tuple[Problem, ...] = ()
    path: str = "$"


def is_model_card(values: object) -> bool:
    """Whether this part of a file or body asks for a model-card operation."""
    return isinstance(values, Mapping) and values.get("pipeline_type") in list(OPERATIONS)


def model_card_in(data: bytes) -> ModelCardRequest | None:
    """The checked request in a file or body; None when it is something else, readable or not.

    Raises ``BadConfiguration`` for a request with problems. A request stands alone: not in a list of ``pipelines``.
    """
    try:
        values = strict_json.parse(data)
    except BadConfiguration:
        return None
    return check_model_card(values) if isinstance(values, Mapping) and is_model_card(values) else None


def check_model_card(values: Mapping[str, Any], path: str = "$") -> ModelCardRequest:
    """Check a request; raises ``BadConfiguration`` with all its problems."""
    root = schema()
    operation = str(values["pipeline_type"])
    given = {key: value for key, value in values.items() if not schemas.is_remark(key)}
    problems = list(_unknown(given, path))
    normal = {
        key: schemas.normalise(value, root["properties"][key], root)
        for key, value in given.items()
        if key in root["properties"] and value not in ("", None)
    }
    for key, value in normal.items():
        problems += schemas.faults(value, root["properties"][key], root, f"{path}.{key}")
    if operation != "list_model_cards" and "name" not in normal:
        problems.append(schemas.missing(f"{path}.name", root["properties"]["name"]))
    problems += _unused(operation, normal, path)
    if not any(problem.severity == "error" for problem in problems):
        problems += _metrics(normal.get("evaluation_details", []), f"{path}.evaluation_details")
    if any(problem.severity == "error" for problem in problems):
        raise BadConfiguration(problems)
    version = normal.get("model_card_version" if operation == "export_model_card" else "version")
    return ModelCardRequest(
        operation=operation,
        name=str(normal.get("name", "")),
        status=str(normal.get("status", "")),
        version=version if operation in {"describe_model_card", "export_model_card"} else None,
        export_job=str(normal.get("export_job_name", "")),
        sections=tuple((key, normal[key]) for key in SECTIONS if key in normal and key in _USED[operation]),
        warnings=tuple(problems),
        path=path,
    )


@lru_cache(maxsize=1)
def schema() -> Mapping[str, Any]:
    """The JSON Schema of the operations."""
    found: Mapping[str, Any] = json.loads((Path(__file__).parent / "model_card.schema.json").read_bytes())
    return found


def _unknown(given: Mapping[str, Any], path: str) -> Iterator[Problem]:
    known = schema()["properties"]
    for key in given:
        if key in known:
            continue
        near = closest(key, known)
        if near is not None and near not in given:
            yield Problem(f"{path}.{key}", "there is no such key", did_you_mean(key, known))
        else:
            yield Problem(f"{path}.{key}", "is not a known key and is ignored", "", "warning")


def _unused(operation: str, normal: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for key in normal:
        if key in IGNORED:
            yield Problem(f"{path}.{key}", "is ignored: SageMaker fills it in itself", "", "warning")
        elif key != "pipeline_type" and key not in _USED[operation]:
            yield Problem(f"{path}.{key}", f"is ignored by {operation}", "", "warning")


def _metrics(evaluations: list[Mapping[str, Any]], path: str) -> Iterator[Problem]:
    for index, evaluation in enumerate(evaluations):
        here = f"{path}[{index}]"
        if "metric_file_s3_url" in evaluation and "metric_type" not in evaluation:
            kinds = schema()["properties"]["evaluation_details"]["items"]["properties"]["metric_type"]["enum"]
            yield Problem(f"{here}.metric_type", "is required with metric_file_s3_url", f"One of {', '.join(kinds)}.")
        for group_index, group in enumerate(evaluation.get("metric_groups", ())):
            for metric_index, metric in enumerate(group["metric_data"]):
                wanted = _VALUES[metric["type"]]
                if not wanted[1](metric["value"]):
                    where = f"{here}.metric_groups[{group_index}].metric_data[{metric_index}].value"
                    yield Problem(where, f'does not fit the type "{metric["type"]}"', f"Write {wanted[0]}.")


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _rows(value: object, most: int) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(row, list) and 0 < len(row) <= most and all(map(_plain, row)) for row in value)
    )


_VALUES: Mapping[str, tuple[str, Any]] = {
    "number": ("a number", lambda value: _plain(value) and not isinstance(value, str)),
    "string": ("text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "bar_chart": (
        "a list of numbers",
        lambda value: isinstance(value, list) and bool(value) and all(map(_plain, value)),
    ),
    "linear_graph": (
        "a list of points, such as [[0, 1], [1, 0.5]]",
        lambda value: _rows(value, 2) and all(len(row) == 2 for row in value),
    ),
    "matrix": (
        "a list of at most 20 rows with at most 20 values each",
        lambda value: _rows(value, 20) and len(value) <= 20,
    ),
}
"""A metric's type → what its value must be, in words and as a test."""
