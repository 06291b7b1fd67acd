"""Entries, their canonical JSON, and the hashes that chain them. Everything here can be recomputed by an auditor.

The canonical form is that of RFC 8785 (JSON Canonicalization Scheme), for the values that an entry has: objects with
ASCII keys, lists, texts, booleans, null and whole numbers below 2^53. Libraries of other languages give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

FORMAT = 1
"""Of an entry; a verifier refuses others."""

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""

MAX_TEXT = 2_000
"""Characters kept of each text: a row of the table holds 400 KB."""

MAX_BYTES = 300_000
"""Of an entry's text; one that would be longer goes without its facts, and says so."""

REQUESTS = "_requests"
"""Name of the ledger of what became no release of a workload: refused and deleted configurations, model cards."""


class EntryKind(StrEnum):
    """What an entry tells of."""

    REQUEST = "request"
    """Somebody, or something, asked for a release or a removal."""
    PACKAGE = "package"
    """Its immutable package was written."""
    PLAN = "plan"
    """A stage was planned: a change set, or what a removal would remove."""
    PLAN_CHANGED = "plan_changed"
    """The stack had changed after the plan was made: plan, approval and votes are void."""
    PLAN_DISCARDED = "plan_discarded"
    """The release ended before the plan was executed."""
    APPROVAL_REQUESTED = "approval_requested"
    """People were asked about a plan."""
    VOTE = "vote"
    VOTE_WITHDRAWN = "vote_withdrawn"
    DECISION = "decision"
    """What became of the question: approved, rejected, expired, superseded."""
    DEPLOYMENT_STARTED = "deployment_started"
    DEPLOYMENT_ENDED = "deployment_ended"
    REMOVAL_STARTED = "removal_started"
    REMOVAL_ENDED = "removal_ended"
    JOB_STARTED = "job_started"
    JOB_ENDED = "job_ended"
    VERIFICATION = "verification"
    """What was deployed was checked."""
    OUTCOME = "outcome"
    """The release ended."""
    RECORD_ALTERED = "record_altered"
    """A row was changed in another way than the product changes rows."""
    RECORD_DELETED = "record_deleted"
    """A row was deleted, which the product never does."""
    RECORD_UNREADABLE = "record_unreadable"
    """There was a change of a row, but what it was could not be read, or of which workload: its release was deleted."""


@dataclass(frozen=True)
class Actor:
    """Who did it. No actor: the orchestrator itself."""

    display: str
    """Name to show; a claim is marked as unverified."""
    identity: str
    """E-mail address of the setting ``people``, Slack id, or ARN."""
    kind: str
    """What the identity is: slack, iam, email, git or unknown."""
    verified: bool
    """Whether AWS or Slack has authenticated it."""


@dataclass(frozen=True)
class Draft:
    """What a change tells, before it has its place in a chain."""

    kind: EntryKind
    change: str
    """Key of the change it is made of: the same for every delivery of it, and of nothing else."""
    at: str
    """When it happened, by the record (ISO 8601, UTC)."""
    release: str
    stage: str = ""
    actor: Actor | None = None
    via: str = ""
    """By which way it came in: slack, api, or what started a release."""
    outcome: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """The end of a chain."""

    sequence: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Sealed:
    """An entry in its place."""

    sequence: int
    hash: str
    """SHA-256 (hex) over the canonical JSON."""
    text: str
    """The canonical JSON."""
    change: str
    """Key of the change it tells."""

    @property
    def head(self) -> Head:
        """The chain's end, with this entry as its last."""
        return Head(self.sequence, self.hash)


def seal(draft: Draft, ledger: str, before: Head, recorded_at: str) -> Sealed:
    """Give a draft its place after an entry."""
    text = _text(draft, draft.facts, ledger, before, recorded_at)
    size = len(text.encode())
    if size > MAX_BYTES:
        text = _text(draft, {"left_out": f"{size} bytes"}, ledger, before, recorded_at)
    return Sealed(before.sequence + 1, digest(text), text, draft.change)


def _text(draft: Draft, facts: Mapping[str, Any], ledger: str, before: Head, recorded_at: str) -> str:
    entry = {
        "format": FORMAT,
        "ledger": ledger,
        "sequence": before.sequence + 1,
        "previous": before.hash,
        "kind": draft.kind.value,
        "at": draft.at,
        "recorded_at": recorded_at,
        "release": draft.release,
        "stage": draft.stage,
        "actor": asdict(draft.actor) if draft.actor else None,
        "via": draft.via,
        "outcome": draft.outcome,
        "reason": draft.reason,
        "facts": facts,
        "change": draft.change,
    }
    return canonical(kept(entry))


MEMBERS: Mapping[str, tuple[type, ...]] = {
    "format": (int,),
    "ledger": (str,),
    "sequence": (int,),
    "previous": (str,),
    "kind": (str,),
    "at": (str,),
    "recorded_at": (str,),
    "release": (str,),
    "stage": (str,),
    "actor": (dict, type(None)),
    "via": (str,),
    "outcome": (str,),
    "reason": (str,),
    "facts": (dict,),
    "change": (str,),
}
"""Members of an entry and their types."""


def canonical(value: object) -> str:
    """The one JSON text of a value: keys sorted, no spaces, nothing escaped that need not be."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 (hex) over a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def kept(value: Any) -> Any:
    """A value as an entry keeps it: texts that are no longer than they may be, and of characters that UTF-8 has."""
    match value:
        case str():
            text = value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"
            return text.encode("utf-8", "replace").decode()
        case Mapping():
            return {str(key): kept(member) for key, member in value.items()}
        case bool() | int() | None:
            return value
        case Sequence():
            return [kept(member) for member in value]
        case _:
            raise TypeError(f"an entry holds no {type(value).__name__}")
