"""``POST /releases/{id}/decision``."""

from __future__ import annotations

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.errors import BadRequest, Refused
from orchestrator.core.records import Approval, ApprovalStatus, Verdict
from orchestrator.core.steps.decide_approval import MIN_PREFIX, Ballot, BallotResult, vote
from orchestrator.core.steps.progress import release_of
from orchestrator.core.steps.withdraw_vote import Wish, withdraw

WITHDRAW = "withdraw"
"""What is no verdict, but takes one back."""


def decide(call: Call, service: Service) -> Answer:
    """Vote on the approval that waits, or withdraw a vote from it."""
    body = call.json
    decision = body.get("decision")
    if not isinstance(decision, str) or decision not in {*Verdict, WITHDRAW}:
        raise BadRequest(f"$.decision is {decision!r}; it should be 'approve', 'reject' or 'withdraw'")
    reason = body.get("reason", "")
    if not isinstance(reason, str):
        raise BadRequest("$.reason should be text")
    digest = body.get("digest")
    if not isinstance(digest, str) or len(digest) < MIN_PREFIX:
        raise BadRequest(
            f"$.digest is missing: send the digest of the plan you looked at (stages[].plan.digest of "
            f"GET /releases/{call.id}), at least its first {MIN_PREFIX} characters"
        )
    approval = _asked(call.id, body.get("stage"), service, settled_too=decision == WITHDRAW)
    if decision == WITHDRAW:
        result = _withdrawn(Wish(approval.approval_id, digest, call.caller, via="api"), reason, service)
    else:
        result = vote(
            Ballot(approval.approval_id, digest, call.caller, Verdict(decision), reason, via="api"),
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


def _withdrawn(wish: Wish, reason: str, service: Service) -> BallotResult:
    if reason.strip():
        raise BadRequest("$.reason says why somebody approves or rejects; a withdrawal takes none")
    world = service.world
    return withdraw(wish, store=world.store, installation=world.installation, now=world.now)


def _asked(release_id: str, stage: object, service: Service, *, settled_too: bool) -> Approval:
    """The approval that is meant: of the stage named, else the one that waits, else (``settled_too``) the last one, so
    that the caller learns why it is too late."""
    release = release_of(service.world.store, release_id)
    if stage is not None and stage not in release.stages:
        raise BadRequest(f"$.stage is {stage!r}; this release has the stages {', '.join(release.stages)}")
    _, known = service.progress(release)
    approvals = [approval for approval in known.values() if stage in {None, approval.stage}]
    waiting = [approval for approval in approvals if approval.status is ApprovalStatus.PENDING]
    if waiting:
        return waiting[0]
    if approvals and (stage is not None or settled_too):
        return max(approvals, key=lambda approval: approval.asked_at)
    raise Refused(f"release {release_id} waits for no decision{f' in {stage}' if stage else ''}")
