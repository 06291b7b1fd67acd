"""The calls about jobs and executions of pipelines, answered in place of moto's records."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from local.cloud import shapes
from local.cloud.contract import Seam
from local.cloud.principals import caller_may
from local.cloud.sagemaker import api, listing, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import access, events, executions, lifecycle, programs, storage, tuning, worker
from local.cloud.sagemaker.jobs.executions import Execution, Step
from local.cloud.sagemaker.jobs.kinds import AUTOML, KINDS, TUNING
from local.cloud.sagemaker.jobs.lifecycle import Kind
from local.cloud.sagemaker.jobs.requests import check
from local.cloud.sagemaker.records import Record

SEAMS = (
    Seam("ministack.app", "_reset_all_state"),
    *access.SEAMS,
    *events.SEAMS,
    *programs.SEAMS,
    *storage.SEAMS,
    *worker.SEAMS,
)

Action = Callable[[str, str, dict[str, Any]], dict[str, Any]]

_RUNNING = frozenset({"InProgress", "Stopping"})


def install() -> None:
    """Answer the calls, and end all work when everything is reset."""
    from ministack import app

    api.OWN.update(ACTIONS)
    reset = app._reset_all_state

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        worker.reset()
        executions.reset()
        return reset(*arguments, **named)

    app._reset_all_state = reset_all


def _create(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = lifecycle.begin(account, region, kind, fields, caller_may)
    run = worker.start(account, region, lambda run: lifecycle.carry_out(account, region, kind, record, run))
    record.state["run"] = run
    return {f"{kind.noun}Arn": record.arn}


def _describe(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(kind, account, region, fields)
    return shapes.answer_of("sagemaker", kind.action.replace("Create", "Describe"), lifecycle.describe(kind, record))


def _stop(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(kind, account, region, fields)
    if record.state["status"] not in _RUNNING:
        raise ApiError(
            "ValidationException",
            f"The request was rejected because the {kind.arn_kind.replace('-', ' ')} is in status "
            f"{record.state['status']}.",
        )
    run = record.state.get("run")
    record.state["status"] = "Stopping"
    if run is not None:
        run.ask_to_stop()
    return {}


def _list(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    found = [record for record in records.listed(account, region, kind.arn_kind) if _has_status(record, fields)]

    def summary(record: Record) -> dict[str, Any]:
        return _summary(f"List{kind.noun}s", f"{kind.noun}Summaries", lifecycle.describe(kind, record))

    return listing.page(found, fields, f"{kind.noun}Summaries", summary)


def _has_status(record: Record, fields: dict[str, Any]) -> bool:
    wanted = fields.get("StatusEquals")
    return wanted is None or bool(record.state["status"] == wanted)


def _summary(action: str, member: str, known: dict[str, Any]) -> dict[str, Any]:
    """What one entry of a list shows of a description."""
    shape = shapes.operation("sagemaker", action).output_shape.members[member].member
    return {name: value for name, value in known.items() if name in shape.members and value is not None}


def _known(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> Record:
    name = fields[kind.name]
    record = records.find(account, region, kind.arn_kind, name)
    if record is None:
        raise ApiError("ResourceNotFound", f"Could not find {kind.arn_kind.replace('-', ' ')} {name}.")
    return record


def _list_candidates(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(AUTOML, account, region, fields)
    return {"Candidates": record.state.get("candidates", [])}


def _list_trainings(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(TUNING, account, region, fields)
    children = [child for child in record.state.get("children", []) if _has_status(child, fields)]
    if fields.get("SortBy") == "FinalObjectiveMetricValue":
        children = sorted(children, key=lambda child: child.state.get("rank", len(children)))
        if fields.get("SortOrder", "Ascending") == "Descending":
            children.reverse()
        return {"TrainingJobSummaries": [tuning.summary(record.fields, child) for child in children]}
    return listing.page(children, fields, "TrainingJobSummaries", lambda child: tuning.summary(record.fields, child))


def _start_execution(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"PipelineExecutionArn": executions.start(account, region, fields).arn}


def _describe_execution(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    execution = executions.find(fields["PipelineExecutionArn"])
    return _without_nothing(
        {"PipelineArn": execution.pipeline.arn, "CreationTime": execution.started, **_shown(execution)}
    )


def _shown(execution: Execution) -> dict[str, Any]:
    return {
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": execution.description,
        "FailureReason": execution.reason,
        "LastModifiedTime": execution.modified,
    }


def _without_nothing(known: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if value not in ("", None)}


def _list_executions(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    name = str(fields["PipelineName"])
    pipeline = api.perform(account, region, "DescribePipeline", {"PipelineName": name})["PipelineArn"]
    found = [
        _without_nothing(
            {
                "PipelineExecutionArn": execution.arn,
                "StartTime": execution.started,
                "PipelineExecutionStatus": execution.status,
                "PipelineExecutionDescription": execution.description,
                "PipelineExecutionDisplayName": execution.display_name,
                "PipelineExecutionFailureReason": execution.reason,
            }
        )
        for execution in executions.of_pipeline(pipeline)
    ]
    if fields.get("SortOrder") == "Ascending":
        found.reverse()
    return {"PipelineExecutionSummaries": found}


def _list_steps(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    steps = [_step(step) for step in executions.find(fields["PipelineExecutionArn"]).steps]
    # The newest first, unless asked otherwise.
    return {"PipelineExecutionSteps": steps if fields.get("SortOrder") == "Ascending" else steps[::-1]}


def _step(step: Step) -> dict[str, Any]:
    return _without_nothing(
        {
            "StepName": step.name,
            "StartTime": step.started,
            "EndTime": step.ended or None,
            "StepStatus": step.status,
            "FailureReason": step.reason,
            "Metadata": step.metadata or None,
            "AttemptCount": 1,
        }
    )


def _stop_execution(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    check("StopPipelineExecution", fields)
    return {"PipelineExecutionArn": executions.stop(fields["PipelineExecutionArn"]).arn}


def _list_parameters(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    execution = executions.find(fields["PipelineExecutionArn"])
    return {"PipelineParameters": [{"Name": name, "Value": str(value)} for name, value in execution.values.items()]}


def _definition(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    execution = executions.find(fields["PipelineExecutionArn"])
    return {"PipelineDefinition": executions.definition_text(execution), "CreationTime": execution.started}


def _of_kinds() -> dict[str, Action]:
    found: dict[str, Action] = {}
    for kind in KINDS:
        found[kind.action] = functools.partial(_create, kind)
        found[kind.action.replace("Create", "Describe")] = functools.partial(_describe, kind)
        found[f"Stop{kind.noun}"] = functools.partial(_stop, kind)
        found[f"List{kind.noun}s"] = functools.partial(_list, kind)
    return found


ACTIONS: dict[str, Action] = {
    **_of_kinds(),
    "ListCandidatesForAutoMLJob": _list_candidates,
    "ListTrainingJobsForHyperParameterTuningJob": _list_trainings,
    "StartPipelineExecution": _start_execution,
    "DescribePipelineExecution": _describe_execution,
    "ListPipelineExecutions": _list_executions,
    "ListPipelineExecutionSteps": _list_steps,
    "StopPipelineExecution": _stop_execution,
    "ListPipelineParametersForExecution": _list_parameters,
    "DescribePipelineDefinitionForExecution": _definition,
}
"""Action → what answers it: account, region and members of the request → members of the answer."""
