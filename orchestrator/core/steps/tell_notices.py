"""What has happened to a release while it was live: a message of its own beside the release's, and an e-mail, once."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.chat import Chat
from orchestrator.core.messages.notice import notice_letter, notice_message
from orchestrator.core.notices import Notice
from orchestrator.core.steps.speaking import Speaker


def mail_notices(notices: Sequence[Notice], speaker: Speaker) -> list[str]:
    """Send an e-mail for each."""
    return [said for notice in notices for said in speaker.send(f"mail:{notice.notice_id}", notice_letter(notice))]


def tell_notices(notices: Sequence[Notice], speaker: Speaker, chat: Chat) -> list[str]:
    """Post a message for each."""
    return [said for notice in notices for said in _tell(notice, speaker, chat)]


def _tell(notice: Notice, speaker: Speaker, chat: Chat) -> list[str]:
    once = f"notice:{notice.notice_id}"
    row = speaker.row
    if once in row.announced:
        return []
    if speaker.begun(once, lambda since: chat.find(row.channel, once, since=since)) is None:
        speaker.undone_if_refused(once, lambda: chat.post(row.channel, notice_message(notice), key=once))
    speaker.announce(once)
    return ["told"]
