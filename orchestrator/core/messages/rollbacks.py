"""A release that goes back to an earlier one: from what, to what and why; and the button that begins one."""

from __future__ import annotations

from orchestrator.core.gate_results import Fault
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, actions, plain_text, section
from orchestrator.core.messages.mrkdwn import bold, clean, code, quote
from orchestrator.core.messages.rollback_dialog import ROLL_BACK
from orchestrator.core.records import Release, StageRecord


def roll_back_button(release_id: str, target: str, workload: str) -> Block:
    """On the message of the first release; it carries that one's id, and what it goes back to is looked up anew when
    somebody clicks. It opens a dialog that says so before anything happens."""
    label, words = f"Roll back {workload}", "Roll back …"
    if target == release_id:
        label, words = f"Roll back {workload} to this release", "Roll back to this …"
    return actions(
        f"roll-back-{release_id}",
        {
            "type": "button",
            "action_id": ROLL_BACK,
            "text": plain_text(words, limits.BUTTON_TEXT),
            "value": release_id,
            "accessibility_label": plain_text(label, limits.BUTTON_TEXT)["text"],
        },
    )


def rollback_blocks(release: Release) -> list[Block]:
    """From what to what, and why in the words of whoever asked; none for a release that goes nowhere back."""
    if not release.goes_back_to:
        return []
    start = f" from {code(release.instead_of, limits.VALUE)}" if release.instead_of else ""
    told = f":rewind: *Rollback* of {bold(release.workload, limits.NAME)}{start} to {code(release.goes_back_to, 120)}"
    why = quote(release.asked_because, limits.DESCRIPTION)
    return [section(f"{told}\n{why}" if why else told)]


def rollback_lines(release: Release) -> list[str]:
    """The same for an e-mail."""
    if not release.goes_back_to:
        return []
    start = f" from {release.instead_of}" if release.instead_of else ""
    told = [f"Rollback of {release.workload}{start} to {release.goes_back_to}, whose package is deployed unchanged."]
    return [*told, *([f"Because: {clean(release.asked_because)}"] if release.asked_because else [])]


def worse_than_live(release: Release, record: StageRecord | None) -> str:
    """Why a gate only warns that stops every other release, as a sentence; empty where none does."""
    results = record.gates if record is not None and release.goes_back_to else ()
    worse = any(Fault.WORSE_THAN_LIVE in result.faults for result in results)
    return "Being worse than what is live stops no rollback." if worse else ""
