"""The dialog that asks why a release is rejected, in its three states: loading, asking, and not to be asked any more.

The front opens it within a trigger id's three seconds, before anything is known but the button; the worker fills it.
What it carries in ``private_metadata`` is what the button carried and where the button was: ids, no credential.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, plain_text, section
from orchestrator.core.messages.buttons import Question, question
from orchestrator.core.messages.mrkdwn import bold, said

REJECT_VIEW = "reject_reason"
"""callback_id."""

REASON = "reason"
"""block_id and action_id of the one input."""

MIN_REASON = 3
MAX_REASON = 1000
"""Characters of a reason; the same as ``steps.decide_approval`` demands, which a test holds together. Not imported, so
that the front loads nothing it does not need."""


@dataclass(frozen=True)
class Place:
    """What a reject dialog is about: the question, and the message whose button was clicked."""

    question: Question
    channel: str
    message_ts: str

    def __str__(self) -> str:
        return f"{self.question}|{self.channel}|{self.message_ts}"


def place(metadata: object) -> Place | None:
    """What ``Place.__str__`` wrote; None for anything else."""
    if not isinstance(metadata, str):
        return None
    head, _, rest = metadata.rpartition("|")
    head, _, channel = head.rpartition("|")
    asked = question(head)
    return Place(asked, channel, rest) if asked else None


def dialog_id(user: str, click: str) -> str:
    """external_id of the dialog that one click opens: front and worker compute the same."""
    return f"reject-{hashlib.sha256(f'{user}|{click}'.encode()).hexdigest()[:40]}"


def loading_view(where: Place, external_id: str) -> Block:
    """Opened at once; it cannot be submitted yet."""
    return _view(where, external_id, [section("One moment …")])


def reason_view(where: Place, external_id: str, workload: str, stage: str, *, removes: bool = False) -> Block:
    """Asks for the reason; ``removes`` where a removal is rejected."""
    kept = "stays in" if removes else "will not be deployed to"
    about = f"{bold(workload, limits.NAME)} {kept} {bold(stage, limits.NAME)}."
    then = "The removal ends." if removes else "Its change set is deleted and the release ends."
    asked: Block = {
        "type": "input",
        "block_id": REASON,
        "label": plain_text("Reason", limits.INPUT_LABEL),
        "hint": plain_text("Shown in the release's message and e-mail, and kept in its record.", limits.INPUT_LABEL),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "min_length": MIN_REASON,
            "max_length": MAX_REASON,
            "focus_on_load": True,
        },
    }
    view = _view(where, external_id, [section(f"{about} {then}"), asked])
    return view | {"submit": plain_text("Reject", limits.VIEW_TITLE), "close": plain_text("Cancel", limits.VIEW_TITLE)}


def closed_view(where: Place, external_id: str, why: str) -> Block:
    """Says why there is nothing to reject (any more), or not by this person."""
    return _view(where, external_id, [section(said(why, limits.SECTION_TEXT))])


def reason_problem(reason: object) -> str:
    """What is wrong with a reason, for the person who wrote it; empty when nothing is."""
    text = reason.strip() if isinstance(reason, str) else ""
    if len(text) < MIN_REASON:
        return f"Please give a reason of at least {MIN_REASON} characters: it is what the requester will read."
    if len(text) > MAX_REASON:
        return f"Please use at most {MAX_REASON} characters; this has {len(text)}."
    return ""


def _view(where: Place, external_id: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": REJECT_VIEW,
        "external_id": external_id,
        "private_metadata": str(where),
        "title": plain_text("Reject this release", limits.VIEW_TITLE),
        "close": plain_text("Close", limits.VIEW_TITLE),
        "blocks": blocks,
    }
