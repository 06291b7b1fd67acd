"""Small checkers for JSON values, composed into the descriptions of Block Kit in `elements` and `checks`.

A checker takes a value and the JSON pointer where it stands, and yields every problem. Unlike a JSON Schema with its
"failed to match all allowed schemas", it follows the `type` an object claims and says what is wrong with that type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One reason to refuse a payload, and where it is (a JSON pointer)."""

    pointer: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.sentence} [json-pointer:{self.pointer or '/'}]"


Check = Callable[[object, str], Iterator[Problem]]


def string(most: int, least: int = 1) -> Check:
    """Text of `least` to `most` characters."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "must be a string")
        elif len(value) > most:
            yield Problem(at, f"must be less than {most + 1} characters, has {len(value)}")
        elif len(value) < least:
            yield Problem(at, f"must be more than {least - 1} characters")

    return check


def matching(pattern: str, what: str, most: int = 3_000) -> Check:
    """Text that fits a regular expression from end to end."""
    compiled = re.compile(pattern, re.DOTALL)

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield Problem(at, f"must be {what}")
        elif len(value) > most:
            yield Problem(at, f"must be less than {most + 1} characters, has {len(value)}")

    return check


def boolean(value: object, at: str) -> Iterator[Problem]:
    """True or false; Slack does not take "true"."""
    if not isinstance(value, bool):
        yield Problem(at, "must be a boolean")


def anything(value: object, at: str) -> Iterator[Problem]:
    """No check here; another one looks at this value."""
    return iter(())


def integer(least: int, most: int) -> Check:
    """A whole number between two bounds."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(at, "must be an integer")
        elif not least <= value <= most:
            yield Problem(at, f"must be from {least} to {most}")

    return check


def one_of(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if value not in allowed:
            yield Problem(at, f"must be one of {', '.join(allowed)}")

    return check


def listed(item: Check, most: int, least: int = 1) -> Check:
    """A list with `least` to `most` items."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(at, "must be a list")
            return
        if len(value) > most:
            yield Problem(at, f"no more than {most} items allowed, has {len(value)}")
        if len(value) < least:
            yield Problem(at, f"at least {least} item{'s' if least > 1 else ''} needed, has {len(value)}")
        for index, each in enumerate(value):
            yield from item(each, f"{at}/{index}")

    return check


@dataclass(frozen=True)
class Shape:
    """An object: its required fields, its optional ones, and a rule about the fields together. Others are refused."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]
    rule: Check | None = None

    def __call__(self, value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
            return
        for name in self.required:
            if name not in value:
                yield Problem(at, f"missing required field: {name}")
        for name, inner in value.items():
            check = self.required.get(name) or self.optional.get(name)
            if check:
                yield from check(inner, f"{at}/{name}")
            elif name != "type":
                yield Problem(at, f"invalid additional property: {name}")
        if self.rule:
            yield from self.rule(value, at)


def typed(shapes: Mapping[str, Check], allowed: tuple[str, ...] = (), what: str = "type") -> Check:
    """An object whose `type` picks its shape; `allowed` narrows the types for this place."""

    def check(value: object, at: str) -> Iterator[Problem]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
        elif not isinstance(kind, str) or kind not in shapes:
            yield Problem(at, f"unsupported {what}: {kind}")
        elif allowed and kind not in allowed:
            yield Problem(at, f"unsupported {what}: {kind}; allowed here: {', '.join(allowed)}")
        else:
            yield from shapes[kind](value, at)

    return check


def text_object(most: int, *kinds: str, least: int = 1) -> Check:
    """A text object; `kinds` are plain_text, mrkdwn, or both when none is named."""
    shapes: dict[str, Check] = {
        "plain_text": Shape({"text": string(most, least)}, {"emoji": boolean}),
        "mrkdwn": Shape({"text": string(most, least)}, {"verbatim": boolean}),
    }
    return typed(shapes, kinds, "text type")


def plain(most: int, least: int = 1) -> Check:
    """A plain_text object."""
    return text_object(most, "plain_text", least=least)
