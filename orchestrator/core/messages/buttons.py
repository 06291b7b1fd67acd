"""Approve, Approve with comment, Reject, Withdraw: what they carry, and what they say before they do it.

A button's value is the approval's id and the start of the digest of what was shown, and nothing else: whoever reads a
message can copy it, so it must be worth nothing to a person who may not decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, actions, plain_text
from orchestrator.core.messages.mrkdwn import plain

if TYPE_CHECKING:
    # Not for the front, which reads buttons and counts its modules.
    from orchestrator.core.records import Approval, Release

APPROVE, APPROVE_COMMENT, REJECT, WITHDRAW = "approve", "approve_comment", "reject", "withdraw"
"""action_ids."""

_APPROVED = "approve"
"""Value of ``records.Verdict.APPROVE``."""

DIGEST_DIGITS = 16
"""Hex digits of the digest in a button: 64 bits, which nobody meets by chance."""

_VALUE = re.compile(r"([0-9a-f]{8,64})\|([0-9a-f]{16})")


@dataclass(frozen=True)
class Question:
    """What a button stands for: one approval, as it was shown."""

    approval_id: str
    digest_prefix: str

    def __str__(self) -> str:
        return f"{self.approval_id}|{self.digest_prefix}"


def question(value: object) -> Question | None:
    """The question of a button's value; None for anything that no button of ours carries."""
    found = _VALUE.fullmatch(value) if isinstance(value, str) else None
    return Question(found[1], found[2]) if found else None


def question_of(approval: Approval) -> Question:
    """The question that an approval's buttons carry."""
    return Question(approval.approval_id, approval.digest[:DIGEST_DIGITS])


def decision_buttons(release: Release, approval: Approval) -> Block:
    """Approve, which asks once more; the two that open a dialog; Withdraw where there is an approval to take back."""
    workload, stage = release.workload, approval.stage
    what, done = stage, f"deployed to {stage} exactly as planned"
    if release.goes_back_to:
        what, done = f"rollback in {stage}", f"rolled back in {stage} exactly as planned"
    if release.removes:
        what, done = f"removal from {stage}", f"removed from {stage} with everything that is listed"
    sure = _confirm(
        f"Approve {what}?",
        f"{_short(workload)} will be {done} here, as soon as all needed approvals are given.",
        "Approve",
        "primary",
    )
    value = str(question_of(approval))
    buttons = [
        _button(APPROVE, "Approve", value, f"Approve {what} for {workload}", style="primary", confirm=sure),
        _button(APPROVE_COMMENT, "Approve with comment …", value, f"Approve with comment: {what} for {workload}"),
        _button(REJECT, "Reject …", value, f"Reject {what} for {workload}", style="danger"),
    ]
    if any(vote.verdict == _APPROVED for vote in approval.votes):
        back = _confirm(
            f"Withdraw your approval of {what}?",
            "Your vote stays in the record, and counts no more. You can vote again while the question is open.",
            "Withdraw",
            "danger",
        )
        buttons.append(
            _button(WITHDRAW, "Withdraw", value, f"Withdraw your approval of {what} for {workload}", confirm=back)
        )
    return actions(f"decide-{approval.approval_id}", *buttons)


def _button(action: str, text: str, value: str, label: str, **more: object) -> Block:
    return {
        "type": "button",
        "action_id": action,
        "text": plain_text(text, limits.BUTTON_TEXT),
        "value": value,
        "accessibility_label": plain(label, limits.BUTTON_TEXT),
        **more,
    }


def _confirm(title: str, text: str, yes: str, style: str) -> Block:
    return {
        "title": plain_text(title, limits.CONFIRM_TITLE),
        "text": plain_text(text, limits.CONFIRM_TEXT),
        "confirm": plain_text(yes, limits.CONFIRM_BUTTON),
        "deny": plain_text("Not yet" if style == "primary" else "Keep it", limits.CONFIRM_BUTTON),
        "style": style,
    }


def _short(workload: str) -> str:
    return plain(workload, limits.NAME)
