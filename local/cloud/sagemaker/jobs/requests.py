"""Requests of jobs, checked against the API's own model.

Types, required members, limits, enumerations and patterns are asked as the service asks them. Members that the API does
not know are refused too: the service ignores some of them, which helps nobody who misspelt one in a pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.cloud import shapes
from local.cloud.sagemaker.backend import ApiError


def check(action: str, fields: dict[str, Any], service: str = "sagemaker") -> None:
    """Raise ApiError (ValidationException) naming every member that is wrong."""
    wrong = shapes.problem(service, action, fields)
    shape = shapes.operation(service, action).input_shape
    problems = [*([wrong] if wrong else []), *unknown(shape, fields, "")]
    if problems:
        raise ApiError("ValidationException", "; ".join(problems))


def unknown(shape: Any, value: Any, path: str) -> Iterator[str]:
    """A sentence for each member that the model does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            at = f"{path}.{name}".lstrip(".")
            if name in shape.members:
                yield from unknown(shape.members[name], inner, at)
            else:
                yield f"Unknown parameter in input: '{at}', must be one of: {', '.join(shape.members)}"
    elif shape.type_name == "list" and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unknown(shape.member, inner, f"{path}[{index}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, inner in value.items():
            yield from unknown(shape.value, inner, f"{path}.{name}")
