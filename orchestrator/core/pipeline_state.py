"""A release in the shape of CodePipeline's GetPipelineState, for clients of the old product that poll it.

A release has a stage ``Source`` (the request and its package), and one stage for each of its own with the actions
``Approve`` (where people were asked) and ``Deploy`` (of a removal, ``Remove``). Words and shape: "GetPipelineState" of
the AWS CodePipeline API Reference; times are text, as the old product's API gave them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.disclosure import told_release, told_stages
from orchestrator.core.installation import Installation
from orchestrator.core.records import Approval, ApprovalStatus, Release, StageRecord, StageStatus, Status

IN_PROGRESS, SUCCEEDED, FAILED, STOPPED, ABANDONED = "InProgress", "Succeeded", "Failed", "Stopped", "Abandoned"

_OF_STAGES = {
    StageStatus.VERIFIED: SUCCEEDED,
    StageStatus.UNCHANGED: SUCCEEDED,
    StageStatus.REMOVED: SUCCEEDED,
    StageStatus.FAILED: FAILED,
}
"""Any other is in progress while the release runs; once it has ended, the release's own end tells."""

_OF_ENDS = {
    Status.SUCCEEDED: SUCCEEDED,
    Status.UNCHANGED: SUCCEEDED,
    Status.REJECTED: FAILED,
    Status.FAILED: FAILED,
    Status.REFUSED: FAILED,
    Status.EXPIRED: STOPPED,
    Status.SUPERSEDED: STOPPED,
}

_OF_APPROVALS = {
    ApprovalStatus.PENDING: IN_PROGRESS,
    ApprovalStatus.APPROVED: SUCCEEDED,
    ApprovalStatus.REJECTED: FAILED,
    ApprovalStatus.EXPIRED: ABANDONED,
    ApprovalStatus.SUPERSEDED: ABANDONED,
}


def pipeline_state(
    release: Release, stages: Sequence[StageRecord], approvals: Mapping[str, Approval], installation: Installation
) -> dict[str, Any]:
    """The release's state; ``approvals`` by approval id."""
    known = told_stages({record.stage: record for record in stages}, release, installation)
    release = told_release(release, installation)
    begun = [known[name] for name in release.stages if name in known]
    return {
        "pipelineName": release.stack_name,
        "pipelineVersion": 1,
        "created": release.created_at,
        "updated": release.updated_at,
        "stageStates": [
            _source(release, packaged=bool(begun)),
            *(_stage(record, approvals.get(record.approval_id), release) for record in begun),
            *(_ahead(name, release) for name in release.stages if name not in known),
        ],
    }


def passes_through(state: Mapping[str, Any], execution_id: str) -> bool:
    """Whether the latest execution in the first stage of a CodePipeline's state is this one."""
    stages = state.get("stageStates", ())
    return bool(stages) and stages[0].get("latestExecution", {}).get("pipelineExecutionId") == execution_id


def _source(release: Release, *, packaged: bool) -> dict[str, Any]:
    status = SUCCEEDED if packaged else _OF_ENDS.get(release.status, IN_PROGRESS)
    summary = "" if packaged else release.reason
    return _state("Source", status, release, [_action("Source", status, summary, release.created_at)])


def _stage(record: StageRecord, approval: Approval | None, release: Release) -> dict[str, Any]:
    status = _OF_STAGES.get(record.status) or _OF_ENDS.get(release.status, IN_PROGRESS)
    actions = []
    if approval is not None:
        votes = ", ".join(f"{vote.verdict.value} by {vote.display}" for vote in approval.votes)
        moment = approval.settled_at or approval.asked_at
        actions.append(_action("Approve", _OF_APPROVALS[approval.status], votes, moment))
    if approval is None or approval.status is ApprovalStatus.APPROVED:
        actions.append(_action(_verb(release), status, record.note, record.updated_at))
    return _state(f"{_verb(release)}{record.stage.capitalize()}", status, release, actions)


def _ahead(stage: str, release: Release) -> dict[str, Any]:
    """A stage that the release has not come to; CodePipeline shows one without an execution."""
    verb = _verb(release)
    return {
        "stageName": f"{verb}{stage.capitalize()}",
        "inboundTransitionState": {"enabled": True},
        "actionStates": [{"actionName": verb}],
    }


def _verb(release: Release) -> str:
    return "Remove" if release.removes else "Deploy"


def _state(name: str, status: str, release: Release, actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "stageName": name,
        "inboundTransitionState": {"enabled": True},
        "actionStates": actions,
        "latestExecution": {"pipelineExecutionId": release.release_id, "status": status},
    }


def _action(name: str, status: str, summary: str, moment: str) -> dict[str, Any]:
    """An action knows no Stopped; one that will not go on is Abandoned."""
    status = ABANDONED if status == STOPPED else status
    told = {"summary": summary} if summary else {}
    return {"actionName": name, "latestExecution": {"status": status, "lastStatusChange": moment, **told}}
