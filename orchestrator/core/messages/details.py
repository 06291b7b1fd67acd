"""The whole plan as a file in the message's thread, where the message cannot show all of it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.core.gate_words import sentence as gate_sentence
from orchestrator.core.gate_words import worst_first
from orchestrator.core.messages import limits
from orchestrator.core.messages.access import access_blocks
from orchestrator.core.messages.blocks import File
from orchestrator.core.messages.changes import change_blocks, counted
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.jobs import coming_job
from orchestrator.core.messages.mrkdwn import clean, code, lapse
from orchestrator.core.plans import Plan, access_sentence

_CUT = "…"
"""Stands wherever a message leaves something out. A value that has one itself only means a file more."""

_ACTIONS = {
    "replace": "replaced",
    "remove": "removed",
    "maybe_replace": "perhaps replaced",
    "add": "added",
    "modify": "changed in place",
}
_ORDER = {action: place for place, action in enumerate(_ACTIONS)}


def is_abridged(plan: Plan) -> bool:
    """Whether the message leaves out, or cuts, something of the plan."""
    return any(_CUT in block["text"]["text"] for block in (*access_blocks(plan), *change_blocks(plan)))


def rest_told(facts: Facts, plan: Plan, file: bool) -> str:
    """Where everything is that the message leaves out; empty where it shows all."""
    if not is_abridged(plan):
        return ""
    command = code(f"mlops status {facts.release.release_id}", limits.VALUE)
    return f":page_facing_up: The whole plan: {'the file in the thread, or ' if file else ''}{command}"


def plan_file(facts: Facts, waiting: Waiting, plan: Plan) -> File:
    """Everything that the plan opens and changes, value by value, as Markdown that reads well as plain text.

    Values are those of the plan: CloudFormation shows what a template declares NoEcho as asterisks.
    """
    release, approval = facts.release, waiting.approval
    title = f"Plan of {release.workload} for {approval.stage}"
    told = [f"# {title}", "", f"Release {release.release_id}, digest {plan.digest}", f"Stack {plan.stack_name}"]
    before = facts.stage_before
    if before:
        since = facts.live_since[before]
        told.append(f"In {before} since {since} ({lapse(since, approval.asked_at)} when this was asked)")
    coming = coming_job(facts, approval.stage)
    told += [coming] if coming else []
    told += _part("What it opens", (f"- {access_sentence(change)}" for change in plan.access))
    told += _part(
        f"Resources: {counted(plan)}",
        (
            f"- {_ACTIONS.get(change.action, change.action)}: {change.logical_id} ({change.resource_type})"
            + (f": {', '.join(change.properties)}" if change.properties else "")
            for change in sorted(plan.resources, key=lambda one: _ORDER.get(one.action, len(_ORDER)))
        ),
    )
    told += _part(
        "Parameters and documents, before → after",
        (f"- {one.name}: {_value(one.before, 'new')} → {_value(one.after, 'dropped')}" for one in plan.parameters),
    )
    told += _part("Quality gates", (f"- {gate_sentence(gate)}" for gate in worst_first(waiting.record.gates)))
    name = f"plan-{approval.stage}-{approval.approval_id[:12]}.md"
    return File(name, clean(title), "\n".join(clean(line) for line in told) + "\n")


def _part(title: str, found: Iterable[str]) -> list[str]:
    lines = list(found)
    return ["", f"## {title}", "", *lines] if lines else []


def _value(value: str | None, absent: str) -> str:
    return f"({absent})" if value is None else value or "(empty)"
