"""Says the reminder that the sweeper has claimed: once, in the thread of the release's message, or by e-mail.

Only the newest one is said: of those that fell into a time when Slack could not be reached, one is enough.
"""

from __future__ import annotations

from orchestrator.core.chat import Chat
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.reminder import reminder_letter, reminder_reply
from orchestrator.core.steps.progress import read_stamp
from orchestrator.core.steps.speaking import Speaker
from orchestrator.core.user_groups import look_up


def remind(facts: Facts, waiting: Waiting, speaker: Speaker, chat: Chat) -> list[str]:
    """Call those once more who have not decided; ``reminded`` where it was done."""
    once = _unsaid(waiting, speaker)
    rules = facts.rules(waiting.approval.stage)
    if not once or rules is None:
        return []
    row = speaker.row
    found = speaker.begun(once, lambda since: chat.find(row.channel, once, since=since, thread=row.ts))
    if found is None:
        known = look_up(rules, speaker.groups).into(rules, waiting.approval.votes)
        reply = reminder_reply(facts, waiting, known, speaker.now())
        speaker.undone_if_refused(once, lambda: chat.post(row.channel, reply, key=once, thread=row.ts))
    speaker.announce(once)
    return ["reminded"]


def remind_by_mail(facts: Facts, speaker: Speaker) -> list[str]:
    """The same where Slack is not set up, or refuses the channel."""
    waiting = facts.waiting
    once = _unsaid(waiting, speaker) if waiting else ""
    return speaker.send(once, reminder_letter(facts, waiting, speaker.now())) if waiting and once else []


def _unsaid(waiting: Waiting, speaker: Speaker) -> str:
    """What stands for the reminder that is to be said; empty where none is, or it would come too late."""
    approval = waiting.approval
    count = len(approval.reminded_at)
    once = f"reminded:{approval.approval_id}:{count}"
    late = speaker.now() >= read_stamp(approval.expires_at)
    return "" if not count or late or once in speaker.row.announced else once
