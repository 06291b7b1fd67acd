"""One thing that was looked at, how it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """What is looked at; ``docs/operations.md`` explains each. The first two are the command's own."""

    CREDENTIALS = "aws-credentials"
    API = "api"
    SECRET = "slack-secret"  # noqa: S105 - the name of a check
    FRONT = "slack-requests"
    TOKEN = "slack-token"  # noqa: S105
    WORKSPACE = "slack-workspace"
    SCOPES = "slack-scopes"
    CHANNEL = "slack-channel"
    USER_GROUP = "user-group"
    APPROVER = "approver"
    APPROVAL = "approval"
    STAGE = "stage"
    MAIL = "mail"


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    """Something is lost, or may be; people can work."""
    FAULT = "fault"
    """Something does not work."""
    SKIPPED = "skipped"
    """Not looked at, because of another fault."""


@dataclass(frozen=True)
class Finding:
    """The answer to one question about an installation."""

    check: Check
    state: State
    what: str
    """How it stands, as a clause without a full stop at its end."""
    fix: str = ""
    """What to do, as a sentence; empty where there is nothing to do."""
    about: str = ""
    """Of which stage, channel or person; empty where there is one only."""

    @classmethod
    def ok(cls, check: Check, what: str, about: str = "") -> Finding:
        """All is well."""
        return cls(check, State.OK, what, "", about)

    @classmethod
    def warning(cls, check: Check, what: str, fix: str, about: str = "") -> Finding:
        """Something is lost, or may be."""
        return cls(check, State.WARNING, what, fix, about)

    @classmethod
    def fault(cls, check: Check, what: str, fix: str, about: str = "") -> Finding:
        """Something does not work."""
        return cls(check, State.FAULT, what, fix, about)

    @classmethod
    def skipped(cls, check: Check, what: str, about: str = "") -> Finding:
        """Not looked at."""
        return cls(check, State.SKIPPED, what, "", about)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order of the checks; within a check as they came."""
    order = list(Check)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.check)))
