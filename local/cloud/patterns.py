"""Regular expressions of AWS's models, which are Java's, as Python's ``re`` takes them."""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    r"\p{L}": "\\w",
    r"\p{N}": "\\d",
    r"\p{Z}": "\\s",
    r"\p{M}": "\\w",
    r"\p{P}": "!-/:-@\\[-`{-~",
    r"\p{S}": "+",
}
"""Unicode categories by the nearest class that can stand inside brackets and outside."""

MAX_MATCHED = 4096
"""Characters; a longer text, such as a policy or a pipeline's definition, has no pattern that says anything."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The expression; None for one that Python cannot read, which is then not asked."""
    for category, nearest in _CLASSES.items():
        pattern = pattern.replace(category, nearest)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def whole(pattern: str, text: str) -> bool:
    """Whether all of a text matches, as the APIs ask it."""
    found = compiled(pattern)
    return found is None or len(text) > MAX_MATCHED or found.fullmatch(text) is not None


def within(pattern: str, text: str) -> bool:
    """Whether a text matches somewhere, as JSON Schema asks it."""
    found = compiled(pattern)
    return found is None or len(text) > MAX_MATCHED or found.search(text) is not None
