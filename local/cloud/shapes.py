"""Requests checked against AWS's own service models, and answers cut to what an operation gives back.

The models are the ones that botocore ships: types, required members, lengths, ranges, enumerations and patterns. The
client checks the first two of these, a raw request or a bridge none; the words are those of the services.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from local.cloud.patterns import whole


@lru_cache(maxsize=32)
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


@lru_cache(maxsize=512)
def operation(service: str, name: str) -> Any:
    """The model of an operation; None when the service has none of that name."""
    model = _model(service)
    return model.operation_model(name) if name in model.operation_names else None


def problem(service: str, action: str, fields: dict[str, Any]) -> str:
    """What is wrong with a request, in AWS's words, all of it; empty when nothing is."""
    found = operation(service, action)
    if found is None or found.input_shape is None:
        return ""
    problems = list(_structure(found.input_shape, fields, ""))
    if not problems:
        return ""
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    return count + "; ".join(problems)


def answer_of(service: str, action: str, known: dict[str, Any]) -> dict[str, Any]:
    """Those members of ``known`` that the action's answer has."""
    found = operation(service, action)
    members = found.output_shape.members if found is not None and found.output_shape is not None else {}
    return {name: value for name, value in known.items() if name in members and value is not None}


class Unknown(Exception):
    """A template's property that the API has no member for; the message is its path."""


def spelt(service: str, action: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A template's properties by the names of a request's members, which differ in case only.

    ``BuildSpec`` → ``buildspec``; raises Unknown for a property without a member.
    """
    found = operation(service, action)
    return dict(_spelt(found.input_shape, properties, ""))


def _spelt(shape: Any, value: Any, path: str) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        answer = {}
        for name, inner in value.items():
            member = members.get(name.lower())
            if member is None:
                raise Unknown(f"{path}/{name}")
            answer[member] = _spelt(shape.members[member], inner, f"{path}/{name}")
        return answer
    if shape.type_name == "list" and isinstance(value, list):
        return [_spelt(shape.member, inner, f"{path}/{index}") for index, inner in enumerate(value)]
    return value


def argument_problems(service: str, action: str, arguments: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a request of which parts are known at run time only: ``{"Get": …}``, ``{"Std:…": …}``.

    Unlike a request's, unknown members are refused; a job's name may be missing, SageMaker makes it up.
    """
    found = operation(service, action)
    known = _literal(arguments)
    for path, _ in unknown(found.input_shape, known, ""):
        yield f"Unknown Argument member '{path}'."
    named_by_sagemaker = f"{action.removeprefix('Create')}Name"
    for name in found.input_shape.required_members:
        if name not in known and name != named_by_sagemaker:
            yield f"Missing Argument member '{name}'."
    for name, given in known.items():
        if name in found.input_shape.members:
            yield from _value(found.input_shape.members[name], given, _below("", name))


_LATER = object()
"""Stands for a value that is known at run time."""


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Get", "Std:")):
            return _LATER
        return {key: _literal(inner) for key, inner in value.items()}
    return [_literal(inner) for inner in value] if isinstance(value, list) else value


def unknown_members(service: str, action: str, fields: dict[str, Any]) -> list[str]:
    """Members of a request that the action does not know, by their paths."""
    found = operation(service, action)
    return [path for path, _ in unknown(found.input_shape, fields, "")]


def unknown(shape: Any, value: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Path of each member that the model does not have, and the members that it has there."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            at = f"{path}.{name}".lstrip(".")
            if name in shape.members:
                yield from unknown(shape.members[name], inner, at)
            else:
                yield at, list(shape.members)
    elif shape.type_name == "list" and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unknown(shape.member, inner, f"{path}[{index}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, inner in value.items():
            yield from unknown(shape.value, inner, f"{path}.{name}")


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _refusal(value, path, "Member must be a structure")
        return
    for name in shape.required_members:
        if value.get(name) is None and not shape.members[name].metadata.get("idempotencyToken"):
            yield _refusal(None, _below(path, name), "Member must not be null")
    for name, given in value.items():
        if name in shape.members and given is not None:
            yield from _value(shape.members[name], given, _below(path, name))


def _value(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if value is _LATER:
        return
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _list(shape, value, path)
    elif kind == "map":
        yield from _map(shape, value, path)
    elif kind == "string":
        yield from _text(shape, value, path)
    elif kind in {"integer", "long", "float", "double"}:
        yield from _number(shape, value, path)
    elif kind == "boolean" and not isinstance(value, bool):
        yield _refusal(value, path, "Member must be a boolean")


def _list(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _refusal(value, path, "Member must be a list")
        return
    yield from _length(shape, value, len(value), path)
    for number, item in enumerate(value, start=1):
        yield from _value(shape.member, item, f"{path}.{number}.member")


def _map(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _refusal(value, path, "Member must be a map")
        return
    yield from _length(shape, value, len(value), path)
    for key, item in value.items():
        yield from _value(shape.key, key, path)
        yield from _value(shape.value, item, f"{path}.{key}")


def _text(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _refusal(value, path, "Member must be a string")
        return
    yield from _length(shape, value, len(value), path)
    if shape.enum and value not in shape.enum:
        yield _refusal(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not whole(pattern, value):
        yield _refusal(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _number(shape: Any, value: Any, path: str) -> Iterator[str]:
    whole_number = shape.type_name in {"integer", "long"}
    if isinstance(value, bool) or not isinstance(value, int if whole_number else int | float):
        yield _refusal(value, path, f"Member must be {'an integer' if whole_number else 'a number'}")
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _refusal(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _refusal(value, path, f"Member must have value less than or equal to {most}")


def _length(shape: Any, value: Any, length: int, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        yield _refusal(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and length > most:
        yield _refusal(value, path, f"Member must have length less than or equal to {most}")


def _refusal(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _below(path: str, name: str) -> str:
    spelt = name[:1].lower() + name[1:]
    return f"{path}.{spelt}" if path else spelt
