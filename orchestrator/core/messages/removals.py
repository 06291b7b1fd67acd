"""How the removal of a workload stands: what ``headlines`` would say otherwise of a release."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.core.messages.facts import Facts, place
from orchestrator.core.messages.mrkdwn import joined
from orchestrator.core.records import ApprovalStatus, StageStatus, Status


def how(facts: Facts) -> str:
    """Goes on after "<workload> is"; of a removal that has not ended."""
    stage = place(facts.release.stage)
    match facts.release.status:
        case Status.PACKAGING:
            return "waiting for the turn of its removal"
        case Status.PLANNING:
            return f"having its removal from {stage} planned"
        case Status.AWAITING_APPROVAL:
            return _decided(facts)
        case Status.DEPLOYING:
            return f"being removed from {stage}"
        case _:
            return "about to be removed"


def ended(facts: Facts) -> str:
    """Goes on after "<workload>" where it succeeded, else after "The removal of <workload>"; empty where it has ended
    as a release ends."""
    match facts.release.status:
        case Status.SUCCEEDED:
            return f"was removed from {_places(facts.release.stages)}"
        case Status.UNCHANGED:
            return "is on its way already"
        case Status.SUPERSEDED:
            return "was superseded by a newer release"
        case _:
            return ""


def left_behind(facts: Facts) -> str:
    """Where the workload is gone and where it stays, in sentences; empty unless the removal ended half way."""
    release = facts.release
    if not release.status.ended or release.status in {Status.SUCCEEDED, Status.UNCHANGED}:
        return ""
    half_gone = release.stage if release.failure == "RemovalFailed" else ""
    gone = [stage for stage in release.stages if facts.stage_status(stage) is StageStatus.REMOVED]
    absent = [stage for stage in release.stages if facts.stage_status(stage) is StageStatus.UNCHANGED]
    kept = [stage for stage in release.stages if stage not in {*gone, *absent, half_gone}]
    told = [
        f"It is gone from {_places(gone)}." if gone else "",
        f"In {place(half_gone)} CloudFormation has deleted what it could." if half_gone else "",
        f"It stays as it was in {_places(kept)}." if kept else "",
    ]
    return " ".join(filter(None, told))


def _places(stages: Iterable[str]) -> str:
    return joined([place(stage) for stage in stages])


def _decided(facts: Facts) -> str:
    stage, approval = place(facts.release.stage), facts.last_approval
    known = {
        ApprovalStatus.APPROVED: f"approved to be removed from {stage}",
        ApprovalStatus.REJECTED: f"to stay in {stage}",
        ApprovalStatus.EXPIRED: f"to stay in {stage}: nobody decided in time",
        ApprovalStatus.SUPERSEDED: "to stay: a newer release takes over",
    }
    waits = f"waiting for the approval of its removal from {stage}"
    return known.get(approval.status, waits) if approval else waits
