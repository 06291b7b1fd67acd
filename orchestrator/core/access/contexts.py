"""A resource of a plan with its properties before and after, and how values in them are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.plans import AccessChange, Area, Reach

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What CloudFormation writes in the place of a value that only the deployment makes."""

LATER = "(known once deployed)"
"""The same for people."""

MOST_TOLD = 300
"""Characters of what is told of one resource."""


@dataclass(frozen=True)
class ResourceContext:
    """One changed resource; ``before`` is None for a new one, ``after`` for one that goes."""

    logical_id: str
    resource_type: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    properties: tuple[str, ...] = ()
    """Names of the changed properties; empty where CloudFormation names none."""
    readable: bool = True
    """Whether CloudFormation has told the properties."""

    def opens(self, area: Area, told: str, *, certain: bool = True) -> AccessChange:
        """What is found out about it; that of a new resource may still be a grant, see ``compare``."""
        reach = Reach.WIDENS if certain else Reach.MAY_WIDEN
        text = told.replace(UNKNOWN, LATER)
        shown = text if len(text) <= MOST_TOLD else f"{text[: MOST_TOLD - 1]}…"
        return AccessChange(area, reach, self.logical_id, self.resource_type, shown)


def is_unknown(value: Any) -> bool:
    """Whether a value, or some part of it, is made by the deployment only."""
    return UNKNOWN in (value if isinstance(value, str) else json.dumps(value))


def some(value: Any) -> list[Any]:
    """A value that stands alone or in a list, as a list."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def document(value: Any) -> Mapping[str, Any] | None:
    """A policy document, which may stand as an object or as JSON text; None where it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, Mapping) else None


def is_true(value: Any) -> bool:
    """CloudFormation tells booleans as texts."""
    return str(value).lower() in {"true", "enabled"}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path and value of every member below a value: objects and lists as such, and what they hold."""
    if path:
        yield path, value
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from leaves(member, (*path, str(name)))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, (*path, str(index)))


def listed(words: list[str], most: int = 4) -> str:
    """``a, b and 3 more``."""
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest} more" if rest > 0 else "")
