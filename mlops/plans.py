"""A plan and an approval as text: what somebody must see before deciding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.screen import Screen, moment, status_word
from orchestrator.core.figures import told
from orchestrator.core.jobs import JobKind, job_to_come
from orchestrator.core.plans import Area, Reach, access_title

SIGNS = {"add": "+", "modify": "~", "remove": "-", "replace": "±", "maybe_replace": "±"}
WORDS = {
    "add": "added",
    "modify": "changed",
    "remove": "removed",
    "replace": "replaced",
    "maybe_replace": "perhaps replaced",
}
COLOURS = {"add": "green", "modify": "yellow", "remove": "red", "replace": "red", "maybe_replace": "red"}

ACCESS = {"widens": "red", "may_widen": "yellow"}

GATES = {"passed": ("passed", "green"), "warned": ("warning", "yellow"), "failed": ("failed", "red")}


def show_plan(plan: Mapping[str, Any], stage: str, screen: Screen) -> None:
    """Resources and parameters that the plan changes, and its digest."""
    screen.line(f"  Plan for {stage}: {summary(plan)}", "bold")
    for opened in plan.get("access", []):
        title = access_title(Reach(opened["reach"]), Area(opened["area"]))
        screen.line(f"    ! {title}: {opened['logical_id']} {opened['told']}", ACCESS.get(opened["reach"], ""))
    width = max((len(change["logical_id"]) for change in plan["resources"]), default=0)
    for change in plan["resources"]:
        action = change["action"]
        properties = f"  ({', '.join(change['properties'])})" if change["properties"] else ""
        screen.line(
            f"    {SIGNS.get(action, '?')} {change['logical_id']:{width}}  {change['type']}, "
            f"{WORDS.get(action, status_word(action))}{properties}",
            COLOURS.get(action, ""),
        )
    if plan["parameters"]:
        screen.line("    Parameters")
    for change in plan["parameters"]:
        screen.line(f"      {change['name']}: {_change(change['before'], change['after'])}")
    if plan["job"]:
        screen.line(f"    {job_to_come(JobKind(plan['job']), stage)}")
    screen.line(f"    Digest {plan['digest']}", "dim")


def show_metrics(metrics: Sequence[Mapping[str, Any]], screen: Screen) -> None:
    """The figures of the model's evaluation, beside those of the release that is live; nothing where there are none."""
    if metrics:
        shown = ", ".join(told(found["name"], found["value"], found["live"]) for found in metrics)
        screen.line(f"  {'Metrics':12} {shown}")


def show_gates(gates: Sequence[Mapping[str, Any]], stage: str, screen: Screen) -> None:
    """A line for each quality gate of the stage; nothing where there are none."""
    if gates:
        screen.line(f"  Quality gates before {stage}")
    for gate in gates:
        word, colour = GATES.get(gate["status"], (status_word(gate["status"]), ""))
        screen.line(f"    {word:8} {gate['told']}", colour)


def show_approval(approval: Mapping[str, Any], screen: Screen, *, needed: bool = True) -> None:
    """Who has said what, and what is still ``needed`` in short."""
    status = status_word(approval["status"])
    asked, expires = moment(approval["asked_at"]), moment(approval["expires_at"])
    screen.line(f"  Approval {status}, asked {asked}, expires {expires}")
    for vote in approval["votes"]:
        reason = f': "{vote["reason"]}"' if vote["reason"] else ""
        said = "approved" if vote["verdict"] == "approve" else "rejected"
        screen.line(f"    {vote['by']} {said} at {moment(vote['at'])} (by {vote['via']}){reason}")
    for one in approval["withdrawals"]:
        screen.line(f"    {one['by']} withdrew an approval at {moment(one['at'])} (by {one['via']})")
    if needed and approval["status"] == "pending" and approval["needed"]:
        screen.line(f"    still needed: {approval['needed']}", "yellow")


def _change(before: str | None, after: str | None) -> str:
    """A parameter before and after; what is new has no before, what is dropped no after."""
    shown = ['""' if value == "" else value for value in (before, after) if value is not None]
    return f"{shown[0]} (dropped)" if after is None else " → ".join(shown)


def summary(plan: Mapping[str, Any]) -> str:
    """The plan in a few words."""
    if plan["empty"]:
        return "nothing changes"
    counts: dict[str, int] = {}
    for change in plan["resources"]:
        counts[change["action"]] = counts.get(change["action"], 0) + 1
    told = [f"{count} {WORDS.get(action, status_word(action))}" for action, count in counts.items()]
    resources = f"resources: {', '.join(told)}" if told else "no resource changes"
    return f"{resources}{', in a new stack' if plan['creates_stack'] else ''}"
