"""IAM's wildcards: whether one pattern covers another, and whether two can meet.

``*`` stands for any text, ``?`` for one character (IAM User Guide, "IAM JSON policy elements: Resource"). A policy
variable such as ``${aws:username}`` stands for text that nobody knows here: only the same variable or ``*`` covers it.
"""

from __future__ import annotations

from functools import lru_cache

from orchestrator.core.access.contexts import UNKNOWN

_VARIABLE = frozenset("${}*")
"""Characters that may stand for several, which ``?`` therefore does not cover."""


def covers(pattern: str, other: str) -> bool:
    """Whether everything that ``other`` matches is matched by ``pattern``; False also where that is not certain."""
    if pattern == "*" or (pattern == other and UNKNOWN not in other):
        return True
    if UNKNOWN in pattern or ("${" in pattern and pattern != other):
        return False
    # What the deployment makes stands for any text, as a star does: only a star covers it.
    return _matches(pattern, other.replace(UNKNOWN, "*"))


def _matches(pattern: str, text: str) -> bool:
    """The greedy match of a wildcard pattern, with one step back to the last star; linear for what policies hold."""
    at = in_text = 0
    star = resume = -1
    while in_text < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, in_text
            at += 1
        elif at < len(pattern) and _same(pattern[at], text[in_text]):
            at, in_text = at + 1, in_text + 1
        elif star >= 0:
            resume += 1
            at, in_text = star + 1, resume
        else:
            return False
    return all(character == "*" for character in pattern[at:])


def _same(one: str, other: str) -> bool:
    return (one == other and one != "*") or (one == "?" and other not in _VARIABLE)


def meet(one: str, other: str) -> bool:
    """Whether some text matches both; True also where that is not certain."""
    if any(mark in text for mark in (UNKNOWN, "${") for text in (one, other)):
        return True
    return _meet(one, other)


@lru_cache(maxsize=4096)
def _meet(one: str, other: str) -> bool:
    row = [True, *(False for _ in other)]
    for index, character in enumerate(other):
        row[index + 1] = row[index] and character == "*"
    for mark in one:
        above, row = row, [row[0] and mark == "*"]
        for index, character in enumerate(other):
            if mark == "*":
                found = above[index + 1] or row[index]
            elif character == "*":
                found = row[index] or above[index + 1]
            else:
                found = above[index] and (mark == character or "?" in {mark, character})
            row.append(found)
    return row[-1]
