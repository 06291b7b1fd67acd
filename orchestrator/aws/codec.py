"""Records to DynamoDB attribute values and back, driven by the dataclasses' own type hints."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A record's value as DynamoDB's document model has it: maps, lists, strings, whole numbers, booleans, None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [plain(member) for member in value]
    return value


def rebuilt(cls: type[T], raw: Mapping[str, Any]) -> T:
    """The inverse of ``plain`` for a dataclass; a field that the stored map lacks takes its default."""
    hints = _hints(cls)  # type: ignore[arg-type]
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    return cls(**{name: _value(hints[name], value) for name, value in raw.items() if name in known})


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _value(hint: Any, raw: Any) -> Any:
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        if raw is None:
            return None
        return _value(next(arg for arg in get_args(hint) if arg is not type(None)), raw)
    if origin is tuple:
        members = get_args(hint)
        if len(members) == 2 and members[1] is Ellipsis:
            return tuple(_value(members[0], member) for member in raw)
        return tuple(_value(member_hint, member) for member_hint, member in zip(members, raw, strict=True))
    if isinstance(hint, type):
        if is_dataclass(hint):
            return rebuilt(hint, raw)
        if issubclass(hint, Enum):
            return hint(raw)
        if hint is int:
            return int(raw)
        if hint is bool:
            return bool(raw)
    return raw
