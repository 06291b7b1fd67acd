"""Why a command did not do what was asked.

::

    Refused                exit status 1; nothing was changed, the message says why
    ├── Problems           a configuration has problems; carries all of them
    ├── Denied             IAM refused the call
    └── Unreachable        the API did not answer

Wrong usage (exit status 2) is ``typer.BadParameter``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

from orchestrator.core.problems import BadConfiguration


class Refused(Exception):
    """The command was refused; ``answer`` is what ``--json`` prints."""

    def __init__(self, message: str, answer: Mapping[str, Any] | None = None) -> None:
        self.answer = dict(answer) if answer is not None else {"message": message}
        super().__init__(message)


class Problems(Refused):
    """A configuration was refused; ``problems`` are objects with path, what, fix and severity."""

    def __init__(self, problems: Sequence[Mapping[str, str]], answer: Mapping[str, Any]) -> None:
        self.problems = tuple(problems)
        super().__init__("The configuration has problems; nothing was released.", answer)

    @classmethod
    def of(cls, error: BadConfiguration) -> Self:
        """What the check made here found, in the form in which the API tells it."""
        found = [asdict(problem) for problem in error.problems]
        return cls(found, {"message": str(error), "problems": found})


class Denied(Refused):
    """IAM, or API Gateway for it, refused the call."""


class Unreachable(Refused):
    """No answer came, or none that the API could have given."""
