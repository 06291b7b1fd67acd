"""A notice about something that is live: told in the channel of the release that put it there, and by e-mail, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from orchestrator.core.records import Approval, Release, StageRecord

COMMAND = "  "
"""How a line that is a command begins."""


@dataclass(frozen=True)
class Notice:
    """What has happened, and what people can do about it. A row beside the release's own, so the table's stream tells
    of it."""

    KIND: ClassVar[str] = "notice"
    release_id: str
    notice_id: str
    subject: str
    """One line, for the e-mail's subject and the message's first line."""
    lines: tuple[str, ...] = ()
    """Sentences; and commands, see ``COMMAND``."""
    goes_back_to: str = ""
    """The release that its button goes back to; empty for a notice without one."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"RELEASE#{self.release_id}", f"NOTICE#{self.notice_id}"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


SHOWN: Final = (Release, StageRecord, Approval, Notice)
"""Rows that a message shows; others (waits, claims, the messages themselves) wake nobody."""
