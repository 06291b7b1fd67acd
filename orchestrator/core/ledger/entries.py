"""What a change of a row tells: pure functions from the row before and after to drafts of entries.

Only named fields are taken, so that no task token, parameter value, output or whatever a row may hold one day gets into
the ledger. Where an installation keeps AWS's own words from people (``disclosure``), the ledger does so too: it cannot
be shortened afterwards without breaking its hashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from orchestrator.core.disclosure import told_release, told_stage
from orchestrator.core.installation import Installation
from orchestrator.core.jobs import JobStatus
from orchestrator.core.ledger.approval_entries import of_approval
from orchestrator.core.ledger.chain import Actor, Draft, EntryKind
from orchestrator.core.ledger.changes import Change
from orchestrator.core.ledger.setting import Setting, some
from orchestrator.core.plans import Plan, access_sentence
from orchestrator.core.records import (
    Approval,
    Release,
    StageRecord,
    StageStatus,
    Status,
)

_ENDS_OF_A_DEPLOYMENT: Mapping[StageStatus, str] = {
    StageStatus.DEPLOYED: "deployed",
    StageStatus.UNCHANGED: "unchanged",
    StageStatus.REMOVED: "removed",
}

_NOT_EXECUTED = frozenset({StageStatus.PENDING, StageStatus.PLANNED, StageStatus.AWAITING_APPROVAL})


def drafts(change: Change, setting: Setting) -> tuple[Draft, ...]:
    """Everything that a change tells, in order."""
    return tuple(_drafts(change, setting))


def unreadable(change: Change) -> Draft:
    """Of a change whose row nobody here can read: that there was one."""
    return _of_the_row(EntryKind.RECORD_UNREADABLE, change)


def _drafts(change: Change, setting: Setting) -> Iterator[Draft]:
    if change.after is None:
        # A row that stands, and is of no kind that the product knows, was made into something else.
        yield _of_the_row(EntryKind.RECORD_ALTERED if change.revision else EntryKind.RECORD_DELETED, change)
        return
    if change.altered:
        yield _of_the_row(EntryKind.RECORD_ALTERED, change)
    match change.before, change.after:
        case (Release() | None as before, Release() as after):
            yield from _of_release(change, before, after, setting)
        case (StageRecord() | None as before, StageRecord() as after):
            yield from _of_stage(change, before, after, setting)
        case (Approval() | None as before, Approval() as after):
            yield from of_approval(change, before, after, setting)


def _of_the_row(kind: EntryKind, change: Change) -> Draft:
    partition, sort = change.key
    return Draft(
        kind,
        change.told_as(kind),
        change.at,
        change.release_id,
        facts={"row": f"{partition} {sort}", "revision_before": change.revision_before, "revision": change.revision},
    )


# Releases.


def _of_release(change: Change, before: Release | None, after: Release, setting: Setting) -> Iterator[Draft]:
    after = told_release(after, setting.installation)
    if before is None:
        yield Draft(
            EntryKind.REQUEST,
            change.told_as(EntryKind.REQUEST),
            after.created_at,
            after.release_id,
            actor=_requester(after, setting.installation),
            via=after.source.kind.value,
            reason=after.asked_because,
            facts=_request(after),
        )
    if after.package_key and (before is None or before.package_key != after.package_key):
        yield Draft(
            EntryKind.PACKAGE,
            change.told_as(EntryKind.PACKAGE),
            after.updated_at,
            after.release_id,
            facts={
                "content_digest": after.digest,
                "package_key": after.package_key,
                "package_version": after.package_version,
                "models": some(after.models),
                "metrics": some([f"{figure.name}: {figure.value}" for figure in after.metrics]),
            },
        )
    if after.status.ended and (before is None or not before.status.ended):
        if after.status is Status.FAILED and after.failure == "VerificationFailed":
            yield _end_of_verification(change, after)
        yield _outcome(change, after)


def _requester(release: Release, installation: Installation) -> Actor:
    who = release.requester
    return Actor(installation.people.display(who), who.value, who.kind.value, who.verified)


def _request(release: Release) -> dict[str, Any]:
    source, commit = release.source, release.commit
    found: dict[str, Any] = {
        "asks_for": "removal" if release.removes else "rollback" if release.goes_back_to else "release",
        "workload": release.workload,
        "workload_type": release.workload_type,
        "stages": list(release.stages),
        "stack_name": release.stack_name,
        "source": {
            "kind": source.kind.value,
            "bucket_or_repository": source.bucket,
            "key": source.key,
            "version": source.version_id,
            "request": source.request,
        },
        "force": release.force,
        "pins": some([f"{name} at {version}" for name, version in release.pins]),
    }
    if commit is not None:
        found["commit"] = {
            "repository": commit.repository,
            "branch": commit.branch,
            "commit_id": commit.commit_id,
            "author_by_its_own_word": commit.author,
            "message": commit.message,
        }
    if release.goes_back_to:
        found["goes_back_to"], found["instead_of"] = release.goes_back_to, release.instead_of
    if release.policies:
        found["approval_demanded"] = [asdict(demand) for demand in release.policies]
    return found


def _end_of_verification(change: Change, release: Release) -> Draft:
    return Draft(
        EntryKind.VERIFICATION,
        change.told_as(EntryKind.VERIFICATION),
        release.updated_at,
        release.release_id,
        stage=release.stage,
        outcome="failed",
        reason=release.reason,
    )


def _outcome(change: Change, release: Release) -> Draft:
    return Draft(
        EntryKind.OUTCOME,
        change.told_as(EntryKind.OUTCOME),
        release.updated_at,
        release.release_id,
        stage=release.stage,
        outcome=release.status.value,
        reason=release.reason,
        facts={
            "content_digest": release.digest,
            "ended_by": release.ended_by,
            "failure": release.failure,
            "problems": some(release.problems),
        },
    )


# Stages.


def _of_stage(change: Change, before: StageRecord | None, after: StageRecord, setting: Setting) -> Iterator[Draft]:
    after = told_stage(after, setting.release, setting.installation)
    plan_before = before.plan if before else None
    if after.plan is not None and (plan_before is None or plan_before.digest != after.plan.digest):
        yield _planned(change, after, after.plan)
    if plan_before is not None and after.plan is None and before is not None:
        facts = {**_plan_named(plan_before), "attempt": before.attempt, "approval_id": before.approval_id}
        yield _stage_draft(EntryKind.PLAN_CHANGED, change, after, reason=after.note, facts=facts)
    yield from _of_deployment(change, before, after)
    yield from _of_job(change, before, after)
    if after.status is StageStatus.VERIFIED and (before is None or before.status is not StageStatus.VERIFIED):
        yield _stage_draft(EntryKind.VERIFICATION, change, after, outcome="verified", reason=after.note)


def _planned(change: Change, record: StageRecord, plan: Plan) -> Draft:
    counts = Counter(one.action for one in plan.resources)
    first = {"remove": 0, "replace": 1, "maybe_replace": 2}
    listed = sorted(plan.resources, key=lambda one: first.get(one.action, 3))
    return _stage_draft(
        EntryKind.PLAN,
        change,
        record,
        outcome="empty" if plan.empty else "",
        facts={
            **_plan_named(plan),
            "attempt": record.attempt,
            "creates_stack": plan.creates_stack,
            "removes_stack": plan.removes,
            "stack_changed_last": plan.base,
            "counts": dict(sorted(counts.items())),
            "resources": some([f"{one.action} {one.logical_id} ({one.resource_type})" for one in listed]),
            # Names alone: a value may be what somebody would rather not have kept for ever.
            "parameters": some([one.name for one in plan.parameters]),
            "access": some([access_sentence(one) for one in plan.access]),
        },
    )


def _of_deployment(change: Change, before: StageRecord | None, after: StageRecord) -> Iterator[Draft]:
    was = before.status if before else StageStatus.PENDING
    plan = after.plan or (before.plan if before else None)
    if after.status is was or plan is None:
        return
    started, ended = (
        (EntryKind.REMOVAL_STARTED, EntryKind.REMOVAL_ENDED)
        if plan.removes
        else (EntryKind.DEPLOYMENT_STARTED, EntryKind.DEPLOYMENT_ENDED)
    )
    facts = {**_plan_named(plan), "attempt": after.attempt, "approval_id": after.approval_id}
    done = _ENDS_OF_A_DEPLOYMENT.get(after.status)
    # A function that died in between leaves it to another to note the end: then start and end come in one change.
    executed = done is not None and after.status is not StageStatus.UNCHANGED and was in _NOT_EXECUTED
    if after.status is StageStatus.DEPLOYING or executed:
        yield _stage_draft(started, change, after, facts=facts)
    if done is not None:
        yield _stage_draft(ended, change, after, outcome=done, facts=facts)
    elif after.status is StageStatus.FAILED and was is StageStatus.DEPLOYING:
        yield _stage_draft(ended, change, after, outcome="failed", reason=after.note, facts=facts)
    elif after.status in {StageStatus.FAILED, StageStatus.DISCARDED} and was in _NOT_EXECUTED:
        yield _stage_draft(
            EntryKind.PLAN_DISCARDED, change, after, outcome=after.status.value, reason=after.note, facts=facts
        )


def _of_job(change: Change, before: StageRecord | None, after: StageRecord) -> Iterator[Draft]:
    was, job = before.job if before else None, after.job
    if job is None:
        return
    facts = {"job": job.kind.value, "arn": job.arn}
    if was is None:
        yield _stage_draft(EntryKind.JOB_STARTED, change, after, at=job.started_at, facts=facts)
    if job.status is not JobStatus.RUNNING and (was is None or was.status is JobStatus.RUNNING):
        yield _stage_draft(
            EntryKind.JOB_ENDED,
            change,
            after,
            at=job.ended_at,
            outcome=job.status.value,
            reason=job.reason,
            facts=facts,
        )


def _plan_named(plan: Plan) -> dict[str, Any]:
    return {"plan_digest": plan.digest, "change_set": plan.change_set_arn, "stack": plan.stack_id or plan.stack_name}


def _stage_draft(
    kind: EntryKind,
    change: Change,
    record: StageRecord,
    *,
    at: str = "",
    outcome: str = "",
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Draft:
    return Draft(
        kind,
        change.told_as(kind),
        at or record.updated_at,
        record.release_id,
        stage=record.stage,
        outcome=outcome,
        reason=reason,
        facts=facts or {},
    )
