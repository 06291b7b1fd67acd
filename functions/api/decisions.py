"""``POST /releases/{id}/decision``."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.errors import BadRequest, Refused
from orchestrator.core.records import Approval, ApprovalStatus, Verdict
from orchestrator.core.steps.decide_approval import MIN_PREFIX, Ballot, vote
from orchestrator.core.steps.progress import release_of


def decide(call: Call, service: Service) -> Answer:
    """Vote on the approval that waits."""
    body = call.json
    verdict = body.get("decision")
    if not isinstance(verdict, str) or verdict not in set(Verdict):
        raise BadRequest(f"$.decision is {verdict!r}; it should be 'approve' or 'reject'")
    reason = body.get("reason", "")
    if not isinstance(reason, str):
        raise BadRequest("$.reason should be text")
    digest = body.get("digest")
    if not isinstance(digest, str) or len(digest) < MIN_PREFIX:
        raise BadRequest(
            f"$.digest is missing: send the digest of the plan you looked at (stages[].plan.digest of "
            f"GET /releases/{call.id}), at least its first {MIN_PREFIX} characters"
        )
    approval = _pending(call.id, body.get("stage"), service)
    result = vote(
        Ballot(approval.approval_id, digest, call.caller, Verdict(verdict), reason, via="api"),
        store=service.world.store,
        tasks=service.world.tasks,
        installation=service.world.installation,
        now=service.world.now,
        groups=service.user_groups,
    )
    return Answer(
        200,
        {
            "release_id": call.id,
            "stage": approval.stage,
            "status": result.approval.status.value,
            "counted": result.counted,
            "message": result.sentence,
        },
    )


def _pending(release_id: str, stage: object, service: Service) -> Approval:
    """The approval to decide: of the stage named, else the one that waits."""
    release = release_of(service.world.store, release_id)
    if stage is not None and stage not in release.stages:
        raise BadRequest(f"$.stage is {stage!r}; this release has the stages {', '.join(release.stages)}")
    _, known = service.progress(release)
    approvals = [approval for approval in known.values() if stage in {None, approval.stage}]
    waiting = [approval for approval in approvals if approval.status is ApprovalStatus.PENDING]
    if waiting:
        return waiting[0]
    if approvals and stage is not None:
        return approvals[-1]
    raise Refused(f"release {release_id} waits for no decision{f' in {stage}' if stage else ''}")
