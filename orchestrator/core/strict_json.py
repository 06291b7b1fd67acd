"""JSON as it arrives from strangers, parsed strictly.

Python's parser takes the last of two equal keys, accepts NaN, and dies with a RecursionError on ``[[[[…``. Here a pass
over the tokens (linear, no recursion) refuses all that with line and column before the parser proper is asked.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import NoReturn

from orchestrator.core.problems import BadConfiguration, Problem

MAX_BYTES = 256 * 1024
"""Of one document. The old product's API took 10 MB, its largest sensible configuration is about 20 KB."""

MAX_DEPTH = 32
"""Nested objects and lists. Hyperparameter objects, the deepest known content, stay below 10."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
"""Matches an unterminated string to the end: trying again at each of its quotes would take quadratic time."""


def parse(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> object:
    """The JSON value in ``data`` (UTF-8, a byte-order mark is tolerated).

    Raises ``BadConfiguration`` for anything that is not exactly one JSON value of RFC 8259 with unique keys, for
    numbers beyond a double's range, lone surrogates, and for too many bytes or levels.
    """
    check_size(len(data), max_bytes)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse("$", f"the document is not UTF-8 (byte {error.start})", "Save the file in UTF-8.")
    if not text.strip():
        _refuse("$", "the document is empty", "Write a JSON object.")
    _inspect(text, max_depth)
    try:
        return json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _refuse("$", f"the document is not valid JSON at {where}: {error.msg}", "Mend the syntax there.")


def check_size(size: int, max_bytes: int = MAX_BYTES) -> None:
    """Refuse a document of so many bytes: for those who know them before they have read it."""
    if size > max_bytes:
        _refuse("$", f"the document has {size:,} bytes, {max_bytes:,} are allowed", "Make it smaller.")


@dataclass
class _Level:
    """One open object or list of the token pass."""

    is_object: bool
    expects_key: bool
    key: str = ""
    index: int = 0
    keys: set[str] = field(default_factory=set)


def _inspect(text: str, max_depth: int) -> None:
    levels: list[_Level] = []
    for match in _TOKEN.finditer(text):
        lexeme = match.group()
        top = levels[-1] if levels else None
        if lexeme in "{[":
            if len(levels) >= max_depth:
                _refuse_at(text, match.start(), levels, f"more than {max_depth} levels of nesting", "Make it flatter.")
            levels.append(_Level(lexeme == "{", lexeme == "{"))
        elif lexeme in "}]":
            if levels:
                levels.pop()
        elif lexeme == "," and top:
            top.expects_key = top.is_object
            top.index += 1
        elif lexeme == ":" and top:
            top.expects_key = False
        elif lexeme.startswith('"'):
            _inspect_string(text, match, levels)
        elif top is None or not top.expects_key:
            _inspect_scalar(text, match, levels)


def _inspect_string(text: str, match: re.Match[str], levels: list[_Level]) -> None:
    lexeme = match.group()
    try:
        value = str(json.loads(lexeme))
    except json.JSONDecodeError:
        return  # the parser proper tells what is wrong with it, with line and column
    if any("\ud800" <= character <= "\udfff" for character in value):
        _refuse_at(
            text, match.start(), levels, "half of a surrogate pair is no character", "Write the character itself."
        )
    top = levels[-1] if levels else None
    if top is None or not top.expects_key:
        return
    if value in top.keys:
        top.key = value
        _refuse_at(text, match.start(), levels, f'the key "{value}" appears twice', "Keep one of them.")
    top.keys.add(value)
    top.key = value


def _inspect_scalar(text: str, match: re.Match[str], levels: list[_Level]) -> None:
    lexeme = match.group()
    if lexeme in {"NaN", "Infinity", "-Infinity"}:
        _refuse_at(text, match.start(), levels, f"{lexeme} is not a JSON value", "Write a number.")
    if lexeme[0] in "-0123456789":
        digits = sum(character.isdigit() for character in lexeme)
        try:
            too_large = digits > 400 or float(lexeme) in {float("inf"), float("-inf")}
        except ValueError:
            return  # no number: the parser proper tells
        if too_large:
            _refuse_at(text, match.start(), levels, "the number is too large", "Write a smaller number.")


def _constant(name: str) -> NoReturn:
    _refuse("$", f"{name} is not a JSON value", "Write a number.")


def _path(levels: list[_Level]) -> str:
    steps = (
        f".{level.key}" if level.is_object else f"[{level.index}]"
        for level in levels
        if level.key or not level.is_object
    )
    return "$" + "".join(steps)


def _refuse_at(text: str, position: int, levels: list[_Level], what: str, fix: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    shown = _path(levels)
    _refuse(shown if len(shown) < 200 else shown[:200] + "…", f"{what} (line {line}, column {column})", fix)


def _refuse(path: str, what: str, fix: str) -> NoReturn:
    raise BadConfiguration([Problem(path, what, fix)])
