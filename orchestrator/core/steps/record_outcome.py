"""The named ends of a release: write how it ended, tidy up, and let the next one have its turn.

Tidying comes first and the release's own row last: whoever reads "rejected" finds no change set any more, and a
repeated step repeats the tidying harmlessly.
"""

from __future__ import annotations

import json
from dataclasses import replace

from orchestrator.core.disclosure import LEFTOVER
from orchestrator.core.errors import OrchestratorError, TryAgain
from orchestrator.core.ports import Accounts, Clock, Store
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Release,
    StageRecord,
    StageStatus,
    Status,
    Verdict,
)
from orchestrator.core.steps.progress import approval_of, move, move_stage, release_of, stage_of, stamp
from orchestrator.core.steps.turns import newer_than, pass_turn
from orchestrator.core.uses import forget_uses

MAX_REASON = 2000
"""Characters kept of a failure's cause: CloudFormation's reasons are shorter, stack traces are not for people."""

_PLANNED = frozenset({StageStatus.PLANNED, StageStatus.AWAITING_APPROVAL, StageStatus.PENDING})


def record_outcome(
    release_id: str,
    outcome: Status,
    *,
    error: str = "",
    cause: str = "",
    store: Store,
    accounts: Accounts,
    now: Clock,
) -> dict[str, object]:
    """End a release. ``error`` and ``cause`` are Step Functions' own for a failure.

    The answer repeats error and reason for the state machine's Fail state.
    """
    release = release_of(store, release_id)
    if release.status.ended:
        pass_turn(store, release)
        return _answer(release, error)
    reason = readable_cause(error, cause) if outcome is Status.FAILED else ""
    ended_by = release.ended_by
    outside = 0
    if outcome is not Status.SUCCEEDED and release.stage:
        record = stage_of(store, release_id, release.stage, now)
        approval = _close_approval(record, outcome, store, now)
        if outcome is Status.REJECTED and approval is not None:
            ended_by, reason = _rejection(approval)
        if outcome is Status.EXPIRED:
            reason = f"Nobody decided about {release.stage} in time."
        reason = _discard(record, outcome, reason, store, accounts, now)
    if release.pipeline and (outcome is not Status.SUCCEEDED or release.removes):
        from orchestrator.core.steps.outside_decisions import told_at_the_end
        from orchestrator.core.steps.pipeline_run import end_run

        run = end_run(release, outcome, accounts)
        reason = f"{reason} ({LEFTOVER}: {run.leftover})".strip() if run.leftover else reason
        outside = told_at_the_end(release, run.approved, store, now) if run.approved else 0
    if outcome is Status.SUPERSEDED:
        newer = newer_than(store, release) if not ended_by else None
        ended_by = newer.release_id if newer else ended_by
        reason = f"{ended_by or 'A newer release'} took over."
    if outcome is Status.UNCHANGED:
        reason = release.reason
    if outcome is Status.SUCCEEDED and release.removes:
        forget_uses(store, release.workload, release.order)
    failure = error if outcome is Status.FAILED else ""
    ended = move(store, release_id, now, outcome, reason=reason, failure=failure, ended_by=ended_by)
    pass_turn(store, ended)
    return _answer(ended, error) | ({"outside": outside} if outside else {})


def _answer(release: Release, error: str) -> dict[str, object]:
    return {"outcome": release.status.value, "error": error or "Failed", "reason": release.reason}


def readable_cause(error: str, cause: str) -> str:
    """The sentence for people in a Step Functions cause: Lambda's is JSON with the exception's message in it."""
    text = cause
    try:
        parsed = json.loads(cause)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict) and isinstance(parsed.get("errorMessage"), str):
        text = parsed["errorMessage"]
    if error == "States.Timeout" and not text:
        text = "A step did not end in time."
    return (text or error or "An unknown error")[:MAX_REASON]


def _close_approval(record: StageRecord, outcome: Status, store: Store, now: Clock) -> Approval | None:
    approval = approval_of(store, record.approval_id) if record.approval_id else None
    if approval is None:
        return None
    end = ApprovalStatus.SUPERSEDED if outcome is Status.SUPERSEDED else ApprovalStatus.EXPIRED

    def close(current: Approval) -> Approval:
        if current.status is ApprovalStatus.PENDING:
            return replace(current, status=end, settled_at=stamp(now()), token=None)
        return replace(current, token=None)

    return store.update(Approval, approval.key(), close)


def _rejection(approval: Approval) -> tuple[str, str]:
    vote = next((vote for vote in reversed(approval.votes) if vote.verdict is Verdict.REJECT), None)
    return (vote.display, vote.reason) if vote else ("", "")


def _discard(record: StageRecord, outcome: Status, reason: str, store: Store, accounts: Accounts, now: Clock) -> str:
    """Delete a plan that will not be executed. A failure to do so is told with the reason, not instead of it."""
    if record.plan is None or record.plan.empty or record.status not in _PLANNED:
        if outcome is Status.FAILED and record.status not in {StageStatus.VERIFIED, StageStatus.REMOVED}:
            move_stage(store, record, now, lambda current: replace(current, status=StageStatus.FAILED, note=reason))
        return reason
    status = StageStatus.FAILED if outcome is Status.FAILED else StageStatus.DISCARDED
    try:
        accounts.stacks(record.stage).discard(record.plan, rejected=reason if outcome is Status.REJECTED else "")
    except TryAgain:
        raise
    except OrchestratorError as error:
        reason = f"{reason} ({LEFTOVER}: {error})".strip()
    note = reason if outcome is Status.FAILED else record.note
    move_stage(store, record, now, lambda current: replace(current, status=status, note=note))
    return reason
