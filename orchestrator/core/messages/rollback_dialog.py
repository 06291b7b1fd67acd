"""The dialog that begins a rollback: opened by the front, filled by the worker, with what came of it at last.

The front opens it while the trigger id lives, before anything is known. What it carries once it is filled is what was
shown: the workload, where it goes back to, and what was live then; the worker looks again when it is submitted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, context, plain_text, section
from orchestrator.core.messages.mrkdwn import bold, code, lines, said

ROLL_BACK = "roll_back"
"""action_id of the button, whose value is the id of the release that it stands at."""

ROLLBACK_VIEW = "roll_back_to"
"""callback_id."""

WHY = "why"
"""block_id and action_id of the one input."""

MAX_WHY = 1000
"""Characters; the same as ``steps.roll_back`` takes, which a test holds together."""

_TITLE = "Roll back"

_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,79}")


@dataclass(frozen=True)
class Shown:
    """What a dialog has shown: the workload, the release it goes back to, what was live, and the channel it was asked
    for in, where a private answer goes when the dialog is closed by then."""

    channel: str
    workload: str = ""
    to: str = ""
    live: str = ""

    def __str__(self) -> str:
        return "|".join((self.channel, self.workload, self.to, self.live))


@dataclass(frozen=True)
class Side:
    """A release as the dialog tells it, in mrkdwn."""

    release_id: str
    facts: tuple[str, ...]


def release_in(value: object) -> str:
    """The release that a button's value names; empty for what cannot be the id of one."""
    return value if isinstance(value, str) and _RELEASE.fullmatch(value) else ""


def shown_in(metadata: object) -> Shown | None:
    """What ``Shown.__str__`` wrote; None for anything else."""
    parts = metadata.split("|") if isinstance(metadata, str) else []
    return Shown(*parts) if len(parts) == 4 else None


def rollback_id(user: str, moment: str) -> str:
    """external_id of the dialog that one click or command opens: front and worker compute the same."""
    return f"rollback-{hashlib.sha256(f'{user}|{moment}'.encode()).hexdigest()[:40]}"


def loading_rollback(channel: str, external_id: str) -> Block:
    """Opened at once; it cannot be submitted yet."""
    return _view(Shown(channel), external_id, [section("One moment …")])


def starting_rollback(shown: Shown, external_id: str) -> Block:
    """Shown from the submission until it is known what comes of it."""
    return _view(shown, external_id, [section("The rollback is being started …")])


def told_rollback(channel: str, external_id: str, sentence: str) -> Block:
    """The last word, in mrkdwn: what was started, or why nothing can be."""
    return _view(Shown(channel), external_id, [section(sentence)])


def asking_rollback(shown: Shown, external_id: str, to: Side, live: Side | None, figures: Sequence[str]) -> Block:
    """From what to what, how good both are (in mrkdwn), and why."""
    blocks = [
        section(
            f"{bold(shown.workload, limits.NAME)} gets the package of an earlier release again, byte for byte: the "
            "same template, parameters and model."
        )
    ]
    if live is not None:
        blocks.append(_side("Live now", live))
    blocks.append(_side("Goes back to", to))
    if figures:
        blocks.append(section(lines([f":bar_chart: {' · '.join(figures)}"], limits.SECTION_TEXT)))
    blocks.append(context("Every stage is planned and approved as for any release; nothing changes before."))
    element: Block = {
        "type": "plain_text_input",
        "action_id": WHY,
        "multiline": True,
        "max_length": MAX_WHY,
        "focus_on_load": True,
    }
    blocks.append(
        {
            "type": "input",
            "block_id": WHY,
            "label": plain_text("Reason", limits.INPUT_LABEL),
            "hint": plain_text("Shown to those who decide, and kept in the record.", limits.INPUT_LABEL),
            "element": element,
            "optional": True,
        }
    )
    view = _view(shown, external_id, blocks)
    return view | {"submit": plain_text(_TITLE, limits.VIEW_TITLE), "close": plain_text("Cancel", limits.VIEW_TITLE)}


def why_in(state: object) -> str:
    """What a view's ``state`` holds as the reason."""
    found: Any = state
    for name in ("values", WHY, WHY, "value"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found.strip() if isinstance(found, str) else ""


def rollback_started(workload: str, to: str, release_id: str) -> str:
    """What was started, in mrkdwn."""
    return (
        f":rewind: {said(workload, limits.NAME)} goes back to {code(to, limits.VALUE)}: release "
        f"{code(release_id, limits.VALUE)} has started. Its message in the channel follows it."
    )


def _side(title: str, side: Side) -> Block:
    return section(lines([f"*{title}*  {code(side.release_id, limits.VALUE)}", *side.facts], limits.SECTION_TEXT))


def _view(shown: Shown, external_id: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": ROLLBACK_VIEW,
        "external_id": external_id,
        "private_metadata": str(shown),
        "title": plain_text(_TITLE, limits.VIEW_TITLE),
        "close": plain_text("Close", limits.VIEW_TITLE),
        "blocks": blocks,
    }
