"""A line of shell, split into words and operators.

Quotes, backslashes, ``$NAME``, ``${NAME}``, ``${NAME:-default}`` and the operators ``; & && | || { } ( )``;
redirections are left out. Command substitution, loops and conditionals are beyond it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}|(?P<plain>[A-Za-z_]\w*))")
_OPERATORS = ("&&", "||", ";", "|", "&", "(", ")")
_KEYWORDS = frozenset({"if", "for", "while", "until", "case", "function", "select"})


class NotUnderstood(Exception):
    """The line has what is not followed here; the message says what."""


@dataclass(frozen=True)
class Variable:
    """A variable that stands in a word."""

    name: str
    default: str


Piece = str | Variable


@dataclass(frozen=True)
class Token:
    """A word in its pieces, or an operator."""

    pieces: tuple[Piece, ...]
    operator: bool = False

    @property
    def plain(self) -> str:
        """Its text without what variables stand for."""
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    def text(self, lookup: Callable[[str], str]) -> str:
        """Its text; variables are looked up when the command is reached, after the assignments before it."""
        return "".join(
            piece if isinstance(piece, str) else lookup(piece.name) or piece.default for piece in self.pieces
        )


def tokens(line: str) -> list[Token]:
    """The tokens of a line; raises NotUnderstood."""
    found = _without_redirections(list(_scanned(line)))
    if found and not found[0].operator and found[0].plain in _KEYWORDS:
        raise NotUnderstood(f"{found[0].plain} is not followed here")
    return found


def _scanned(line: str) -> Iterator[Token]:
    word: list[Piece] | None = None
    at = 0
    while at < len(line):
        character = line[at]
        operator = next((sign for sign in _OPERATORS if line.startswith(sign, at)), "")
        if operator == "&" and word and word[-1] == ">":
            operator = ""  # ``2>&1``
        if not character.isspace() and not operator and (character != "#" or word is not None):
            pieces, at = _piece(line, at)
            word = [*(word or []), *pieces]
            continue
        if word is not None:
            yield _finished(word)
            word = None
        if character == "#":
            at = line.find("\n", at) if "\n" in line[at:] else len(line)
            continue
        if operator or character == "\n":
            yield Token((operator or ";",), operator=True)
        at += len(operator) or 1
    if word is not None:
        yield _finished(word)


def _finished(word: list[Piece]) -> Token:
    return Token(tuple(word), operator=word in (["{"], ["}"]))


def _piece(line: str, at: int) -> tuple[list[Piece], int]:
    """What begins at a place, and where it ends."""
    character = line[at]
    if character == "'":
        end = _closing(line, at)
        return [line[at + 1 : end]], end + 1
    if character == '"':
        end = _closing(line, at)
        return _expandable(line[at + 1 : end]), end + 1
    if character == "\\":
        escaped = line[at + 1 : at + 2]
        return ([] if escaped == "\n" else [escaped]), at + 2
    if character in "$`":
        matched = _VARIABLE.match(line, at)
        if matched is None:
            raise NotUnderstood("command substitution is not followed here")
        return [_variable(matched)], matched.end()
    return [character], at + 1


def _closing(line: str, at: int) -> int:
    """Where the quotation that begins at a place ends."""
    end = at + 1
    while end < len(line) and line[end] != line[at]:
        end += 2 if line[at] == '"' and line[end] == "\\" else 1
    if end >= len(line):
        raise NotUnderstood("a quotation is not closed")
    return end


def _expandable(text: str) -> list[Piece]:
    """The pieces within double quotes."""
    if "$(" in text or "`" in text:
        raise NotUnderstood("command substitution is not followed here")
    found: list[Piece] = []
    at = 0
    for matched in _VARIABLE.finditer(text):
        if not text[at : matched.start()].endswith("\\"):
            found += [_unescaped(text[at : matched.start()]), _variable(matched)]
            at = matched.end()
    return [*found, _unescaped(text[at:])]


def _unescaped(text: str) -> str:
    return re.sub(r'\\(["\\$])', r"\1", text)


def _variable(matched: re.Match[str]) -> Variable:
    return Variable(matched["braced"] or matched["plain"], matched["default"] or "")


def _without_redirections(found: list[Token]) -> list[Token]:
    kept: list[Token] = []
    skip = False
    for token in found:
        if skip:
            skip = False
        elif not token.operator and re.fullmatch(r"\d?(>>?|<)", token.plain):
            skip = True
        elif token.operator or not re.match(r"^\d?>", token.plain):
            kept.append(token)
    return kept
