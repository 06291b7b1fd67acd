"""What people write with their approvals: a reply in the message's thread for each, once."""

from __future__ import annotations

import hashlib

from orchestrator.core.chat import Chat
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.mrkdwn import clean
from orchestrator.core.messages.votes import comment_reply
from orchestrator.core.records import Approval, Verdict, Vote
from orchestrator.core.steps.speaking import Speaker


def tell_comments(facts: Facts, speaker: Speaker, chat: Chat) -> list[str]:
    """Post a reply for each comment; ``commented`` for each that was posted."""
    return [
        said
        for approval in facts.approvals.values()
        for vote in approval.votes
        if vote.verdict is Verdict.APPROVE and clean(vote.reason)
        for said in _tell(approval, vote, speaker, chat)
    ]


def _tell(approval: Approval, vote: Vote, speaker: Speaker, chat: Chat) -> list[str]:
    # Slack keeps this with the message: no person's address in it.
    cast = hashlib.sha256(f"{vote.person}|{vote.at}".encode()).hexdigest()[:16]
    once = f"comment:{approval.approval_id}:{cast}"
    row = speaker.row
    if once in row.announced:
        return []
    if speaker.begun(once, lambda since: chat.find(row.channel, once, since=since, thread=row.ts)) is None:
        reply = comment_reply(approval, vote)
        speaker.undone_if_refused(once, lambda: chat.post(row.channel, reply, key=once, thread=row.ts))
    speaker.announce(once)
    return ["commented"]
