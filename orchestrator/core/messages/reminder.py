"""The reply in the message's thread that calls those once more who have not decided, and the e-mail where Slack is not.

It says how long is left; what the question is about stands in the message above it.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.core.approvals import Rules
from orchestrator.core.calling import called_again
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Message, message, section
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.mail import Letter, letter
from orchestrator.core.messages.mrkdwn import bold, date, said
from orchestrator.core.messages.question import others


def reminder_reply(facts: Facts, waiting: Waiting, rules: Rules, now: datetime) -> Message:
    """Who is called once more, what about, what is still needed and until when.

    ``rules`` may know who is in the user groups; then their members are called one by one.
    """
    approval, release = waiting.approval, facts.release
    called = called_again(rules, release.requester, approval.votes)
    pings = " ".join(called.mentions[: limits.MENTIONS])
    about = "its removal from " if release.removes else ""
    needed = facts.needed(approval)
    left = left_in_words(approval.expires_at, now)
    told = (
        f"{pings} :alarm_clock: {bold(release.workload, limits.NAME)} still waits for your decision about "
        f"{about}{bold(approval.stage, limits.NAME)}, which expires in {left}, {date(approval.expires_at)}."
    ).strip()
    if needed:
        told += f" Needed: {said(needed, limits.DESCRIPTION)}."
    told += others(called)
    text = (
        f"{pings} {said(release.workload, limits.NAME)} still waits for your decision about {about}"
        f"{said(approval.stage, limits.NAME)}. It expires in {left}."
    ).strip()
    return message(text, [section(told)])


def reminder_letter(facts: Facts, waiting: Waiting, now: datetime) -> Letter:
    """The same by e-mail, to whoever gets the installation's e-mails."""
    approval, release = waiting.approval, facts.release
    about = "its removal from " if release.removes else ""
    needed = facts.needed(approval)
    left = left_in_words(approval.expires_at, now)
    told = [
        f"{release.workload} still waits for a decision about {about}{approval.stage}.",
        f"Still needed: {needed}." if needed else "",
        f"The question expires in {left}, at {approval.expires_at}.",
        "",
        f"To decide: mlops approve {release.release_id}",
        f"       or: mlops reject {release.release_id}",
    ]
    return letter(f"[reminder] {release.workload} waits for a decision about {approval.stage}", told)


def left_in_words(expires_at: str, now: datetime) -> str:
    """The time until then, in words."""
    minutes = max(0, int((datetime.fromisoformat(expires_at.replace("Z", "+00:00")) - now).total_seconds() // 60))
    if minutes < 90:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
