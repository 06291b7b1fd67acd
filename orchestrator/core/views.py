"""A release as the API answers it: plain JSON values, made from the records, without anything secret."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.core.consoles import job_page, pipeline_page
from orchestrator.core.disclosure import told_release, told_stages
from orchestrator.core.figures import side_by_side
from orchestrator.core.gate_results import GateResult
from orchestrator.core.gate_words import sentence
from orchestrator.core.installation import Installation
from orchestrator.core.jobs import JobKind, JobRun, job_name
from orchestrator.core.plans import Plan
from orchestrator.core.records import Approval, ApprovalStatus, Figure, Release, StageRecord, Workload
from orchestrator.core.requirement_words import sentences
from orchestrator.core.requirements import Explanation, explain
from orchestrator.core.steps.progress import rules_for
from orchestrator.core.steps.way_back import WayBack


def summary(release: Release, installation: Installation) -> dict[str, Any]:
    """One line of ``GET /releases``."""
    release = told_release(release, installation)
    return {
        "release_id": release.release_id,
        "workload": release.workload,
        "workload_type": release.workload_type,
        "status": release.status.value,
        "stage": release.stage,
        "requester": installation.people.display(release.requester),
        "created_at": release.created_at,
        "updated_at": release.updated_at,
        "reason": release.reason,
        "kind": "removal" if release.removes else "rollback" if release.goes_back_to else "deployment",
    }


def workload(found: Workload) -> dict[str, Any]:
    """One line of ``GET /workloads``."""
    return {
        "workload": found.workload,
        "workload_type": found.workload_type,
        "live": [
            {"stage": one.stage, "release_id": one.release_id, "digest": one.digest, "since": one.since}
            for one in found.live
        ],
        "running_release": found.running_release,
        "newest_release": found.newest_release,
    }


def rollback(found: WayBack, installation: Installation) -> dict[str, Any]:
    """``GET /workloads/{id}/rollback``: what a rollback would do."""
    to, live = found.target, found.live
    return {
        "workload": found.workload.workload,
        "to": _side(to, installation) | {"live_from": found.live_from, "live_until": found.live_until},
        "live": _side(live, installation) if live is not None else None,
        "running_release": found.workload.running_release,
        "metrics": [
            {"name": name, "value": value, "live": before}
            for name, value, before in side_by_side(to.metrics, live.metrics if live is not None else ())
        ],
    }


def _side(release: Release, installation: Installation) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "requester": installation.people.display(release.requester),
        "created_at": release.created_at,
        "source": str(release.configured_by or release.source),
        "description": release.description,
    }


def detail(
    release: Release,
    stages: Sequence[StageRecord],
    approvals: Mapping[str, Approval],
    installation: Installation,
    live: Sequence[Figure] = (),
    live_since: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """``GET /releases/{id}``; ``approvals`` by approval id, ``live`` the figures of the release that is live,
    ``live_since`` since when each stage has what this release deploys."""
    since = live_since or {}
    known = told_stages({record.stage: record for record in stages}, release, installation)
    return summary(release, installation) | {
        "source": str(release.source),
        "source_kind": release.source.kind.value,
        "commit": asdict(release.commit) if release.commit else None,
        "pins": dict(release.pins),
        "stack_name": release.stack_name,
        "digest": release.digest,
        "description": release.description,
        "execution_arn": release.execution_arn,
        "pipeline": _pipeline(release, installation) if release.pipeline_execution else None,
        "ended_by": release.ended_by,
        "goes_back_to": release.goes_back_to,
        "instead_of": release.instead_of,
        "asked_because": release.asked_because,
        "problems": list(release.problems),
        "warnings": list(release.warnings),
        "metrics": [
            {"name": name, "value": value, "live": before}
            for name, value, before in side_by_side(release.metrics, live)
        ],
        "stages": [
            _stage(known[name], approvals.get(known[name].approval_id), release, installation)
            | {"live_since": since.get(name, "")}
            for name in release.stages
            if name in known
        ],
    }


def _pipeline(release: Release, installation: Installation) -> dict[str, Any]:
    return {
        "name": release.pipeline,
        "execution_id": release.pipeline_execution,
        "console": pipeline_page(installation.partition, installation.region, release.pipeline),
    }


def _stage(
    record: StageRecord, approval: Approval | None, release: Release, installation: Installation
) -> dict[str, Any]:
    return {
        "stage": record.stage,
        "status": record.status.value,
        "updated_at": record.updated_at,
        "note": record.note,
        "outputs": dict(record.outputs),
        "job": _job(record.job) if record.job else None,
        "gates": [_gate(result) for result in record.gates],
        "plan": _plan(record.plan, release.job) if record.plan else None,
        "approval": _approval(approval, release, installation) if approval else None,
    }


def _gate(result: GateResult) -> dict[str, Any]:
    numbers = ("value", "live", "at_least", "at_most", "not_worse_than_live_by")
    return {
        "metric": result.metric,
        "status": result.status.value,
        "faults": [fault.value for fault in result.faults],
        **{name: json.loads(getattr(result, name) or "null") for name in numbers},
        "live_release": result.live_release,
        "higher_is_better": result.higher_is_better,
        "told": sentence(result),
    }


def _job(job: JobRun) -> dict[str, Any]:
    return {
        "kind": job.kind.value,
        "name": job_name(job.arn),
        "arn": job.arn,
        "status": job.status.value,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "reason": job.reason,
        "console": job_page(job.kind, job.arn),
    }


def _plan(plan: Plan, job: JobKind | None) -> dict[str, Any]:
    return {
        "digest": plan.digest,
        "creates_stack": plan.creates_stack,
        "empty": plan.empty,
        "job": job.value if job and not plan.removes else "",
        "resources": [
            {
                "action": change.action,
                "logical_id": change.logical_id,
                "type": change.resource_type,
                "properties": list(change.properties),
            }
            for change in plan.resources
        ],
        "parameters": [
            {"name": change.name, "before": change.before, "after": change.after} for change in plan.parameters
        ],
        "access": [
            {
                "area": change.area.value,
                "reach": change.reach.value,
                "logical_id": change.logical_id,
                "type": change.resource_type,
                "told": change.told,
            }
            for change in plan.access
        ],
    }


def _approval(approval: Approval, release: Release, installation: Installation) -> dict[str, Any]:
    rules = rules_for(installation, release, approval.stage) if installation.has_stage(approval.stage) else None
    found = explain(rules, release.requester, approval.votes) if rules else None
    return {
        "approval_id": approval.approval_id,
        "status": approval.status.value,
        "digest": approval.digest,
        "needed": found.decision.missing if found else "",
        "asked_at": approval.asked_at,
        "expires_at": approval.expires_at,
        "votes": [
            {
                "by": vote.display,
                "verdict": vote.verdict.value,
                "at": vote.at,
                "reason": vote.reason,
                "via": vote.via,
            }
            for vote in approval.votes
        ],
        "withdrawals": [
            {"by": one.display, "cast_at": one.cast_at, "at": one.at, "via": one.via} for one in approval.withdrawals
        ],
        "requirements": _requirements(found) if found and approval.status is ApprovalStatus.PENDING else None,
    }


def _requirements(found: Explanation) -> dict[str, Any]:
    return {
        "possible": found.possible,
        "requester_is_certain": found.certain,
        "unmet": [
            {
                "source": one.source.value,
                "possible": one.possible,
                "ways": [
                    {
                        "asks": [{"role": role, "count": count} for role, count in way.asks],
                        "missing": [
                            {"count": gap.count, "roles": list(gap.roles), "could": list(gap.could)}
                            for gap in way.missing
                        ],
                        "one_more": way.one_more,
                        "possible": way.possible,
                    }
                    for way in one.ways
                ],
            }
            for one in found.requirements
        ],
        "excluded": [{"name": one.name, "reason": one.reason.value} for one in found.excluded],
        "told": sentences(found),
    }
