"""The dialogs that ask why a release is rejected, and for a comment on an approval.

Each has three states: loading, asking, and not to be asked any more.

The front opens it within a trigger id's three seconds, before anything is known but the button; the worker fills it.
What it carries in ``private_metadata`` is what the button carried and where the button was: ids, no credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, plain_text, section
from orchestrator.core.messages.buttons import APPROVE_COMMENT, REJECT, Question, question
from orchestrator.core.messages.mrkdwn import bold, said

REASON = "reason"
"""block_id and action_id of the one input."""

MIN_REASON = 3
MAX_REASON = 512
"""Characters of a reason, and of a comment; the same as ``steps.decide_approval`` demands, which a test holds together.
Not imported, so that the front loads nothing it does not need."""


@dataclass(frozen=True)
class Dialog:
    """One kind of dialog."""

    callback_id: str
    title: str
    label: str
    submit: str
    least: int
    """Characters."""
    too_short: str


REJECTION = Dialog(
    "reject_reason",
    "Reject this release",
    "Reason",
    "Reject",
    MIN_REASON,
    f"Please give a reason of at least {MIN_REASON} characters: it is what the requester will read.",
)
COMMENT = Dialog(
    "approve_comment",
    "Approve with comment",
    "Comment",
    "Approve",
    1,
    "Please write a comment; without one, use the button Approve.",
)

OF_BUTTONS: Mapping[str, Dialog] = {REJECT: REJECTION, APPROVE_COMMENT: COMMENT}
"""By action_id of the button that opens it."""

OF_VIEWS: Mapping[str, Dialog] = {dialog.callback_id: dialog for dialog in OF_BUTTONS.values()}
"""By callback_id."""


@dataclass(frozen=True)
class Place:
    """What a dialog is about: the question, and the message whose button was clicked."""

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
    return f"decide-{hashlib.sha256(f'{user}|{click}'.encode()).hexdigest()[:40]}"


def loading_view(dialog: Dialog, where: Place, external_id: str) -> Block:
    """Opened at once; it cannot be submitted yet."""
    return _view(dialog, where, external_id, [section("One moment …")])


def asking_view(
    dialog: Dialog, where: Place, external_id: str, workload: str, stage: str, *, removes: bool = False
) -> Block:
    """Asks for the text, and says what submitting it does; ``removes`` where it is about a removal."""
    done = _rejecting(workload, stage, removes) if dialog is REJECTION else _approving(workload, stage, removes)
    asked: Block = {
        "type": "input",
        "block_id": REASON,
        "label": plain_text(dialog.label, limits.INPUT_LABEL),
        "hint": plain_text("Shown in the release's message and e-mail, and kept in its record.", limits.INPUT_LABEL),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "min_length": dialog.least,
            "max_length": MAX_REASON,
            "focus_on_load": True,
        },
    }
    view = _view(dialog, where, external_id, [section(done), asked])
    return view | {
        "submit": plain_text(dialog.submit, limits.VIEW_TITLE),
        "close": plain_text("Cancel", limits.VIEW_TITLE),
    }


def _rejecting(workload: str, stage: str, removes: bool) -> str:
    kept = "stays in" if removes else "will not be deployed to"
    then = "The removal ends." if removes else "Its change set is deleted and the release ends."
    return f"{bold(workload, limits.NAME)} {kept} {bold(stage, limits.NAME)}. {then}"


def _approving(workload: str, stage: str, removes: bool) -> str:
    done = "removed from" if removes else "deployed to"
    exactly = "with everything that is listed" if removes else "exactly as planned"
    about = f"{bold(workload, limits.NAME)} will be {done} {bold(stage, limits.NAME)} {exactly}"
    return f"{about}, as soon as all needed approvals are given."


def closed_view(dialog: Dialog, where: Place, external_id: str, why: str) -> Block:
    """Says why there is nothing to decide (any more), or not by this person."""
    return _view(dialog, where, external_id, [section(said(why, limits.SECTION_TEXT))])


def text_problem(dialog: Dialog, typed: object) -> str:
    """What is wrong with a reason or comment, for the person who wrote it; empty when nothing is."""
    text = typed.strip() if isinstance(typed, str) else ""
    if len(text) < dialog.least:
        return dialog.too_short
    if len(text) > MAX_REASON:
        return f"Please use at most {MAX_REASON} characters; this has {len(text)}."
    return ""


def _view(dialog: Dialog, where: Place, external_id: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": dialog.callback_id,
        "external_id": external_id,
        "private_metadata": str(where),
        "title": plain_text(dialog.title, limits.VIEW_TITLE),
        "close": plain_text("Close", limits.VIEW_TITLE),
        "blocks": blocks,
    }
