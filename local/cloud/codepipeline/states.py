"""What the API tells of pipelines, their state and their executions."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.codepipeline.executions import CHANGED, ActionRun, Execution, Revision
from local.cloud.codepipeline.pipelines import ApiError, Pipeline, Stage

MAX_RESULTS = 100
MAX_SUMMARY = 2048


def page(found: Sequence[dict[str, Any]], fields: Mapping[str, Any], member: str) -> dict[str, Any]:
    """One page of a list; raises ApiError for a token that is none."""
    start, size = _decoded(fields.get("nextToken")), int(fields.get("maxResults") or MAX_RESULTS)
    answer: dict[str, Any] = {member: list(found[start : start + size])}
    if start + size < len(found):
        answer["nextToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


def _decoded(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise ApiError("InvalidNextTokenException", "The next token is invalid") from error


def tags(pipeline: Pipeline) -> list[dict[str, str]]:
    """As ListTagsForResource answers."""
    return [{"key": key, "value": value} for key, value in sorted(pipeline.tags.items())]


def summary(pipeline: Pipeline) -> dict[str, Any]:
    """One entry of ListPipelines."""
    declaration = pipeline.declaration
    shown = {name: declaration[name] for name in ("name", "version", "pipelineType", "executionMode")}
    return {**shown, "created": pipeline.created, "updated": pipeline.updated}


def described(pipeline: Pipeline) -> dict[str, Any]:
    """GetPipeline."""
    times = {"created": pipeline.created, "updated": pipeline.updated}
    return {"pipeline": pipeline.declaration, "metadata": {"pipelineArn": pipeline.arn, **times}}


def state(pipeline: Pipeline) -> dict[str, Any]:
    """GetPipelineState."""
    with CHANGED:
        stages = [
            _stage(pipeline, pipeline.stages[declared["name"]], declared) for declared in pipeline.declaration["stages"]
        ]
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.declaration["version"],
        "stageStates": stages,
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _stage(pipeline: Pipeline, stage: Stage, declared: Mapping[str, Any]) -> dict[str, Any]:
    transition: dict[str, Any] = {"enabled": not stage.closed}
    if stage.transition_at:
        transition |= {"lastChangedBy": stage.transition_by, "lastChangedAt": stage.transition_at}
    if stage.closed:
        transition["disabledReason"] = stage.closed
    found: dict[str, Any] = {
        "stageName": stage.name,
        "inboundTransitionState": transition,
        "actionStates": [_action(pipeline, stage.actions.get(one["name"]), one) for one in declared["actions"]],
    }
    inbound = [{"pipelineExecutionId": one.id, "status": one.status, "type": "STANDARD"} for one in stage.inbound]
    if inbound:
        found |= {"inboundExecution": inbound[0], "inboundExecutions": inbound}
    if stage.latest is not None:
        found["latestExecution"] = {
            "pipelineExecutionId": stage.latest.execution,
            "status": stage.latest.status,
            "type": "STANDARD",
        }
    return found


def _action(pipeline: Pipeline, run: ActionRun | None, declared: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"actionName": declared["name"]}
    if run is None:
        return found
    latest = {
        "actionExecutionId": run.id,
        "status": run.status,
        "summary": run.summary[:MAX_SUMMARY],
        "lastStatusChange": run.updated,
        "lastUpdatedBy": run.updated_by,
        "externalExecutionId": run.external_id,
        "externalExecutionUrl": run.external_url,
        "errorDetails": _error(run),
    }
    waits = run.status == "InProgress" and run.approved is None and not run.expired
    if waits and pipeline.declaration["executionMode"] != "PARALLEL":
        latest["token"] = run.token
    found["latestExecution"] = {name: value for name, value in latest.items() if value}
    if run.revision is not None:
        found["currentRevision"] = {
            "revisionId": run.revision.id,
            "revisionChangeId": run.revision.change_id,
            "created": run.revision.created,
        }
        if run.revision.url:
            found["revisionUrl"] = run.revision.url
    return found


def _error(run: ActionRun) -> dict[str, str]:
    return {"code": run.error_code, "message": run.error[:5000]} if run.error else {}


def execution(found: Execution) -> dict[str, Any]:
    """GetPipelineExecution."""
    answer: dict[str, Any] = {
        "pipelineName": found.pipeline,
        "pipelineVersion": found.version,
        "pipelineExecutionId": found.id,
        "status": found.status,
        "trigger": dict(found.trigger),
        "executionMode": found.mode,
        "executionType": "STANDARD",
        "artifactRevisions": [
            _artifact_revision(run.outputs[0].name, run.revision) for run in _fetched(found) if run.revision
        ],
    }
    if found.variables:
        answer["variables"] = [{"name": name, "resolvedValue": value} for name, value in found.variables.items()]
    return answer


def _fetched(found: Execution) -> list[ActionRun]:
    return [run for run in found.actions if run.revision is not None and run.outputs]


def _artifact_revision(name: str, revision: Revision) -> dict[str, Any]:
    answer = {
        "name": name,
        "revisionId": revision.id,
        "revisionChangeIdentifier": revision.change_id,
        "revisionSummary": revision.summary,
        "created": revision.created,
        "revisionUrl": revision.url,
    }
    return {name: value for name, value in answer.items() if value}


def execution_summary(found: Execution) -> dict[str, Any]:
    """One entry of ListPipelineExecutions."""
    answer: dict[str, Any] = {
        "pipelineExecutionId": found.id,
        "status": found.status,
        "startTime": found.started,
        "lastUpdateTime": found.updated,
        "trigger": dict(found.trigger),
        "executionMode": found.mode,
        "executionType": "STANDARD",
        "sourceRevisions": [
            {"actionName": run.name, "revisionId": run.revision.id, "revisionSummary": run.revision.summary}
            for run in _fetched(found)
            if run.revision
        ],
    }
    if found.stop_reason is not None:
        answer["stopTrigger"] = {"reason": found.stop_reason}
    return answer


def action_execution(found: Execution, run: ActionRun) -> dict[str, Any]:
    """One entry of ListActionExecutions."""
    declared = run.declared
    given: dict[str, Any] = {
        "actionTypeId": declared["actionTypeId"],
        "configuration": declared.get("configuration") or {},
        "resolvedConfiguration": dict(run.configuration),
        "roleArn": declared.get("roleArn"),
        "region": declared.get("region") or found.region,
        "inputArtifacts": [artifact.described for artifact in run.inputs],
        "namespace": declared.get("namespace"),
    }
    result: dict[str, Any] = {
        "externalExecutionId": run.external_id,
        "externalExecutionSummary": run.summary,
        "externalExecutionUrl": run.external_url,
        "errorDetails": _error(run),
    }
    output: dict[str, Any] = {
        "outputArtifacts": [artifact.described for artifact in run.outputs],
        "outputVariables": dict(run.variables),
        "executionResult": {name: value for name, value in result.items() if value},
    }
    answer = {
        "pipelineExecutionId": found.id,
        "actionExecutionId": run.id,
        "pipelineVersion": found.version,
        "stageName": run.stage,
        "actionName": run.name,
        "startTime": run.started,
        "lastUpdateTime": run.updated,
        "updatedBy": run.updated_by,
        "status": run.status,
        "input": {name: value for name, value in given.items() if value is not None},
        "output": output,
    }
    return {name: value for name, value in answer.items() if value}
