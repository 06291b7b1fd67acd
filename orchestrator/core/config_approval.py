"""What a configuration demands of approvals, beyond its shape: stages that ask, reminders in time, roles it names.

Whether the installation has the stages and roles is asked where a release is requested (``steps.checking``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core.config_part import Part
from orchestrator.core.installation import (
    DEFAULT_EXPIRY_HOURS,
    MAX_REMINDERS,
    ORCHESTRATOR,
    ApprovalPolicy,
    Reminders,
)
from orchestrator.core.problems import Problem, did_you_mean


def policy_of(raw: Mapping[str, Any]) -> ApprovalPolicy:
    """One stage's policy, from what the schema has found sound."""
    any_of = tuple(tuple(sorted(alternative.items())) for alternative in raw["any_of"])
    optional = {key: raw[key] for key in ("expires_after_hours", "requester_may_approve") if key in raw}
    reminders = Reminders(**{"at_most": MAX_REMINDERS, **raw["reminders"]}) if "reminders" in raw else None
    return ApprovalPolicy(any_of, **optional, reminders=reminders, do_not_ping=tuple(raw.get("do_not_ping", ())))


def approval_problems(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    """Every problem of the key ``approval``."""
    if "approval" not in sound or "approval" not in part.values:
        return
    for stage, raw in part.values["approval"].items():
        path = f"{part.at('approval')}.{stage}"
        yield from _stage(part, stage, path)
        yield from _reminders(raw, path)
        yield from _do_not_ping(raw, path)


def _stage(part: Part, stage: str, path: str) -> Iterator[Problem]:
    """The first of several stages is deployed without asking: a policy for it would never be asked."""
    stages = part.context.stages if part.context.accounts == "single" else part.context.stages[1:]
    if part.context.accounts == "multi" and part.type.runs_in == ORCHESTRATOR:
        stages = (ORCHESTRATOR,)
    if stage in stages:
        return
    if stage in part.context.stages and stages != (ORCHESTRATOR,):
        yield Problem(path, f"{stage} is deployed without approval", f"Stages that ask: {', '.join(stages)}.")
    else:
        yield Problem(path, f'there is no stage "{stage}"', did_you_mean(stage, stages))


def _reminders(raw: Mapping[str, Any], path: str) -> Iterator[Problem]:
    wanted = policy_of(raw).reminders
    expires = raw.get("expires_after_hours", DEFAULT_EXPIRY_HOURS)
    if wanted is not None and wanted.at_most and wanted.after_hours >= expires:
        what = f"is {wanted.after_hours}, but the question expires after {expires} hours: no reminder would ever come"
        fix = f"Write less than {expires}, or at_most 0 for no reminders."
        yield Problem(f"{path}.reminders.after_hours", what, fix)


def _do_not_ping(raw: Mapping[str, Any], path: str) -> Iterator[Problem]:
    asked = {role for alternative in raw["any_of"] for role in alternative}
    for index, role in enumerate(raw.get("do_not_ping", ())):
        if role not in asked:
            what = f'"{role}" is no role that any_of asks'
            yield Problem(f"{path}.do_not_ping[{index}]", what, did_you_mean(role, sorted(asked)))
