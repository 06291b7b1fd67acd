"""RunJobDev, RunJobStaging, RunJobProd: CloudFormation creates a SageMaker Pipeline but runs none; the release does.

A workload without a job is answered at once. The release id is the client request token, so a repeated step starts
no second execution; the wait is stored under the execution's ARN and resolved by its status event, with the sweeper
behind.
"""

from __future__ import annotations

from orchestrator.core.errors import JobFailed
from orchestrator.core.ports import Accounts, Clock, Objects, Store, Tasks
from orchestrator.core.records import TaskToken, Wait, WaitKind
from orchestrator.core.steps.progress import release_of, stage_of, stamp
from orchestrator.core.steps.released import released_package
from orchestrator.core.steps.settle import settle, store_wait


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
    """Run the job that the workload type names; answers ``{"outcome": "none"}`` where it names none."""
    release = release_of(store, release_id)
    package = released_package(release, objects, packages_bucket)
    if not package.pipeline_output:
        tasks.succeed(token, {"outcome": "none"})
        return
    outputs = dict(stage_of(store, release_id, stage, now).outputs)
    pipeline = outputs.get(package.pipeline_output, "")
    if not pipeline:
        raise JobFailed(f"the stack in {stage} has no output {package.pipeline_output!r}")
    request = request_token(release_id, stage)
    execution = accounts.jobs(stage).start_pipeline(pipeline, request, release_id)
    wait = store_wait(
        Wait(
            kind=WaitKind.PIPELINE,
            subject=execution,
            request_token=request,
            release_id=release_id,
            stage=stage,
            token=token,
            stored_at=stamp(now()),
        ),
        store,
    )
    settle(wait, store=store, accounts=accounts, tasks=tasks, now=now)


def request_token(release_id: str, stage: str) -> str:
    """StartPipelineExecution's client request token: 32 to 128 characters."""
    return f"{release_id}-{stage}-job".ljust(32, "0")
