"""Executions of pipelines: started once for a client request token, steps one after another in order of dependency.

A step's job is made with the pipeline's role, which needs the permission to make it and to pass the job's role. After a
step that failed no other starts, as on AWS with the default failure behaviour.
"""

from __future__ import annotations

import json
import secrets
import string
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud.principals import Verdict, decide
from local.cloud.sagemaker import backend, pipelines
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import events, lifecycle, references, worker
from local.cloud.sagemaker.jobs.access import Refused, Role
from local.cloud.sagemaker.jobs.kinds import STEPS, StepType
from local.cloud.sagemaker.jobs.requests import check
from local.cloud.sagemaker.pipelines import Pipeline
from local.cloud.sagemaker.records import Record

EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"

_ALPHABET = string.ascii_lowercase + string.digits


@dataclass
class Step:
    """A step that has been started."""

    name: str
    type: str
    status: str = ""
    started: float = field(default_factory=time.time)
    ended: float = 0.0
    reason: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class Execution:
    """One execution of a pipeline."""

    account: str
    region: str
    id: str
    arn: str
    pipeline: Pipeline
    parameters: list[dict[str, str]]
    values: dict[str, Any]
    display_name: str
    description: str
    status: str = ""
    started: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    reason: str = ""
    steps: list[Step] = field(default_factory=list)
    run: worker.Run | None = None


_executions: dict[str, Execution] = {}
_tokens: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
"""Pipeline's ARN and client request token → the execution's ARN and what was asked."""
_lock = threading.RLock()


def start(account: str, region: str, fields: dict[str, Any]) -> Execution:
    """Start an execution, or answer the one that was started with the same token; raises ApiError."""
    check("StartPipelineExecution", fields)
    pipeline = pipelines.find(account, region, fields["PipelineName"])
    if pipeline is None:
        raise ApiError("ResourceNotFound", f"Pipeline '{fields['PipelineName']}' does not exist.")
    given = fields.get("PipelineParameters") or []
    asked = {name: value for name, value in fields.items() if name != "ClientRequestToken"}
    with _lock:
        key = (pipeline.arn, fields.get("ClientRequestToken") or secrets.token_hex(16))
        known = _tokens.get(key)
        if known is not None:
            if known[1] != asked:
                raise ApiError("ConflictException", "The client request token was used with other parameters.", 409)
            return _executions[known[0]]
        identity = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        execution = Execution(
            account,
            region,
            identity,
            f"{pipeline.arn}/execution/{identity}",
            pipeline,
            given,
            references.parameters(pipeline.definition, given),
            fields.get("PipelineExecutionDisplayName") or f"execution-{int(time.time() * 1000)}",
            fields.get("PipelineExecutionDescription", ""),
        )
        _executions[execution.arn] = execution
        _tokens[key] = (execution.arn, asked)
    pipelines.ran(account, region, pipeline.name, execution.started)
    _enter(execution, "Executing")
    execution.run = worker.start(account, region, lambda run: _Runner(execution, run).main())
    return execution


def find(arn: str) -> Execution:
    """An execution by its ARN; raises ApiError."""
    found = _executions.get(arn.lower()) or _executions.get(arn)
    if found is None:
        raise ApiError("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
    return found


def of_pipeline(pipeline_arn: str) -> list[Execution]:
    """A pipeline's executions, newest first."""
    with _lock:
        found = [execution for execution in _executions.values() if execution.pipeline.arn == pipeline_arn]
    return sorted(found, key=lambda execution: execution.started, reverse=True)


def stop(arn: str) -> Execution:
    """Ask an execution to stop; raises ApiError when it has ended."""
    execution = find(arn)
    if execution.status != "Executing":
        raise ApiError(
            "ValidationException", f"Pipeline execution {arn} is {execution.status}; only Executing can be stopped."
        )
    _enter(execution, "Stopping")
    if execution.run is not None:
        execution.run.ask_to_stop()
    return execution


def reset() -> None:
    """Forget every execution; the work itself is stopped by ``worker``."""
    with _lock:
        _executions.clear()
        _tokens.clear()


class _Runner:
    """The thread of one execution."""

    def __init__(self, execution: Execution, run: worker.Run) -> None:
        self.execution, self.run = execution, run
        self.known: dict[str, Any] = {
            "Parameters": execution.values,
            "Execution": {
                "PipelineExecutionId": execution.id,
                "PipelineExecutionArn": execution.arn,
                "PipelineName": execution.pipeline.name,
                "PipelineArn": execution.pipeline.arn,
                "StartDateTime": events.instant(execution.started),
                "CurrentDateTime": events.instant(execution.started),
            },
            "Steps": {},
        }
        self.role = Role(execution.pipeline.role_arn, execution.region, session="SageMakerPipelines")

    def main(self) -> None:
        """Run every step; the outcome is the execution's status."""
        status, reason = "Succeeded", ""
        for step in self._in_order():
            outcome = self._step(step)
            if outcome != "Succeeded":
                status = outcome
                reason = "Step failure: One or multiple steps failed." if outcome == "Failed" else ""
                break
        if self.run.stop.is_set() and status == "Succeeded":
            status = "Stopped"
        if not self.run.abandoned:
            _enter(self.execution, status, reason)

    def _in_order(self) -> list[dict[str, Any]]:
        left = list(self.execution.pipeline.definition.get("Steps") or [])
        ordered: list[dict[str, Any]] = []
        while left:
            done = {step["Name"] for step in ordered}
            ready = [step for step in left if references.steps_needed(step) <= done]
            # The definition was checked when the pipeline was made; what is left in a circle runs as it stands.
            ordered += ready or left
            left = [step for step in left if step not in ordered]
        return ordered

    def _step(self, definition: dict[str, Any]) -> str:
        step = Step(definition["Name"], definition["Type"])
        self.execution.steps.append(step)
        self._report(step, "Starting")
        try:
            self.run.look()
            self._report(step, "Executing")
            status, reason = self._job(step, definition)
        except worker.Stopped:
            status, reason = "Stopped", ""
        except (ApiError, Refused) as refused:
            action = f"sagemaker:{STEPS[step.type].kind.action}" if step.type in STEPS else step.type
            status, reason = "Failed", f"ClientError: Failed to invoke {action}. Error Details: {refused}"
        except references.Unresolved as problem:
            status, reason = "Failed", f"ClientError: {problem}"
        self._report(step, status, reason)
        return status

    def _job(self, step: Step, definition: dict[str, Any]) -> tuple[str, str]:
        made = STEPS.get(step.type)
        if made is None:
            raise references.Unresolved(f"The embedded cloud runs no steps of type {step.type}")
        self.role.assume()
        arguments = references.resolved(definition.get("Arguments") or {}, self.known)
        arguments[made.kind.name] = self._job_name(made, step.name, arguments.get(made.kind.name, ""))
        execution = self.execution
        target = backend.arn(execution.account, execution.region, made.kind.arn_kind, arguments[made.kind.name])
        self.role.need(f"sagemaker:{made.kind.action}", target)
        self.role.need(f"sagemaker:Describe{made.kind.noun}", target)
        if arguments.get("Tags"):
            self.role.need("sagemaker:AddTags", target)
        record = lifecycle.begin(execution.account, execution.region, made.kind, arguments, self._may)
        step.metadata = {made.metadata: {"Arn": record.arn}}
        lifecycle.carry_out(execution.account, execution.region, made.kind, record, self.run)
        description = lifecycle.describe(made.kind, record)
        self.known["Steps"][step.name] = description
        return _outcome(record), record.state.get("reason", "")

    def _may(self, action: str, resource: str, context: Mapping[str, Any] | None) -> Verdict:
        return decide(self.role.arn, action, resource, context, session=self.role.session)

    def _job_name(self, made: StepType, step: str, prefix: str) -> str:
        """``<prefix>-<execution id>-<suffix>``, or the service's own form when the step names no prefix."""
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
        tail = f"-{self.execution.id}-{suffix}"
        if prefix:
            return prefix[: made.name_length - len(tail)].rstrip("-") + tail
        plain = "".join(character if character.isalnum() else "-" for character in step)
        if made.name_length < 63:
            room = made.name_length - len(tail)
            return f"{self.execution.id}-{plain[:room].strip('-')}-{suffix}"
        room = made.name_length - len("pipelines-") - len(tail)
        return f"pipelines-{self.execution.id}-{plain[: room - 1].strip('-')}-{suffix}"

    def _report(self, step: Step, status: str, reason: str = "") -> None:
        former, step.status, step.reason = step.status, status, reason
        if status not in {"Starting", "Executing"}:
            step.ended = time.time()
        if self.run.abandoned:
            return
        self.execution.modified = time.time()
        detail: dict[str, Any] = {
            "metadata": {
                f"{kind[:1].lower()}{kind[1:]}": {name.lower(): value for name, value in inner.items()}
                for kind, inner in step.metadata.items()
            },
            "stepStartTime": events.instant(step.started),
            "stepName": step.name,
            "stepType": step.type,
            "previousStepStatus": former or None,
            "currentStepStatus": status,
            "pipelineArn": self.execution.pipeline.arn,
            "pipelineExecutionArn": self.execution.arn,
        }
        if step.ended:
            detail["stepEndTime"] = events.instant(step.ended)
        if reason:
            detail["failureReason"] = reason
        _send(self.execution, STEP_EVENT, detail)


def _outcome(record: Record) -> str:
    return {"Completed": "Succeeded", "Stopped": "Stopped"}.get(record.state["status"], "Failed")


def _enter(execution: Execution, status: str, reason: str = "") -> None:
    former, execution.status, execution.reason = execution.status, status, reason
    execution.modified = time.time()
    detail: dict[str, Any] = {
        "pipelineExecutionDisplayName": execution.display_name,
        "currentPipelineExecutionStatus": status,
        "previousPipelineExecutionStatus": former or None,
        "executionStartTime": events.instant(execution.started),
        "pipelineExecutionDescription": execution.description,
        "pipelineArn": execution.pipeline.arn,
        "pipelineExecutionArn": execution.arn,
    }
    if status not in {"Executing", "Stopping"}:
        detail["executionEndTime"] = events.instant(execution.modified)
    _send(execution, EXECUTION_EVENT, detail)


def _send(execution: Execution, kind: str, detail: dict[str, Any]) -> None:
    # A member without a value is left out of an event; the guide shows none that is null.
    shown = {name: value for name, value in detail.items() if value is not None}
    events.send(execution.account, execution.region, kind, shown, [execution.pipeline.arn, execution.arn])


def definition_text(execution: Execution) -> str:
    """The definition as it was when the execution started."""
    return json.dumps(execution.pipeline.definition)
