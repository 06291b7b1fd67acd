"""What is wrong with a configuration, in sentences a person can act on.

A check never stops at the first problem: it collects them all, each with its JSON path in the file, and raises one
``BadConfiguration`` that carries them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.core.errors import Refused

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    path: str
    """JSON path from the file's root, such as ``$.model_name`` or ``$.pipelines[1].inference_instance.staging``."""
    what: str
    """What is wrong, as a clause or sentence without a full stop at its end."""
    fix: str
    """What to do, as a sentence; empty when ``what`` says it all."""
    severity: Severity = "error"

    @property
    def sentence(self) -> str:
        """Path, problem and remedy in one line."""
        told = f"{self.path}: {self.what.rstrip('.')}."
        return f"{told} {self.fix}".strip()


class BadConfiguration(Refused):
    """The configuration is refused; ``problems`` holds every reason, errors before warnings."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.severity == "warning"))
        super().__init__("\n".join(problem.sentence for problem in self.problems))


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote ``word`` most likely meant, or None."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.75)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``Did you mean "…"?``, or the known words when none is close (at most twelve of them)."""
    names = sorted(set(known))
    found = closest(word, names)
    if found is not None:
        return f'Did you mean "{found}"?'
    return f"Known: {listing(names)}." if names else ""


def listing(names: Iterable[str], *, most: int = 12) -> str:
    """Names separated by commas; a long list is cut and says by how many."""
    all_names = list(names)
    shown = ", ".join(all_names[:most])
    rest = len(all_names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


__all__ = ["BadConfiguration", "Problem", "Severity", "closest", "did_you_mean", "listing"]
