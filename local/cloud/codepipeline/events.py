"""State change events of pipelines, stages and actions, on the default bus of the pipeline's account.

Their shapes are the AWS CodePipeline User Guide's, "Monitoring CodePipeline events". Versions and attempts are numbers
with a decimal point there.
"""

from __future__ import annotations

from typing import Any

from local.cloud.codepipeline.executions import ActionRun, Execution
from local.cloud.sagemaker.jobs import events

SEAMS = events.SEAMS

SOURCE = "aws.codepipeline"
EXECUTION = "CodePipeline Pipeline Execution State Change"
STAGE = "CodePipeline Stage Execution State Change"
ACTION = "CodePipeline Action Execution State Change"

STATES = {
    "InProgress": "STARTED",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
    "Stopping": "STOPPING",
    "Stopped": "STOPPED",
    "Superseded": "SUPERSEDED",
    "Cancelled": "CANCELED",
    "Abandoned": "ABANDONED",
}
"""Status in the API → state in an event; RESUMED is a retried stage's."""


def of_execution(execution: Execution, state: str) -> None:
    """A pipeline execution entered a state."""
    detail: dict[str, Any] = {}
    if state == "STARTED":
        detail["execution-trigger"] = {
            "trigger-type": execution.trigger["triggerType"],
            "trigger-detail": execution.trigger["triggerDetail"],
        }
    if state in {"STOPPING", "STOPPED"} and execution.stop_reason:
        detail["stop-execution-comments"] = execution.stop_reason
    _send(EXECUTION, execution, {"start-time": events.instant(execution.started), "state": state, **detail})


def of_stage(execution: Execution, stage: str, state: str) -> None:
    """A stage entered a state."""
    _send(STAGE, execution, {"start-time": events.instant(execution.started), "stage": stage, "state": state})


def of_action(execution: Execution, run: ActionRun) -> None:
    """An action entered its status."""
    kind = run.declared["actionTypeId"]
    detail: dict[str, Any] = {
        "start-time": events.instant(run.started),
        "stage": run.stage,
        "action": run.name,
        "state": STATES[run.status],
        "region": str(run.declared.get("region") or execution.region),
        "type": {name: kind[name] for name in ("owner", "category", "provider", "version")},
    }
    if run.inputs:
        detail["input-artifacts"] = [artifact.described for artifact in run.inputs]
    if run.outputs:
        detail["output-artifacts"] = [artifact.described for artifact in run.outputs]
    result = {
        "external-execution-url": run.external_url,
        "external-execution-summary": run.summary or run.error,
        "external-execution-id": run.external_id,
        "error-code": run.error_code,
    }
    result = {name: value for name, value in result.items() if value}
    if result and run.status != "InProgress":
        detail["execution-result"] = result
    _send(ACTION, execution, detail)


def _send(kind: str, execution: Execution, detail: dict[str, Any]) -> None:
    if execution.forgotten:
        return
    arn = f"arn:aws:codepipeline:{execution.region}:{execution.account}:{execution.pipeline}"
    known = {
        "pipeline": execution.pipeline,
        "execution-id": execution.id,
        **detail,
        "version": float(execution.version),
        "pipeline-execution-attempt": float(execution.attempt),
    }
    events.send(execution.account, execution.region, kind, known, [arn], SOURCE)
