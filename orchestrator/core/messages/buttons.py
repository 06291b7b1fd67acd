"""Approve and Reject: what they carry, and what they say before they do it.

A button's value is the approval's id and the start of the digest of what was shown, and nothing else: whoever reads a
message can copy it, so it must be worth nothing to a person who may not decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, actions, plain_text

if TYPE_CHECKING:
    # Not for the front, which reads buttons and counts its modules.
    from orchestrator.core.records import Approval, Release

APPROVE, REJECT = "approve", "reject"
"""action_ids."""

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
    """Approve, with a dialog that names what it does, and Reject, which asks for a reason."""
    value = str(question_of(approval))
    workload, stage = release.workload, approval.stage
    what, done = stage, f"deployed to {stage} exactly as planned"
    if release.goes_back_to:
        what, done = f"rollback in {stage}", f"rolled back in {stage} exactly as planned"
    if release.removes:
        what, done = f"removal from {stage}", f"removed from {stage} with everything that is listed"
    return actions(
        f"decide-{approval.approval_id}",
        {
            "type": "button",
            "action_id": APPROVE,
            "text": plain_text("Approve", limits.BUTTON_TEXT),
            "style": "primary",
            "value": value,
            "accessibility_label": _label(f"Approve {what} for", workload),
            "confirm": {
                "title": plain_text(f"Approve {what}?", limits.CONFIRM_TITLE),
                "text": plain_text(
                    f"{_short(workload)} will be {done} here, as soon as all needed approvals are given.",
                    limits.CONFIRM_TEXT,
                ),
                "confirm": plain_text("Approve", limits.CONFIRM_BUTTON),
                "deny": plain_text("Not yet", limits.CONFIRM_BUTTON),
                "style": "primary",
            },
        },
        {
            "type": "button",
            "action_id": REJECT,
            "text": plain_text("Reject …", limits.BUTTON_TEXT),
            "style": "danger",
            "value": value,
            "accessibility_label": _label(f"Reject {what} for", workload),
        },
    )


def _label(what: str, workload: str) -> str:
    return str(plain_text(f"{what} {workload}", limits.BUTTON_TEXT)["text"])


def _short(workload: str) -> str:
    return str(plain_text(workload, limits.NAME)["text"])
