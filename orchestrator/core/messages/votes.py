"""Who has said what about one approval: each vote with its comment, and each that was withdrawn."""

from __future__ import annotations

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Message, message, section
from orchestrator.core.messages.mrkdwn import bold, clean, date, quote, said
from orchestrator.core.records import Approval, Verdict, Vote


def vote_lines(approval: Approval) -> list[str]:
    """Votes that stand, newest last, then what was withdrawn; in mrkdwn. A rejection's reason stands elsewhere."""
    shown = approval.votes[-limits.VOTES :]
    told = [f"… {len(approval.votes) - len(shown)} earlier votes"] if len(shown) < len(approval.votes) else []
    for vote in shown:
        approved = vote.verdict is Verdict.APPROVE
        mark, did = (":white_check_mark:", "approved") if approved else (":no_entry_sign:", "rejected")
        line = f"{mark} {said(vote.display, limits.NAME)} {did}{_via(vote.via)} {date(vote.at)}"
        comment = quote(vote.reason, limits.COMMENT) if approved else ""
        told.append(f"{line}\n{comment}" if comment else line)
    for one in approval.withdrawals[-limits.WITHDRAWALS :]:
        who = said(one.display, limits.NAME)
        told.append(f":leftwards_arrow_with_hook: {who} withdrew an approval{_via(one.via)} {date(one.at)}")
    return told


def _via(via: str) -> str:
    return "" if via == "slack" else f" by {said(via, 20)}"


def vote_texts(approval: Approval) -> list[str]:
    """The same in plain text, a rejection with its reason."""
    told = []
    for vote in approval.votes:
        did = "approved" if vote.verdict is Verdict.APPROVE else "rejected"
        reason = f': "{clean(vote.reason)}"' if clean(vote.reason) else ""
        told.append(f"{vote.display} {did} at {vote.at}{reason}")
    return [*told, *(f"{one.display} withdrew an approval at {one.at}" for one in approval.withdrawals)]


def comment_reply(approval: Approval, vote: Vote) -> Message:
    """An approval's comment, in the message's thread."""
    told = f"{said(vote.display, limits.NAME)} approved {bold(approval.stage, limits.NAME)}:"
    return message(
        f"{told} {said(vote.reason, limits.DESCRIPTION)}",
        [section(f":speech_balloon: {told}\n{quote(vote.reason, limits.REASON)}")],
    )
