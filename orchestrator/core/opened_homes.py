"""Who has opened the app's Home in Slack, and what was shown there last: a view's own bookkeeping, never the record.

Homes that were opened in the last days are kept current, the newest openers first, so many at most; whoever comes back
later opens a Home that is drawn anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Final

from orchestrator.core.people import Identity

LISTING: Final = "HOMES"

KEPT_DAYS: Final = 7
"""How long after it was opened a Home is kept current."""

MOST_KEPT: Final = 30
"""Homes that are kept current at a time: views.publish takes some hundred calls a minute from the whole workspace."""

CHANGED: Final = "homes_changed"
"""Type of the event that the table's stream puts on the worker's queue, beside those of Slack."""

GROUP: Final = "homes"
"""Message group of that event: one refresh at a time."""


@dataclass(frozen=True)
class OpenedHome:
    """One person's Home."""

    KIND: ClassVar[str] = "home"
    user: str
    """Slack's id of the person."""
    viewer: Identity
    """As whom he was recognised when he opened it."""
    workspace: str
    """Slack's id of the workspace that he opened it in; empty in an installation for a whole organisation."""
    opened_at: str
    expires_at: int
    """Epoch seconds: the table forgets it by itself."""
    rendered: str = ""
    """SHA-256 of what was published last: the same is not published twice."""
    hash: str = ""
    """Slack's hash of that view: a publication on the strength of an older one is refused."""
    notice: str = ""
    """What came of the person's last click here, in mrkdwn."""
    notice_until: str = ""
    """Until when it is shown."""
    closed: bool = False
    """Whether it is not kept current any more: Slack does not take it, or the person may not see it."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"HOME#{self.user}", "HOME"

    def listing(self) -> tuple[str, str] | None:
        """Homes that are kept current, those opened last at the end."""
        return None if self.closed else (LISTING, f"{self.opened_at}#{self.user}")


@dataclass(frozen=True)
class Redraw:
    """Whether a round through the Homes is on its way: whatever changes before it begins needs no other."""

    KIND: ClassVar[str] = "homes_redraw"
    asked_at: str = ""
    """Empty once it has begun."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return "HOMES", "REDRAW"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


def changed_event() -> str:
    """The event as a message of the worker's queue, as the front puts Slack's own events there."""
    return json.dumps({"body": json.dumps({"type": "event_callback", "event": {"type": CHANGED}})})
