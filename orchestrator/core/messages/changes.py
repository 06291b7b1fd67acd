"""What a plan would change, for a person who has ten seconds and a phone.

What is destroyed comes first and is listed by name; what is only added or changed is counted and named briefly. Values
of parameters that a template declares NoEcho arrive as asterisks from CloudFormation and are shown as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.messages import limits
from orchestrator.core.messages.access import access_lines
from orchestrator.core.messages.blocks import Block, section
from orchestrator.core.messages.mrkdwn import code, joined, lines, said
from orchestrator.core.plans import ParameterChange, Plan, ResourceChange

_GROUPS = (
    ("replace", ":warning:", "replaced", limits.CHANGES),
    ("remove", ":wastebasket:", "removed", limits.CHANGES),
    ("maybe_replace", ":grey_question:", "perhaps replaced (CloudFormation decides as it deploys)", limits.CHANGES),
    ("add", ":heavy_plus_sign:", "added", limits.ADDITIONS),
    ("modify", ":pencil2:", "changed in place", limits.ADDITIONS),
)
"""Actions of a change set in the order of how much harm they can do."""

_COUNTED = {"replace": "replaced", "remove": "removed", "maybe_replace": "perhaps replaced", "add": "added"}

PROPERTIES = 5
"""Names of changed properties shown for one resource."""


def counted(plan: Plan) -> str:
    """``1 resource replaced, 3 added``; says so when nothing changes."""
    counts = {action: sum(change.action == action for change in plan.resources) for action, *_ in _GROUPS}
    known = [(count, _COUNTED.get(action, "changed")) for action, count in counts.items() if count]
    other = len(plan.resources) - sum(counts.values())
    known += [(other, "otherwise touched")] if other else []
    if not known:
        return "no resource changes" if not plan.parameters else "parameters only"
    (first, how), *rest = known
    words = [f"{first} resource{'' if first == 1 else 's'} {how}", *(f"{count} {what}" for count, what in rest)]
    return joined(words)


def change_blocks(plan: Plan, *, whole: bool = False) -> list[Block]:
    """At most seven sections: a summary, a group of resources each, and the parameters before and after.

    ``whole``: every resource and parameter, as far as a section holds them.
    """
    stack = "a new stack" if plan.creates_stack else "the stack"
    summary = f"*What would change* in {stack} {code(plan.stack_name, limits.VALUE)}: {counted(plan)}"
    blocks = [section(summary)]
    for action, emoji, words, most in _GROUPS:
        changes = [change for change in plan.resources if change.action == action]
        if changes:
            listed = len(changes) if whole else most
            blocks.append(section(_group(changes, f"{emoji} *{len(changes)} {words}*", listed)))
    if plan.parameters:
        some = limits.NEW_PARAMETERS if plan.creates_stack else limits.PARAMETERS
        listed = len(plan.parameters) if whole else some
        blocks.append(section(_parameters(plan.parameters, listed)))
    return blocks


def change_lines(plan: Plan) -> list[str]:
    """The same as plain lines, for an e-mail: every resource that is destroyed, the rest counted."""
    told = [f"Would change: {counted(plan)}.", *access_lines(plan)]
    for action, _, words, most in _GROUPS[:3]:
        names = [
            f"{change.logical_id} ({change.resource_type})" for change in plan.resources if change.action == action
        ]
        told += [f"  {words}: {name}" for name in names[:most]]
        told += [f"  … and {len(names) - most} more {words}"] if len(names) > most else []
    return told


def _group(changes: Sequence[ResourceChange], title: str, most: int) -> str:
    shown = [title, *(_resource(change) for change in changes[:most])]
    return lines(shown, limits.SECTION_TEXT, len(changes) + 1)


def _resource(change: ResourceChange) -> str:
    named = f"• {code(change.logical_id, limits.NAME)} {said(change.resource_type, limits.NAME)}"
    if not change.properties:
        return named
    names = joined(said(name, limits.NAME) for name in change.properties[:PROPERTIES])
    rest = len(change.properties) - PROPERTIES
    return f"{named}: {names}{f' and {rest} more' if rest > 0 else ''}"


def _parameters(changes: Sequence[ParameterChange], most: int) -> str:
    title = f":gear: *{len(changes)} parameter{'' if len(changes) == 1 else 's'}*, before → after"
    shown = [title, *(_parameter(change) for change in changes[:most])]
    return lines(shown, limits.SECTION_TEXT, len(changes) + 1)


def _parameter(change: ParameterChange) -> str:
    before = "_(new)_" if change.before is None else _value(change.before)
    after = "_(dropped)_" if change.after is None else _value(change.after)
    return f"• {said(change.name, limits.NAME)}: {before} → {after}"


def _value(value: str) -> str:
    return code(value, limits.VALUE) if value.strip() else "_(empty)_"
