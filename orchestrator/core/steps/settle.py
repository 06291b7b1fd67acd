"""Resolve a wait: ask the thing itself how it stands, and answer the waiting task when it has ended.

An event, the sweeper and the deploying step itself all come here. An event is a hint: whatever it says, CloudFormation
(or SageMaker) is asked, and only an operation that carries our own client request token counts.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.errors import Conflict
from orchestrator.core.ports import Accounts, Clock, Store, Tasks
from orchestrator.core.records import StageRecord, StageStatus, Wait, WaitKind
from orchestrator.core.steps.progress import move_stage, stage_of

DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""Stack statuses in which our change set has been applied.

UPDATE_COMPLETE_CLEANUP_IN_PROGRESS is not among them: until the clean-up ends the stack takes no other operation.
"""


def settle(wait: Wait, *, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> bool:
    """Answer the waiting task if what it waits for has ended; whether it has."""
    if wait.kind is WaitKind.STACK:
        return _settle_stack(wait, store, accounts, tasks, now)
    return _settle_pipeline(wait, store, accounts, tasks)


def _settle_stack(wait: Wait, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> bool:
    state = accounts.stacks(wait.stage).state(wait.subject)
    if state.status != "ABSENT" and (
        state.last_request_token != wait.request_token or state.status.endswith("_IN_PROGRESS")
    ):
        return False
    record = stage_of(store, wait.release_id, wait.stage, now)
    if state.status in DEPLOYED:
        move_stage(store, record, now, lambda current: _deployed(current, state.outputs))
        tasks.succeed(wait.token, {"outcome": "deployed"})
    else:
        reason = state.reason or f"the stack ended in {state.status}"
        move_stage(store, record, now, lambda current: replace(current, status=StageStatus.FAILED, note=reason))
        tasks.fail(wait.token, "DeploymentFailed", reason)
    store.delete(wait)
    return True


def _deployed(record: StageRecord, outputs: tuple[tuple[str, str], ...]) -> StageRecord:
    return replace(record, status=StageStatus.DEPLOYED, outputs=outputs)


def _settle_pipeline(wait: Wait, store: Store, accounts: Accounts, tasks: Tasks) -> bool:
    state = accounts.jobs(wait.stage).pipeline(wait.subject)
    if state.status in {"Executing", "Stopping"}:
        return False
    if state.status == "Succeeded":
        tasks.succeed(wait.token, {"outcome": "completed"})
    else:
        tasks.fail(wait.token, "JobFailed", state.reason or f"the pipeline execution ended {state.status}")
    store.delete(wait)
    return True


def store_wait(wait: Wait, store: Store) -> Wait:
    """Store a wait before its operation starts; a repeated step replaces the dead token of its predecessor."""
    try:
        store.insert(wait)
        return wait
    except Conflict:
        pass
    try:
        return store.update(Wait, wait.key(), lambda current: replace(current, token=wait.token))
    except KeyError:
        # Settled between the two writes: this task still needs its own answer.
        return store_wait(wait, store)
