"""References of a pipeline's definition, resolved: parameters, properties of steps that have ended, joined texts.

The forms are those of the definition's JSON schema, version 2020-12-01: ``{"Get": "Parameters.X"}``,
``{"Get": "Execution.PipelineExecutionId"}``, ``{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}`` and
``{"Std:Join": {"On": "/", "Values": […]}}``. Others, such as ``Std:JsonGet``, are not resolved here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.cloud.sagemaker.backend import ApiError

_PART = re.compile(r"\[['\"]?([^'\"\]]+)['\"]?\]|([^.\[\]]+)")
_NUMBERS = {"Integer": int, "Float": float}
_NAMED_BY = ("OutputName", "InputName", "ChannelName", "Name")
"""Members by which an entry of a list is found: ``Outputs['statistics']``."""


class Unresolved(Exception):
    """A reference leads nowhere; the message names it."""


def parameters(definition: dict[str, Any], given: list[dict[str, str]]) -> dict[str, Any]:
    """Values of all parameters: as given at the start, else their defaults; raises ApiError (ValidationException)."""
    declared = {parameter["Name"]: parameter for parameter in definition.get("Parameters") or []}
    values = {name: parameter["DefaultValue"] for name, parameter in declared.items() if "DefaultValue" in parameter}
    undeclared = sorted(pair["Name"] for pair in given if pair["Name"] not in declared)
    if undeclared:
        raise _refused(f"Parameters [{', '.join(undeclared)}] are not defined in the pipeline definition")
    values |= {pair["Name"]: _typed(declared[pair["Name"]], pair["Value"]) for pair in given}
    missing = sorted(declared.keys() - values.keys())
    if missing:
        raise _refused(f"Missing values for parameters without a default value: [{', '.join(missing)}]")
    for name, value in values.items():
        allowed = declared[name].get("EnumValues")
        if allowed and value not in allowed:
            raise _refused(f"Value {value} of parameter {name} is not one of {allowed}")
    return values


def _typed(parameter: dict[str, Any], text: str) -> Any:
    kind = parameter.get("Type", "String")
    try:
        if kind == "Boolean":
            return {"true": True, "false": False}[text.lower()]
        return _NUMBERS[kind](text) if kind in _NUMBERS else text
    except (ValueError, KeyError) as problem:
        raise _refused(f"Value {text} of parameter {parameter['Name']} is no {kind}") from problem


def _refused(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def steps_needed(step: dict[str, Any]) -> set[str]:
    """Names of the steps that must have ended before this one: said in DependsOn, or read by its arguments."""
    named = {path.split(".", 2)[1] for path in _gets(step.get("Arguments")) if path.startswith("Steps.")}
    return named | set(step.get("DependsOn") or [])


def _gets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"Get"} and isinstance(value["Get"], str):
            yield value["Get"]
            return
        for inner in value.values():
            yield from _gets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _gets(inner)


def resolved(value: Any, known: Mapping[str, Any]) -> Any:
    """A value without references; ``known`` has Parameters, Execution and Steps. Raises Unresolved."""
    if isinstance(value, list):
        return [resolved(inner, known) for inner in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Get"}:
        return _looked_up(str(value["Get"]), known)
    if set(value) == {"Std:Join"}:
        join = value["Std:Join"]
        return str(join.get("On", "")).join(str(resolved(part, known)) for part in join["Values"])
    unknown = [name for name in value if name.startswith("Std:")]
    if unknown:
        raise Unresolved(f"The embedded cloud does not resolve {unknown[0]}")
    return {name: resolved(inner, known) for name, inner in value.items()}


def _looked_up(path: str, known: Mapping[str, Any]) -> Any:
    found: Any = known
    for bracketed, plain in _PART.findall(path):
        part = bracketed or plain
        if isinstance(found, list):
            found = _entry(found, part)
        elif isinstance(found, Mapping):
            found = found.get(part)
        else:
            found = None
        if found is None:
            raise Unresolved(f"{path} is not known")
    return found


def _entry(entries: list[Any], part: str) -> Any:
    if part.isdigit():
        return entries[int(part)] if int(part) < len(entries) else None
    for entry in entries:
        if isinstance(entry, dict) and any(entry.get(name) == part for name in _NAMED_BY):
            return entry
    return None
