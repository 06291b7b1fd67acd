"""Requests of jobs, checked against the API's own model.

Types, required members, limits, enumerations and patterns are asked as the service asks them. Members that the API does
not know are refused too: the service ignores some of them, which helps nobody who misspelt one in a pipeline.
"""

from __future__ import annotations

from typing import Any

from local.cloud import shapes
from local.cloud.sagemaker.backend import ApiError


def check(action: str, fields: dict[str, Any], service: str = "sagemaker") -> None:
    """Raise ApiError (ValidationException) naming every member that is wrong."""
    wrong = shapes.problem(service, action, fields)
    shape = shapes.operation(service, action).input_shape
    unknown = [
        f"Unknown parameter in input: '{path}', must be one of: {', '.join(known)}"
        for path, known in shapes.unknown(shape, fields, "")
    ]
    problems = [*([wrong] if wrong else []), *unknown]
    if problems:
        raise ApiError("ValidationException", "; ".join(problems))
