"""DeployDev, DeployStaging, DeployProd: execute exactly the planned change set, and let the state machine wait.

The wait is stored before the change set is executed, so no event can come too early. The client request token derives
from release, stage and attempt: a repeated step finds its own operation on the stack and adopts it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.errors import StepFailed
from orchestrator.core.gates import bound
from orchestrator.core.installation import Installation
from orchestrator.core.plans import STALE, Plan
from orchestrator.core.ports import Accounts, Clock, Objects, Store, Tasks
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Release,
    StageRecord,
    StageStatus,
    Status,
    TaskToken,
    Wait,
    WaitKind,
)
from orchestrator.core.steps.plan_stage import make_plan
from orchestrator.core.steps.progress import approval_of, move, move_stage, rules_for, stage_of, stamp
from orchestrator.core.steps.registered import Registry, check_models
from orchestrator.core.steps.released import released_package
from orchestrator.core.steps.settle import settle, store_wait
from orchestrator.core.steps.turns import check_turn, note_live


def deploy_stage(
    release_id: str,
    stage: str,
    token: TaskToken,
    *,
    store: Store,
    objects: Objects,
    accounts: Accounts,
    tasks: Tasks,
    registry: Registry,
    installation: Installation,
    packages_bucket: str,
    now: Clock,
) -> None:
    """Execute the stage's plan (made here for a stage without approval) and answer when that needs no waiting.

    Answers ``{"outcome": "unchanged"}`` for an empty plan and ``{"outcome": "stale"}`` for one that would no longer do
    what was shown; ``{"outcome": "deployed"}`` (of a removal ``"removed"``) or a failure comes when the stack has
    settled.
    """
    release = move(store, release_id, now, Status.DEPLOYING, stage=stage)
    check_turn(store, release)
    asks = rules_for(installation, release, stage) is not None
    record = stage_of(store, release_id, stage, now)
    if record.plan is None and asks:
        if record.attempt == 1:
            raise StepFailed(f"{stage} has no approved plan")
        # An earlier run of this step has dropped a stale plan, and died before it could say so.
        tasks.succeed(token, {"outcome": "stale"})
        return
    if record.plan is None:
        record = make_plan(
            release,
            stage,
            store=store,
            objects=objects,
            accounts=accounts,
            registry=registry,
            packages_bucket=packages_bucket,
            now=now,
        )
    plan = record.plan
    if plan is None:
        raise StepFailed(f"the plan for {stage} was withdrawn while it was being made")
    if plan.empty and plan.pipeline is None:
        _note_unchanged(record, plan, store, accounts, now)
        note_live(store, release, stage, now, changed=False)
        tasks.succeed(token, {"outcome": "unchanged"})
        return
    approval = _approved(store, record, plan) if asks and not plan.empty else None
    wait = store_wait(
        Wait(
            kind=WaitKind.STACK,
            subject=plan.pipeline.subject if plan.pipeline else plan.stack_id,
            request_token=request_token(release_id, stage, record.attempt),
            release_id=release_id,
            stage=stage,
            token=token,
            stored_at=stamp(now()),
        ),
        store,
    )

    def check() -> None:
        # A change set that another release has overtaken cannot be executed; a stack can always be deleted.
        check_turn(store, release)
        if installation.model_registry:
            check_models(released_package(release, objects, packages_bucket), registry)

    comment = _comment(plan, approval, stage)
    if not _execute(release, record, plan, wait, comment, store, accounts, check, now):
        store.delete(wait)
        _make_stale(record, plan, store, accounts, now)
        if asks:
            tasks.succeed(token, {"outcome": "stale"})
            return
        deploy_stage(
            release_id,
            stage,
            token,
            store=store,
            objects=objects,
            accounts=accounts,
            tasks=tasks,
            registry=registry,
            installation=installation,
            packages_bucket=packages_bucket,
            now=now,
        )
        return
    settle(wait, store=store, accounts=accounts, tasks=tasks, now=now)


def request_token(release_id: str, stage: str, attempt: int) -> str:
    """CloudFormation's client request token of one attempt: at most 128 characters of ``[-a-zA-Z0-9]``."""
    return f"{release_id}-{stage}-{attempt}"


def _approved(store: Store, record: StageRecord, plan: Plan) -> Approval:
    approval = approval_of(store, record.approval_id) if record.approval_id else None
    if approval is None or approval.status is not ApprovalStatus.APPROVED or approval.digest != plan.digest:
        raise StepFailed(f"the plan for {record.stage} is not the one that was approved")
    return approval


def _comment(plan: Plan, approval: Approval | None, stage: str) -> str:
    """What a CodePipeline is told: CloudFormation takes no comment."""
    if plan.pipeline is None:
        return ""
    from orchestrator.core.steps.pipeline_run import approval_comment

    return approval_comment(approval, stage)


def _execute(
    release: Release,
    record: StageRecord,
    plan: Plan,
    wait: Wait,
    comment: str,
    store: Store,
    accounts: Accounts,
    check: Callable[[], None],
    now: Clock,
) -> bool:
    """Execute the plan unless an earlier run of this step has; False when the plan is stale.

    ``check`` raises where nothing may be executed any more; what is under way is never interrupted.
    """
    stacks = accounts.stacks(record.stage)
    if stacks.progress(plan, wait.request_token).last_request_token != wait.request_token:
        valid = stacks.still_valid(plan, bound(release.digest, record.gates))
        check()
        executes = valid and stacks.execute(plan, wait.request_token, comment)
        # An executed change set is no longer valid either: what an earlier run began may only show now.
        if not executes and stacks.progress(plan, wait.request_token).last_request_token != wait.request_token:
            return False
    move_stage(store, record, now, _deploying)
    return True


def _deploying(record: StageRecord) -> StageRecord:
    done = {StageStatus.DEPLOYED, StageStatus.VERIFIED, StageStatus.FAILED, StageStatus.REMOVED}
    return record if record.status in done else replace(record, status=StageStatus.DEPLOYING)


def _note_unchanged(record: StageRecord, plan: Plan, store: Store, accounts: Accounts, now: Clock) -> None:
    outputs = accounts.stacks(record.stage).state(plan.stack_name).outputs
    move_stage(store, record, now, lambda current: replace(current, status=StageStatus.UNCHANGED, outputs=outputs))


def _make_stale(record: StageRecord, plan: Plan, store: Store, accounts: Accounts, now: Clock) -> None:
    """Drop the plan and count the attempt; the next plan is another change set with a name of its own."""
    accounts.stacks(record.stage).discard(plan, rejected=STALE)
    attempt = record.attempt

    def next_attempt(current: StageRecord) -> StageRecord:
        if current.attempt != attempt:
            return current
        return replace(
            current,
            attempt=attempt + 1,
            plan=None,
            approval_id="",
            status=StageStatus.PENDING,
            note=STALE,
        )

    move_stage(store, record, now, next_attempt)
