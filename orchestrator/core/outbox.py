"""The outbox: which releases have something to say that nobody has said yet, and who sends just now.

A row says only that a release has to be looked at; what is said is drawn from the records when its turn comes, so that
of many changes the last one is told, however long Slack was out of reach. The rows stand in the table, and stay until
what they stand for was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

OUTBOX = "OUTBOX"
"""Partition of what is unsaid."""


@dataclass(frozen=True)
class Unsaid:
    """A release that has changed since people were told of it last."""

    KIND: ClassVar[str] = "unsaid"
    release_id: str
    since: str
    """When the oldest of these changes was noted."""
    notes: int = 1
    """Grows with each change: whoever has spoken takes the row away only if nothing came in between."""
    attempts: int = 0
    """How often it was tried in vain since the last change."""
    refusals: int = 0
    """How often in a row Slack has refused it for good."""
    refusal: str = ""
    """Slack's code."""
    not_before: str = ""
    """When it is tried again, where that is not as soon as Slack can be reached."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return OUTBOX, self.release_id

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class Sender:
    """The one row about who sends to Slack, and when Slack may be called again."""

    KIND: ClassVar[str] = "sender"
    held_by: str = ""
    """The call that sends just now; there is no second one."""
    held_until: str = ""
    """When its turn ends even if it died."""
    knocks: int = 0
    """Grows whenever somebody comes while another sends: that one looks once more before it goes."""
    not_before: str = ""
    """No call of Slack before this moment: it has asked for a pause, or cannot be reached."""
    failures: int = 0
    """Calls in a row that did not reach Slack."""
    ready: tuple[tuple[str, str], ...] = ()
    """The pace: method → when as many calls of it as there were would have been in time, one by one."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return "SENDER", "SENDER"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class ChatMessage:
    """Where a release's Slack message is, and what was last said: a view's own bookkeeping, never the record."""

    KIND: ClassVar[str] = "message"
    release_id: str
    channel: str = ""
    ts: str = ""
    rendered: str = ""
    """SHA-256 of the blocks last sent: the same view is not sent twice."""
    announced: tuple[str, ...] = ()
    """Things said once: ``asked:<approval id>`` in the thread, ``mail:<status>`` by e-mail."""
    begun: tuple[str, ...] = ()
    """Posts that were begun and not yet noted: whoever finds one here looks in Slack before posting again."""
    begun_at: str = ""
    """When the first of them was begun."""
    link: str = ""
    """Address of the message, once somebody has asked for it."""
    link_ts: str = ""
    """Of which message that is the address: one that was lost is posted anew."""
    refused_channel: str = ""
    """Why Slack refused the release's own channel, where the message stands in the installation's instead."""
    held_by: str = ""
    """The call that speaks for this release just now; one at a time, so that an older view never overwrites a newer."""
    held_until: str = ""
    """When its turn ends even if it died."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"RELEASE#{self.release_id}", "MESSAGE"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None
