"""Reading one object of the settings key by key: each value is checked, each mistake noted, nothing raised.

A value that is wrong is replaced by its default (or an empty value), so that reading goes on and finds the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.core.problems import Problem, closest, did_you_mean, listing

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

REQUIRED: Any = object()
"""The default of a key that must be there."""


class Reading:
    """One object, and the problems found in it and below it."""

    def __init__(self, raw: Mapping[str, Any], path: str = "$", problems: list[Problem] | None = None) -> None:
        self._raw = raw
        self.path = path
        self.problems: list[Problem] = [] if problems is None else problems
        self._known: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there, be it null."""
        self._known.add(key)
        return key in self._raw

    def text(self, key: str, *, default: str = REQUIRED, pattern: str = "", shape: str = "text") -> str:
        """A string, of the whole pattern where there is one; ``shape`` says in words what would be right."""
        value = self._value(key, default)
        if value is default:
            return "" if default is REQUIRED else default
        if not isinstance(value, str) or (pattern and not re.fullmatch(pattern, value)) or not value.strip():
            self.note(key, f"is {shown(value)}", f"Write {shape}.")
            return "" if default is REQUIRED else default
        return value

    def email(self, key: str, *, default: str = REQUIRED) -> str:
        """An e-mail address."""
        return self.text(key, default=default, pattern=EMAIL.pattern, shape="an e-mail address")

    def choice(self, key: str, choices: Sequence[str], *, default: str = REQUIRED) -> str:
        """One of a few words."""
        value = self._value(key, default)
        if value is default:
            return choices[0] if default is REQUIRED else default
        if value not in choices:
            found = closest(value, choices) if isinstance(value, str) else None
            fix = f'Did you mean "{found}"?' if found else f"Write one of {listing(choices)}."
            self.note(key, f"is {shown(value)}", fix)
            return choices[0] if default is REQUIRED else default
        return str(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            self.note(key, f"is {shown(value)}", "Write true or false.")
            return default
        return value

    def number(self, key: str, allowed: Sequence[int], *, default: int) -> int:
        """One of some whole numbers; a ``range`` is told by its ends."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
            told = (
                f"a whole number from {allowed[0]} to {allowed[-1]}"
                if isinstance(allowed, range)
                else f"one of {listing((str(number) for number in allowed), most=30)}"
            )
            self.note(key, f"is {shown(value)}", f"Write {told}.")
            return default
        return value

    def texts(self, key: str, *, pattern: str = "", shape: str = "text") -> tuple[str, ...]:
        """A list of strings; empty where the key is missing."""
        found: list[str] = []
        for index, value in enumerate(self._list(key, required=False)):
            if isinstance(value, str) and value.strip() and (not pattern or re.fullmatch(pattern, value)):
                found.append(value)
            else:
                self.note(f"{key}[{index}]", f"is {shown(value)}", f"Write {shape}.")
        return tuple(found)

    def objects(self, key: str, *, required: bool) -> Iterator[Reading]:
        """The objects of a list."""
        for index, value in enumerate(self._list(key, required=required)):
            if isinstance(value, Mapping):
                yield Reading(value, f"{self.path}.{key}[{index}]", self.problems)
            else:
                self.note(f"{key}[{index}]", f"is {shown(value)}", "Write an object.")

    def object(self, key: str, *, required: bool) -> Reading | None:
        """An object; None where it is missing or wrong."""
        value = self._value(key, REQUIRED if required else None)
        if isinstance(value, Mapping):
            return Reading(value, f"{self.path}.{key}", self.problems)
        if value is not REQUIRED and value is not None:
            self.note(key, f"is {shown(value)}", "Write an object.")
        return None

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every key with its value, for an object whose keys are names of the organisation's own."""
        for key, value in self._raw.items():
            self._known.add(key)
            yield key, value

    def note(self, key: str, what: str, fix: str) -> None:
        """Note a problem of a key of this object; an empty key is the object itself."""
        self.problems.append(Problem(f"{self.path}.{key}" if key else self.path, what, fix))

    def unknown_keys(self) -> None:
        """Note every key that nothing has asked for."""
        for key in self._raw:
            if key not in self._known:
                self.note(key, "is no setting", did_you_mean(key, self._known))

    def _value(self, key: str, default: Any) -> Any:
        self._known.add(key)
        if key not in self._raw:
            if default is REQUIRED:
                misspelt = [name for name in self._raw if closest(name, [key])]
                # A misspelt key is told once, by ``unknown_keys``.
                if not misspelt:
                    self.note(key, "is missing", "Add it; docs/settings.md says what it is.")
            return default
        return self._raw[key]

    def _list(self, key: str, *, required: bool) -> Sequence[Any]:
        value = self._value(key, REQUIRED if required else ())
        if isinstance(value, list | tuple):
            return value
        if value is not REQUIRED:
            self.note(key, f"is {shown(value)}", "Write a list.")
        return ()


def shown(value: object) -> str:
    """A value as the file has it, shortened."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value[:60]}{"…" if len(value) > 60 else ""}"'
        case int() | float():
            return str(value)
        case list() | tuple():
            return "a list"
        case _:
            return "an object"
