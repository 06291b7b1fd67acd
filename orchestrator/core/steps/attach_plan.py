"""A plan that is too long for its message, put into the message's thread as a file: once for each approval.

The question is asked before. Where Slack refuses the file (the app lacks the scope, uploads are off), the message
says where else the plan is; where Slack does not take it just now, the outbox tries again.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.chat import Chat, Posted
from orchestrator.core.errors import ChatRefused
from orchestrator.core.messages.details import is_abridged, plan_file
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.steps.speaking import Speaker, ended


def attach_plan(facts: Facts, waiting: Waiting, speaker: Speaker, chat: Chat) -> list[str]:
    """Attach the file where it is needed and not there; ``attached`` where it was. Raises ``ChatUnavailable``."""
    plan, row = waiting.record.plan, speaker.row
    once, refused = _marks(waiting)
    if plan is None or not is_abridged(plan) or {once, refused} & set(row.announced):
        return []
    file = plan_file(facts, waiting, plan)
    posted = Posted(row.channel, row.ts)
    try:
        begun = once in row.begun and chat.has_file(posted, file.name, since=row.begun_at)
        speaker.begun(once, lambda _: None)
        if not begun:
            chat.attach(posted, file)
    except ChatRefused:
        speaker.note(lambda row: ended(replace(row, announced=(*row.announced, refused)), once))
        return []
    speaker.announce(once)
    return ["attached"]


def file_refused(facts: Facts, row: ChatMessage) -> bool:
    """Whether Slack has refused the file about what waits now."""
    waiting = facts.waiting
    return waiting is not None and _marks(waiting)[1] in row.announced


def _marks(waiting: Waiting) -> tuple[str, str]:
    """What is announced once the file is there, or is refused."""
    approval = waiting.approval.approval_id
    return f"file:{approval}", f"nofile:{approval}"
