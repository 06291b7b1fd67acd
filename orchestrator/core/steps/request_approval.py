"""WaitForStagingApproval, WaitForProdApproval: put the question to people and let the state machine wait.

The record of the approval holds the task token; a message carries only the approval's id and a prefix of the plan's
digest. The id derives from release, stage and digest, so a repeated call asks the same question, and another plan
is another question.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from orchestrator.core.approvals import Rules
from orchestrator.core.errors import Conflict, StepFailed
from orchestrator.core.installation import Installation
from orchestrator.core.ports import Clock, Store, Tasks
from orchestrator.core.records import Approval, ApprovalStatus, Release, StageRecord, StageStatus, Status, TaskToken
from orchestrator.core.steps.answers import answer
from orchestrator.core.steps.progress import (
    approval_of,
    expiry_hours,
    move,
    move_stage,
    release_of,
    rules_for,
    stage_of,
    stamp,
)
from orchestrator.core.steps.turns import check_turn, give_way, newer_than

LAST_CALL = timedelta(minutes=1)
"""By how much a vote must come before the state machine's own time-out, so that none is taken that it cannot hear."""


def request_approval(
    release_id: str,
    stage: str,
    token: TaskToken,
    *,
    store: Store,
    tasks: Tasks,
    installation: Installation,
    now: Clock,
) -> None:
    """Ask for the stage's approval, or answer at once where nothing has to be asked.

    Nothing is asked where the plan changes nothing, or where no policy asks for approval in this stage; and nobody is
    asked about a release that a newer one waits to take the place of: it ends superseded. Raises ``TurnLost``.
    """
    release = release_of(store, release_id)
    check_turn(store, release)
    record = stage_of(store, release_id, stage, now)
    if record.plan is None:
        raise StepFailed(f"{stage} has no plan to approve")
    rules = rules_for(installation, release, stage)
    if record.plan.empty or rules is None:
        tasks.succeed(token, {"decision": "approved"})
        return
    newer = newer_than(store, release)
    if newer is not None and not record.approval_id:
        give_way(store, release, newer)
        tasks.succeed(token, {"decision": ApprovalStatus.SUPERSEDED.value})
        return
    asked = approval_id(release_id, stage, record.plan.digest)
    # The question itself comes last: who can see it can vote, and from then on the release may move on.
    move_stage(
        store,
        record,
        now,
        lambda current: replace(current, status=StageStatus.AWAITING_APPROVAL, approval_id=asked),
    )
    move(store, release_id, now, Status.AWAITING_APPROVAL, stage=stage)
    approval = _ask(release, record, token, rules, store, now)
    if approval.status is not ApprovalStatus.PENDING:
        answer(approval, store=store, tasks=tasks)


def approval_id(release_id: str, stage: str, digest: str) -> str:
    """The id of the question whether this plan may be executed: 20 hex digits, no credential."""
    return hashlib.sha256(f"{release_id}|{stage}|{digest}".encode()).hexdigest()[:20]


def _ask(release: Release, record: StageRecord, token: TaskToken, rules: Rules, store: Store, now: Clock) -> Approval:
    if record.plan is None:
        raise StepFailed(f"{record.stage} has no plan to approve")
    moment = now()
    asked = Approval(
        approval_id=approval_id(release.release_id, record.stage, record.plan.digest),
        release_id=release.release_id,
        stage=record.stage,
        digest=record.plan.digest,
        status=ApprovalStatus.PENDING,
        asked_at=stamp(moment),
        expires_at=stamp(moment + timedelta(hours=expiry_hours(rules, release)) - LAST_CALL),
        token=token,
        reminders=rules.reminders,
        in_pipeline=record.plan.pipeline is not None,
    )
    try:
        store.insert(asked)
        return asked
    except Conflict:
        known = approval_of(store, asked.approval_id)
        if known is None:
            raise
        # A repeated call of the same task brings a new token; the old one is dead.
        return store.update(Approval, known.key(), lambda current: replace(current, token=token))
