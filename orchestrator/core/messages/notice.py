"""A notice about something that is live, for Slack and as an e-mail."""

from __future__ import annotations

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Message, message, section
from orchestrator.core.messages.mail import Letter, letter
from orchestrator.core.messages.mrkdwn import bold, code, lines, said
from orchestrator.core.messages.rollbacks import roll_back_button
from orchestrator.core.notices import COMMAND, Notice


def notice_message(notice: Notice) -> Message:
    """A message of its own in the channel: nobody would see a reply below a release of long ago."""
    subject = said(notice.subject, limits.DESCRIPTION)
    shown = [f":warning: {bold(notice.subject, limits.DESCRIPTION)}", *map(_line, notice.lines)]
    blocks = [section(lines(shown, limits.SECTION_TEXT, len(shown)))]
    if notice.goes_back_to:
        blocks.append(roll_back_button(notice.goes_back_to, "", "what is live"))
    return message(subject, blocks)


def _line(line: str) -> str:
    return code(line.strip(), limits.DESCRIPTION) if line.startswith(COMMAND) else said(line, limits.DESCRIPTION)


def notice_letter(notice: Notice) -> Letter:
    """The same as an e-mail."""
    return letter(f"[notice] {notice.subject}", [f"{notice.subject}.", "", *notice.lines])
