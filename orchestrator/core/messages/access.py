"""What a plan opens, in plain sight: IAM, network and encryption, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, section
from orchestrator.core.messages.mrkdwn import clean, code, joined, lines, said
from orchestrator.core.plans import AccessChange, Area, Plan, Reach, access_sentence, access_title

_MARKS = {
    Reach.WIDENS: ":rotating_light:",
    Reach.MAY_WIDEN: ":warning:",
    Reach.MOVES: ":left_right_arrow:",
    Reach.GRANTS: ":key:",
}
_ALARMING = (Reach.WIDENS, Reach.MAY_WIDEN)
_LITERAL = str.maketrans({"*": "∗", "`": "ˋ", "~": "∼"})


def access_blocks(plan: Plan, *, whole: bool = False) -> list[Block]:
    """One section, where the plan opens anything. ``whole``: all of it, as far as a section holds it."""
    shown: list[str] = []
    for (reach, area), changes in _groups(plan.access):
        some = limits.WIDENINGS if reach in _ALARMING else limits.GRANTS
        title, most = access_title(reach, area), len(changes) if whole else some
        shown.append(f"{_MARKS[reach]} *{title[0].upper()}{title[1:]}* ({len(changes)})")
        shown += map(_line, changes[:most])
        rest = len(changes) - most
        shown += [f"… and {rest} more"] if rest > 0 else []
    return [section(lines(shown, limits.SECTION_TEXT))] if shown else []


def access_lines(plan: Plan) -> list[str]:
    """The same for an e-mail."""
    told = [_sentence(change) for change in plan.access[: limits.CHANGES]]
    rest = len(plan.access) - len(told)
    return [*told, f"  … and {rest} more"] if rest > 0 else told


def widened(plan: Plan) -> str:
    """``widens IAM access and may widen network access``; empty where it does neither."""
    return joined(access_title(*group) for group, _ in _groups(plan.access) if group[0] in _ALARMING)


def _groups(changes: Sequence[AccessChange]) -> list[tuple[tuple[Reach, Area], list[AccessChange]]]:
    return [(group, list(members)) for group, members in groupby(changes, key=lambda one: (one.reach, one.area))]


def _line(change: AccessChange) -> str:
    # An asterisk of a policy would be taken for bold, and not be seen.
    told = said(change.told.translate(_LITERAL), limits.GRANTED if change.reach is Reach.GRANTS else limits.TOLD)
    return f"• {code(change.logical_id, limits.NAME)} {told}"


def _sentence(change: AccessChange) -> str:
    sentence = clean(access_sentence(change))
    return f"  {sentence[0].upper()}{sentence[1:]}"
