"""EventBridge's matching, as far as the rules of the stacks use it ("Amazon EventBridge event patterns")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Every key of the pattern must match; keys that the pattern lacks do not matter."""
    return all(name in event and _value_matches(wanted, event[name]) for name, wanted in pattern.items())


def _value_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and matches(wanted, value)
    values = value if isinstance(value, list) else [value]
    return any(_one_matches(alternative, one) for alternative in wanted for one in values)


def _one_matches(alternative: Any, value: Any) -> bool:
    match alternative:
        case {"prefix": str(start)}:
            return isinstance(value, str) and value.startswith(start)
        case {"suffix": str(end)}:
            return isinstance(value, str) and value.endswith(end)
        case Mapping():
            raise AssertionError(f"the tests know no pattern {alternative}")
        case _:
            return bool(alternative == value)
