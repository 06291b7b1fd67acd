"""Executions started, stopped and retried; approvals answered."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.codepipeline import approvals, events, runner, sources, stages
from local.cloud.codepipeline.executions import CHANGED, FAILED, IN_PROGRESS, STOPPED, STOPPING, Execution
from local.cloud.codepipeline.pipelines import ApiError, Pipeline

MAX_CONCURRENT = 50
"""Executions in progress of a pipeline in QUEUED or PARALLEL mode ("Quotas in AWS CodePipeline")."""

_OF_SOURCES = {
    "S3": {sources.OBJECT_VERSION, sources.OBJECT_KEY},
    "CodeStarSourceConnection": {sources.COMMIT},
}


def start(
    pipeline: Pipeline,
    trigger: Mapping[str, str],
    *,
    overrides: Sequence[Mapping[str, str]] = (),
    variables: Sequence[Mapping[str, str]] = (),
    token: str = "",
    delivery: tuple[bytes, Mapping[str, str]] | None = None,
) -> Execution:
    """Start an execution, or answer the one that was started with the same token; raises ApiError."""
    with CHANGED:
        if token and token in pipeline.tokens:
            return pipeline.executions[pipeline.tokens[token]]
        for override in overrides:
            _check_override(pipeline, override)
        given = _variables(pipeline, variables)
        running = [one for one in pipeline.executions.values() if one.status in {IN_PROGRESS, STOPPING}]
        if pipeline.declaration["executionMode"] != "SUPERSEDED" and len(running) >= MAX_CONCURRENT:
            raise ApiError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline {pipeline.name} has {MAX_CONCURRENT} executions in progress",
            )
        execution = Execution(
            pipeline.account,
            pipeline.region,
            pipeline.declaration,
            len(pipeline.executions) + 1,
            trigger,
            given,
            tuple(overrides),
            delivery,
        )
        execution.known = {("codepipeline", "PipelineExecutionId"): execution.id}
        execution.known |= {("variables", name): value for name, value in given.items()}
        pipeline.executions[execution.id] = execution
        if token:
            pipeline.tokens[token] = execution.id
    runner.start(pipeline, execution)
    return execution


def start_when_made(pipeline: Pipeline, by: str) -> None:
    """The execution that CodePipeline starts when a pipeline is made ("Create a pipeline" of the User Guide).

    Not where a source is behind a connection: there is no repository here that it could fetch from.
    """
    actions = pipeline.declaration["stages"][0]["actions"]
    if all(action["actionTypeId"]["provider"] != "CodeStarSourceConnection" for action in actions):
        start(pipeline, {"triggerType": "CreatePipeline", "triggerDetail": by})


def stop(pipeline: Pipeline, identity: str, abandon: bool, reason: str | None) -> None:
    """Stop an execution when its actions in progress have ended, or abandon them; raises ApiError."""
    with CHANGED:
        execution = pipeline.execution(identity)
        if execution.status == STOPPING and not abandon:
            raise ApiError(
                "DuplicatedStopRequestException", f"The execution {identity} is stopping already; it can be abandoned"
            )
        if execution.status not in {IN_PROGRESS, STOPPING}:
            raise ApiError("PipelineExecutionNotStoppableException", f"The execution {identity} is {execution.status}")
        again = execution.status == STOPPING
        execution.status, execution.updated, execution.stop_reason = STOPPING, time.time(), reason
        for run in execution.stages.values():
            run.status = STOPPING if run.status == IN_PROGRESS else run.status
    # Told before the execution's thread goes on, so that STOPPING comes before STOPPED.
    if not again:
        events.of_execution(execution, "STOPPING")
        for name, run in list(execution.stages.items()):
            if run.status == STOPPING:
                events.of_stage(execution, name, "STOPPING")
    with CHANGED:
        execution.stopping, execution.abandoning = True, abandon
        CHANGED.notify_all()


def retry(pipeline: Pipeline, stage_name: str, identity: str, everything: bool) -> None:
    """Run a stage's failed actions again, or ``everything`` in it; raises ApiError."""
    with CHANGED:
        stage, execution = pipeline.stage(stage_name), pipeline.execution(identity)
        if execution.mode != "PARALLEL" and (stage.latest is None or stage.latest.execution != identity):
            raise ApiError(
                "NotLatestPipelineExecutionException",
                f"The latest execution in stage {stage_name} is not {identity}",
            )
        run = execution.stages.get(stage_name)
        if execution.outdated:
            raise ApiError("StageNotRetryableException", "The pipeline was changed since the execution was started")
        if run is None or run.status not in {FAILED, STOPPED} or execution.status not in {FAILED, STOPPED}:
            raise ApiError("StageNotRetryableException", f"The stage {stage_name} of {identity} has not failed")
        execution.status, execution.attempt, execution.updated = IN_PROGRESS, execution.attempt + 1, time.time()
        execution.stopping = execution.abandoning = False
        execution.stop_reason = None
        stages.lock(execution, stage)
    runner.resume(pipeline, execution, stage, everything)


def approve(pipeline: Pipeline, fields: Mapping[str, Any], by: str) -> float:
    """Answer an approval; seconds since 1970. Raises ApiError."""
    with CHANGED:
        stage = pipeline.stage(fields["stageName"])
        declared = next(one for one in pipeline.declaration["stages"] if one["name"] == stage.name)
        if fields["actionName"] not in {action["name"] for action in declared["actions"]}:
            raise ApiError("ActionNotFoundException", f"The stage {stage.name} has no action {fields['actionName']}")
        asked = (stage.name, fields["actionName"], fields["token"])
        runs = [run for execution in pipeline.executions.values() for run in execution.actions]
        run = next((run for run in runs if (run.stage, run.name, run.token) == asked), None)
        if run is None or run.expired or run.status == "Abandoned":
            raise ApiError("InvalidApprovalTokenException", "Invalid approval token")
        if run.approved is not None:
            raise ApiError("ApprovalAlreadyCompletedException", "The approval was answered already")
        result = fields["result"]
        run.approved, run.summary, run.updated_by = result["status"] == "Approved", result["summary"], by
        run.updated = time.time()
        CHANGED.notify_all()
        return run.updated


def expire(pipeline: Pipeline) -> int:
    """Let the approvals of a pipeline that wait run out of time now; how many there were."""
    with CHANGED:
        waiting = [run for execution in pipeline.executions.values() for run in approvals.waiting(execution)]
        for run in waiting:
            run.expired = True
        CHANGED.notify_all()
    return len(waiting)


def _check_override(pipeline: Pipeline, override: Mapping[str, str]) -> None:
    found = [one for one in pipeline.declaration["stages"][0]["actions"] if one["name"] == override["actionName"]]
    if not found:
        raise ApiError("ValidationException", f"The pipeline has no source action {override['actionName']}")
    kind, configuration = found[0]["actionTypeId"]["provider"], found[0]["configuration"]
    if override["revisionType"] not in _OF_SOURCES[kind]:
        raise ApiError("ValidationException", f"A source of {kind} has no revisions of {override['revisionType']}")
    if override["revisionType"] == sources.OBJECT_KEY and configuration.get("AllowOverrideForS3ObjectKey") != "true":
        raise ApiError("ValidationException", f"The source action {override['actionName']} allows no other object key")


def _variables(pipeline: Pipeline, given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    declared = {one["name"]: one.get("defaultValue") for one in pipeline.declaration.get("variables") or []}
    values = {one["name"]: one["value"] for one in given}
    unknown = sorted(values.keys() - declared.keys())
    if unknown:
        raise ApiError("ValidationException", f"The pipeline declares no variables {', '.join(unknown)}")
    found = {name: values.get(name, default) for name, default in declared.items()}
    missing = sorted(name for name, value in found.items() if value is None)
    if missing:
        raise ApiError("ValidationException", f"Variables without a value: {', '.join(missing)}")
    return {name: str(value) for name, value in found.items()}
