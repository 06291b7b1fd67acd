"""Resolve a wait: ask the thing itself how it stands, and answer the waiting task when it has ended.

An event, the sweeper and the deploying step itself all come here. An event is a hint: whatever it says, CloudFormation
(or the service of the job) is asked, and only an operation that carries our own client request token counts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.core.errors import Conflict
from orchestrator.core.jobs import JobRun, JobStatus
from orchestrator.core.ports import Accounts, Clock, Stacks, StackState, Store, Tasks
from orchestrator.core.records import StageRecord, StageStatus, Wait, WaitKind
from orchestrator.core.steps.progress import move_stage, read_stamp, release_of, stage_of, stamp
from orchestrator.core.steps.turns import note_live

DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""Stack statuses in which our change set has been applied.

UPDATE_COMPLETE_CLEANUP_IN_PROGRESS is not among them: until the clean-up ends the stack takes no other operation.
"""


OVERTAKEN_AFTER = timedelta(minutes=15)
"""How long a settled stack may show somebody else's operation before ours counts as overtaken: CloudFormation's events
show a new operation within seconds."""

GONE_AFTER = timedelta(minutes=15)
"""How long a job may be unknown to its service before it counts as deleted: a new one may take seconds to show."""

_NO_STACK = frozenset({"ABSENT", "EXECUTE_FAILED"})
"""What is said in the place of a stack's status where there is no stack, or will be none."""

_GONE = frozenset({"DELETE_COMPLETE", "ABSENT"})
"""Statuses of a stack that a removal was to bring about; whoever brought it about, it is gone."""

_SETTLED = frozenset({StageStatus.DEPLOYED, StageStatus.VERIFIED, StageStatus.REMOVED})


def settle(wait: Wait, *, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> bool:
    """Answer the waiting task if what it waits for has ended; whether it has.

    A wait whose release has ended is dropped: nobody waits any more.
    """
    if release_of(store, wait.release_id).status.ended:
        store.delete(wait)
        return True
    if wait.kind is WaitKind.STACK:
        return _settle_stack(wait, store, accounts, tasks, now)
    return _settle_job(wait, store, accounts, tasks, now)


def _settle_stack(wait: Wait, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> bool:
    stacks = accounts.stacks(wait.stage)
    record = stage_of(store, wait.release_id, wait.stage, now)
    state = _state(wait, record, stacks)
    if state.status == "REVIEW_IN_PROGRESS":
        state = _never_begun(wait, record, state, stacks, now)
    if state.status.endswith("_IN_PROGRESS"):
        return False
    removal = record.plan is not None and record.plan.removes
    if removal and state.status in _GONE:
        move_stage(store, record, now, _removed)
        note_live(store, release_of(store, wait.release_id), wait.stage, now)
        tasks.succeed(wait.token, {"outcome": "removed"})
        store.delete(wait)
        return True
    ours = state.last_request_token == wait.request_token
    if not ours and state.status not in _NO_STACK and not _overtaken(wait, record, now):
        return False
    if ours and state.status in DEPLOYED:
        changed = record.plan is None or not record.plan.empty
        status = StageStatus.DEPLOYED if changed else StageStatus.UNCHANGED
        move_stage(store, record, now, lambda current: _deployed(current, state.outputs, status))
        note_live(store, release_of(store, wait.release_id), wait.stage, now, changed=changed)
        tasks.succeed(wait.token, {"outcome": status.value})
    else:
        reason = _reason(state, ours)
        move_stage(store, record, now, lambda current: _failed(current, reason))
        tasks.fail(wait.token, "RemovalFailed" if removal else "DeploymentFailed", reason)
    store.delete(wait)
    return True


def _never_begun(wait: Wait, record: StageRecord, state: StackState, stacks: Stacks, now: Clock) -> StackState:
    """A new stack whose first change set could not be executed stays in review for ever, without an event.

    The change set knows; one that is gone, deleted by somebody, will not be executed any more either.
    """
    if record.plan is None or record.status is not StageStatus.DEPLOYING:
        return state
    execution, why = stacks.execution(record.plan)
    if execution == "EXECUTE_FAILED":
        return replace(state, status=execution, reason=why or "CloudFormation could not execute the change set")
    if execution == "ABSENT" and _overtaken(wait, record, now):
        return replace(state, status=execution, reason="the change set was deleted before it was executed")
    return state


def _overtaken(wait: Wait, record: StageRecord, now: Clock) -> bool:
    """Whether our operation was accepted, but somebody else's came after it before we have seen its end."""
    return record.status is StageStatus.DEPLOYING and now() - read_stamp(wait.stored_at) > OVERTAKEN_AFTER


def _reason(state: StackState, ours: bool) -> str:
    if ours or state.status in _NO_STACK:
        return state.reason or f"the stack ended in {state.status}"
    return f"another operation followed on the stack, which is in {state.status}, before the end of this one was seen"


def _state(wait: Wait, record: StageRecord, stacks: Stacks) -> StackState:
    """How the stack stands; how the pipeline stands that executes its change set, where one does."""
    if record.plan is None or record.plan.pipeline is None:
        return stacks.state(wait.subject)
    return stacks.progress(record.plan, wait.request_token)


def _deployed(record: StageRecord, outputs: tuple[tuple[str, str], ...], status: StageStatus) -> StageRecord:
    """An answer that is repeated late must not undo what has come after it."""
    return record if record.status in _SETTLED else replace(record, status=status, outputs=outputs)


def _removed(record: StageRecord) -> StageRecord:
    return replace(record, status=StageStatus.REMOVED, outputs=())


def _failed(record: StageRecord, reason: str) -> StageRecord:
    return record if record.status in _SETTLED else replace(record, status=StageStatus.FAILED, note=reason)


def _settle_job(wait: Wait, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> bool:
    record = stage_of(store, wait.release_id, wait.stage, now)
    if record.job is None:
        return False
    state = accounts.jobs(wait.stage).state(record.job.kind, wait.subject)
    if state.status is JobStatus.RUNNING:
        return False
    if state.status is JobStatus.ABSENT and now() - read_stamp(wait.stored_at) <= GONE_AFTER:
        return False
    ended = replace(record.job, status=state.status, reason=state.reason, ended_at=stamp(now()))
    if state.status is not JobStatus.SUCCEEDED and not state.reason:
        ended = replace(ended, reason=_JOB_ENDS[state.status])
    move_stage(store, record, now, lambda current: _job_ended(current, ended))
    if state.status is JobStatus.SUCCEEDED:
        tasks.succeed(wait.token, {"outcome": "completed"})
    else:
        tasks.fail(wait.token, "JobFailed", ended.reason)
    store.delete(wait)
    return True


_JOB_ENDS = {
    JobStatus.FAILED: "the job failed, and its service says no reason",
    JobStatus.STOPPED: "the job was stopped",
    JobStatus.ABSENT: "the job was deleted while it ran",
}


def _job_ended(record: StageRecord, ended: JobRun) -> StageRecord:
    known = record.job
    return record if known is None or known.status is not JobStatus.RUNNING else replace(record, job=ended)


def store_wait(wait: Wait, store: Store) -> Wait:
    """Store a wait before its operation starts; a repeated step replaces the dead token of its predecessor."""
    try:
        store.insert(wait)
        return wait
    except Conflict:
        pass
    try:
        return store.update(
            Wait, wait.key(), lambda current: replace(current, token=wait.token, stored_at=wait.stored_at)
        )
    except KeyError:
        # Settled between the two writes: this task still needs its own answer.
        return store_wait(wait, store)
