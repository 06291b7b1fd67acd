"""A vote that its own voter has taken back: kept beside the votes, so that the record tells both."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Withdrawal:
    """Somebody has taken an approval back while others were still missing."""

    person: str
    """Comparable key of the human (``People.key``), as in the vote."""
    display: str
    cast_at: str
    """When the vote was cast that does not stand any more."""
    at: str
    via: str = "slack"
