"""RunJobDev, RunJobStaging, RunJobProd, RunJob: what CloudFormation only makes, such as a pipeline, the release runs.

A workload without a job is answered at once. Every attempt to start the job carries the same token, and the first one
that hears of the job notes it in the stage's record, so that a repeated step starts no second; the wait is stored under
the job's ARN and resolved by its status event, with the sweeper behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from orchestrator.core.errors import JobFailed
from orchestrator.core.jobs import JobKind, JobRun, JobStatus, automl_request, request_token
from orchestrator.core.ports import Accounts, Clock, JobRequest, Objects, Store, Tasks
from orchestrator.core.records import Release, StageRecord, TaskToken, Wait, WaitKind
from orchestrator.core.sources import OUTPUT, as_text, finish
from orchestrator.core.steps.progress import move_stage, release_of, stage_of, stamp
from orchestrator.core.steps.released import JobPlan, ReleasedPackage, released_package
from orchestrator.core.steps.settle import settle, store_wait
from orchestrator.core.steps.turns import check_turn


def run_job(
    release_id: str,
    stage: str,
    token: TaskToken,
    *,
    store: Store,
    objects: Objects,
    accounts: Accounts,
    tasks: Tasks,
    packages_bucket: str,
    now: Clock,
) -> None:
    """Run the job that the workload type names; answers ``{"outcome": "none"}`` where it names none.

    Raises ``JobFailed`` where the stack lacks an output that the job needs, and ``TurnLost``.
    """
    release = release_of(store, release_id)
    if release.removes:
        tasks.succeed(token, {"outcome": "none"})
        return
    package = released_package(release, objects, packages_bucket)
    if package.job is None:
        tasks.succeed(token, {"outcome": "none"})
        return
    record = stage_of(store, release_id, stage, now)
    job = record.job or _start(package.job, package, release, record, store, accounts, now)
    wait = store_wait(
        Wait(
            kind=WaitKind.JOB,
            subject=job.arn,
            request_token=request_token(release_id, stage),
            release_id=release_id,
            stage=stage,
            token=token,
            stored_at=stamp(now()),
        ),
        store,
    )
    settle(wait, store=store, accounts=accounts, tasks=tasks, now=now)


def _start(
    job: JobPlan,
    package: ReleasedPackage,
    release: Release,
    record: StageRecord,
    store: Store,
    accounts: Accounts,
    now: Clock,
) -> JobRun:
    check_turn(store, release)
    request = _request(job, package, release, record)
    arn = accounts.jobs(record.stage).start(request)
    started = JobRun(job.kind, arn, JobStatus.RUNNING, stamp(now()))
    after = move_stage(store, record, now, lambda current: replace(current, job=current.job or started))
    return after.job or started


def _request(job: JobPlan, package: ReleasedPackage, release: Release, record: StageRecord) -> JobRequest:
    outputs = dict(record.outputs)
    inputs = _inputs(job.inputs.get(record.stage, {}), outputs, release, record.stage)
    request = JobRequest(
        kind=job.kind,
        target=_output(outputs, job.output, record.stage) if job.output else "",
        request_token=request_token(release.release_id, record.stage),
        title=release.release_id,
    )
    if job.kind is not JobKind.AUTOML_JOB:
        return replace(request, inputs={name: as_text(value) for name, value in inputs.items()})
    document = json.loads(package.document(record.stage, job.request))
    tags = package.tags(record.stage)
    return replace(request, document=automl_request(document, inputs, tags, release.release_id, record.stage))


def _inputs(
    entries: Mapping[str, Mapping[str, object]], outputs: Mapping[str, str], release: Release, stage: str
) -> dict[str, object]:
    names = {f"{OUTPUT}{name}": value for name, value in outputs.items()} | {"$release": release.release_id}
    inputs = {}
    for name, entry in entries.items():
        try:
            inputs[name] = finish(entry, names)
        except KeyError:
            _output(outputs, str(entry["from"]).removeprefix(OUTPUT), stage)
            raise
    return inputs


def _output(outputs: Mapping[str, str], name: str, stage: str) -> str:
    value = outputs.get(name, "")
    if not value:
        raise JobFailed(f"the stack in {stage} has no output {name!r}, which the job needs")
    return value
