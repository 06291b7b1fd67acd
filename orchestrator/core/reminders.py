"""When somebody is reminded of a question: a pure function of the approval's record and the time.

The first reminder comes ``after_hours`` after the question, and each pause is twice as long as the one before. A pause
is measured from what has been: when the sweeper was late, so is the next reminder, and two never come together.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.core.records import Approval, ApprovalStatus


def next_reminder(approval: Approval) -> datetime | None:
    """When the next reminder is to be sent; None where none is (any more)."""
    wanted = approval.reminders
    if wanted is None or approval.status is not ApprovalStatus.PENDING or len(approval.reminded_at) >= wanted.at_most:
        return None
    said = [_moment(text) for text in (approval.asked_at, *approval.reminded_at)]
    pause = 2 * (said[-1] - said[-2]) if len(said) > 1 else timedelta(hours=wanted.after_hours)
    moment = said[-1] + pause
    return moment if moment < _moment(approval.expires_at) else None


def due(approval: Approval, now: datetime) -> bool:
    """Whether a reminder is to be sent now: never after the question has been answered or has expired."""
    moment = next_reminder(approval)
    return moment is not None and moment <= now < _moment(approval.expires_at)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
