"""PlanStaging, PlanProd: make the change set of a stage and describe it for a human."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.core.document_changes import told_by_leaves
from orchestrator.core.errors import PlanKeepsMoving, StepFailed, TurnLost
from orchestrator.core.gate_results import GateResult
from orchestrator.core.gates import bound
from orchestrator.core.installation import DEFAULT_EXPIRY_HOURS, Installation
from orchestrator.core.plans import PipelineStage, Plan
from orchestrator.core.ports import Accounts, Clock, Objects, PlanRequest, Stacks, Store
from orchestrator.core.records import Release, StageRecord, StageStatus, Status
from orchestrator.core.steps.check_gates import check_gates, stop_at_gates
from orchestrator.core.steps.progress import expiry_hours, move, move_stage, release_of, rules_for, stage_of
from orchestrator.core.steps.registered import Registry, check_models
from orchestrator.core.steps.released import ReleasedPackage, released_package, template_key
from orchestrator.core.steps.turns import check_turn

MAX_ATTEMPTS = 3
"""Plans of one stage in one release: after three that were overtaken somebody else is at work on the stack."""


def plan_stage(
    release_id: str,
    stage: str,
    *,
    store: Store,
    objects: Objects,
    accounts: Accounts,
    registry: Registry,
    installation: Installation,
    packages_bucket: str,
    now: Clock,
) -> dict[str, object]:
    """Plan the stage; the answer says how long the approval may take.

    Raises ``ChangeSetPending``, ``StackBusy`` (both retried), ``PlanFailed``, ``PlanKeepsMoving``,
    ``ApprovedOutside``, ``ModelWithdrawn``, ``GatesFailed``, ``TurnLost``.
    """
    release = move(store, release_id, now, Status.PLANNING, stage=stage)
    check_turn(store, release)
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
    rules = rules_for(installation, release_of(store, release_id), stage)
    hours = expiry_hours(rules, release) if rules else DEFAULT_EXPIRY_HOURS
    return {
        "outcome": "planned",
        "expires_in_seconds": hours * 3600,
        "empty": bool(record.plan and record.plan.empty),
    }


def make_plan(
    release: Release,
    stage: str,
    *,
    store: Store,
    objects: Objects,
    accounts: Accounts,
    registry: Registry,
    packages_bucket: str,
    now: Clock,
) -> StageRecord:
    """Make this attempt's plan and keep it in the stage's record: a change set, or what a removal would remove.

    No change set is made where a quality gate stops the release: what the gates have come to is kept, and
    ``GatesFailed`` raised.
    """
    record = stage_of(store, release.release_id, stage, now)
    if record.attempt > MAX_ATTEMPTS:
        raise PlanKeepsMoving(
            f"{MAX_ATTEMPTS} plans for {stage} in a row were overtaken by other changes of {release.stack_name}"
        )
    stacks = accounts.stacks(stage)
    attempt = record.attempt
    gates: tuple[GateResult, ...] = ()
    if release.removes:
        plan = stacks.plan_removal(release.stack_name, release.digest)
    else:
        package = released_package(release, objects, packages_bucket)
        check_models(package, registry)
        gates = check_gates(release, stage, package, store)
        move_stage(
            store, record, now, lambda current: replace(current, gates=gates) if current.attempt == attempt else current
        )
        stop_at_gates(stage, gates)
        run = _run(release, stage, store, accounts)
        plan = _change(release, record, package, gates, run, stacks, objects, packages_bucket)
    try:
        check_turn(store, release_of(store, release.release_id))
    except TurnLost:
        # Ended while CloudFormation made the change set: whoever tidied up has not seen it.
        if not plan.empty:
            stacks.discard(plan)
        raise

    def planned(current: StageRecord) -> StageRecord:
        if current.attempt != attempt:
            return current
        return replace(current, plan=plan, gates=gates, status=StageStatus.PLANNED, approval_id="", note="")

    return move_stage(store, record, now, planned)


def _change(
    release: Release,
    record: StageRecord,
    package: ReleasedPackage,
    gates: Sequence[GateResult],
    run: PipelineStage | None,
    stacks: Stacks,
    objects: Objects,
    packages_bucket: str,
) -> Plan:
    """The change set of the release's package, with documents told leaf by leaf."""
    stage = record.stage
    request = PlanRequest(
        stack_name=release.stack_name,
        template_url=objects.template_url(packages_bucket, template_key(release.release_id)),
        parameters=package.parameters(stage),
        capabilities=package.capabilities,
        tags=package.tags(stage),
        change_set_name=f"r-{release.release_id}-{record.attempt}",
        content_digest=bound(release.digest, gates),
        pipeline=run,
    )
    made = stacks.plan(request)
    documents = package.package.documents(stage)
    told = told_by_leaves(
        made.parameters, packages_bucket, lambda key: _document(key, documents, objects, packages_bucket)
    )
    return replace(made, parameters=told)


def _run(release: Release, stage: str, store: Store, accounts: Accounts) -> PipelineStage | None:
    """The stage of a CodePipeline's execution, where one deploys the release: only then it is worth its import."""
    if not release.pipeline:
        return None
    from orchestrator.core.steps.pipeline_run import running_stage

    return running_stage(release, stage, store=store, accounts=accounts)


def _document(key: str, ours: Mapping[str, bytes], objects: Objects, packages_bucket: str) -> bytes | None:
    """A document of this release or of an earlier one; None when that is gone, or may not be read any more."""
    if key in ours:
        return ours[key]
    try:
        return objects.read(packages_bucket, key)
    except StepFailed:
        return None
