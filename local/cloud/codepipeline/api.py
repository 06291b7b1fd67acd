"""CodePipeline's API: pipelines made and changed, executions followed, stopped and retried, approvals answered.

Requests are checked against the service's own model. IAM is asked about the pipeline, the stage or the action, as the
Service Authorization Reference says for each call.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from typing import Any

from local.cloud import shapes
from local.cloud.codepipeline import (
    controls,
    deployments,
    events,
    pipelines,
    resources,
    sessions,
    stages,
    states,
)
from local.cloud.codepipeline.pipelines import ApiError, Pipeline
from local.cloud.contract import Seam
from local.cloud.principals import caller_arn

SEAMS = (
    Seam("ministack.app", "SERVICE_HANDLERS"),
    Seam("ministack.app", "_reset_all_state"),
    Seam("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE"),
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.core.router", "SERVICE_PATTERNS"),
    *deployments.SEAMS,
    *events.SEAMS,
    *resources.SEAMS,
    *sessions.SEAMS,
)

SERVICE = "codepipeline"

Answer = tuple[int, dict[str, str], bytes]
Fields = dict[str, Any]
Action = Callable[[str, str, Fields], Fields]
"""Account, region and members of the request → members of the answer."""


def install() -> None:
    """Register the service and the resource."""
    from ministack import app
    from ministack.core import iam_actions, router

    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": ["CodePipeline_20150709"],
        "host_patterns": [r"codepipeline\."],
        "credential_scope": SERVICE,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_HANDLERS[SERVICE] = handle
    extract = iam_actions.extract_resource_arn
    reset = app._reset_all_state

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        if service != SERVICE:
            return str(extract(service, method, path, headers, body, *more, **named))
        return resource_of(headers.get("x-amz-target", "").rpartition(".")[2], body)

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        pipelines.reset()
        return reset(*arguments, **named)

    iam_actions.extract_resource_arn = extracted
    app._reset_all_state = reset_all
    resources.install()


_OF_STAGES = frozenset({"RetryStageExecution", "DisableStageTransition", "EnableStageTransition"})


def resource_of(action: str, body: bytes) -> str:
    """ARN of what a call is about: a pipeline, a stage of it or an action of that."""
    from ministack.core import responses

    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return "*"
    if fields.get("resourceArn"):
        return str(fields["resourceArn"])
    declared = fields.get("pipeline")
    name = fields.get("pipelineName") or fields.get("name") or (declared or {}).get("name")
    if not name:
        return "*"
    below = [fields.get("stageName")] if action in _OF_STAGES else []
    if action == "PutApprovalResult":
        below = [fields.get("stageName"), fields.get("actionName")]
    path = "/".join(str(part) for part in (name, *below))
    return f"arn:aws:codepipeline:{responses.get_region()}:{responses.get_account_id()}:{path}"


async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Answer:
    """One call."""
    from ministack.core import responses

    action, fields = headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body or b"{}")
    work = ACTIONS.get(action)
    try:
        if work is None:
            raise ApiError("ValidationException", f"The embedded cloud has no CodePipeline action {action}")
        wrong = shapes.problem(SERVICE, action, fields)
        if wrong:
            raise ApiError("ValidationException", wrong)
        answer = work(responses.get_account_id(), responses.get_region(), fields)
    except ApiError as refused:
        kind = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": refused.code}
        return 400, kind, json.dumps({"__type": refused.code, "message": str(refused)}).encode()
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def deliver(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Start a pipeline for a commit: ``archive`` (base64) and the source action's ``variables``; the execution's id."""
    try:
        found = pipelines.find(body["account"], body["region"], body["pipeline"])
        trigger = {"triggerType": "WebhookV2", "triggerDetail": ""}
        delivery = (base64.b64decode(body["archive"]), body["variables"])
        return 200, {"execution_id": controls.start(found, trigger, delivery=delivery).id}
    except ApiError as refused:
        return 404, {"error": str(refused)}


def expire(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Let the approvals of ``pipeline`` that wait run out of time now; answers how many there were."""
    try:
        return 200, {"expired": controls.expire(pipelines.find(body["account"], body["region"], body["pipeline"]))}
    except ApiError as refused:
        return 404, {"error": str(refused)}


def _create(account: str, region: str, fields: Fields) -> Fields:
    tags = {tag["key"]: tag["value"] for tag in fields.get("tags") or []}
    made = pipelines.create(account, region, fields["pipeline"], tags)
    controls.start_when_made(made, caller_arn())
    return {"pipeline": made.declaration, "tags": states.tags(made)}


def _update(account: str, region: str, fields: Fields) -> Fields:
    return {"pipeline": pipelines.update(account, region, fields["pipeline"]).declaration}


def _get(account: str, region: str, fields: Fields) -> Fields:
    found = pipelines.find(account, region, fields["name"])
    if fields.get("version", found.declaration["version"]) != found.declaration["version"]:
        raise ApiError("PipelineVersionNotFoundException", "The embedded cloud keeps a pipeline's newest version only")
    return states.described(found)


def _list(account: str, region: str, fields: Fields) -> Fields:
    return states.page([states.summary(one) for one in pipelines.listed(account, region)], fields, "pipelines")


def _delete(account: str, region: str, fields: Fields) -> Fields:
    pipelines.remove(account, region, fields["name"])
    return {}


def _state(account: str, region: str, fields: Fields) -> Fields:
    return states.state(pipelines.find(account, region, fields["name"]))


def _start(account: str, region: str, fields: Fields) -> Fields:
    execution = controls.start(
        pipelines.find(account, region, fields["name"]),
        {"triggerType": "StartPipelineExecution", "triggerDetail": caller_arn()},
        overrides=fields.get("sourceRevisions") or [],
        variables=fields.get("variables") or [],
        token=fields.get("clientRequestToken") or "",
    )
    return {"pipelineExecutionId": execution.id}


def _named(account: str, region: str, fields: Fields) -> Pipeline:
    return pipelines.find(account, region, fields["pipelineName"])


def _stop(account: str, region: str, fields: Fields) -> Fields:
    identity = fields["pipelineExecutionId"]
    controls.stop(_named(account, region, fields), identity, bool(fields.get("abandon")), fields.get("reason"))
    return {"pipelineExecutionId": identity}


def _retry(account: str, region: str, fields: Fields) -> Fields:
    found, identity = _named(account, region, fields), fields["pipelineExecutionId"]
    controls.retry(found, fields["stageName"], identity, fields["retryMode"] == "ALL_ACTIONS")
    return {"pipelineExecutionId": identity}


def _execution(account: str, region: str, fields: Fields) -> Fields:
    found = _named(account, region, fields).execution(fields["pipelineExecutionId"])
    return {"pipelineExecution": states.execution(found)}


def _list_executions(account: str, region: str, fields: Fields) -> Fields:
    if fields.get("filter"):
        raise ApiError("ValidationException", "The embedded cloud does not filter executions")
    found = reversed(_named(account, region, fields).executions.values())
    return states.page([states.execution_summary(one) for one in found], fields, "pipelineExecutionSummaries")


def _list_actions(account: str, region: str, fields: Fields) -> Fields:
    pipeline, wanted = _named(account, region, fields), fields.get("filter") or {}
    latest = wanted.get("latestInPipelineExecution") or {}
    identity = wanted.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
    executions = [pipeline.execution(identity)] if identity else list(reversed(pipeline.executions.values()))
    found = [states.action_execution(one, run) for one in executions for run in reversed(one.actions)]
    return states.page(found, fields, "actionExecutionDetails")


def _approve(account: str, region: str, fields: Fields) -> Fields:
    return {"approvedAt": controls.approve(_named(account, region, fields), fields, caller_arn())}


def _disable(account: str, region: str, fields: Fields) -> Fields:
    stages.close(_named(account, region, fields), _entered(account, region, fields), fields["reason"], caller_arn())
    return {}


def _enable(account: str, region: str, fields: Fields) -> Fields:
    stages.close(_named(account, region, fields), _entered(account, region, fields), "", caller_arn())
    return {}


def _entered(account: str, region: str, fields: Fields) -> str:
    """The stage that a transition leads into."""
    pipeline = _named(account, region, fields)
    names: list[str] = list(pipeline.stages)
    place: int = names.index(pipeline.stage(fields["stageName"]).name) + (fields["transitionType"] == "Outbound")
    if place == len(names):
        raise ApiError("ValidationException", f"No transition leads out of the last stage {fields['stageName']}")
    return names[place]


def _of_arn(account: str, region: str, fields: Fields) -> Pipeline:
    parts = fields["resourceArn"].split(":", 5)
    try:
        return pipelines.find(parts[4], parts[3], parts[5])
    except ApiError as absent:
        raise ApiError("ResourceNotFoundException", str(absent)) from absent


def _tag(account: str, region: str, fields: Fields) -> Fields:
    _of_arn(account, region, fields).tags |= {tag["key"]: tag["value"] for tag in fields["tags"]}
    return {}


def _untag(account: str, region: str, fields: Fields) -> Fields:
    for key in fields["tagKeys"]:
        _of_arn(account, region, fields).tags.pop(key, None)
    return {}


def _tags(account: str, region: str, fields: Fields) -> Fields:
    return states.page(states.tags(_of_arn(account, region, fields)), fields, "tags")


ACTIONS: dict[str, Action] = {
    "CreatePipeline": _create,
    "UpdatePipeline": _update,
    "GetPipeline": _get,
    "ListPipelines": _list,
    "DeletePipeline": _delete,
    "GetPipelineState": _state,
    "StartPipelineExecution": _start,
    "StopPipelineExecution": _stop,
    "RetryStageExecution": _retry,
    "GetPipelineExecution": _execution,
    "ListPipelineExecutions": _list_executions,
    "ListActionExecutions": _list_actions,
    "PutApprovalResult": _approve,
    "DisableStageTransition": _disable,
    "EnableStageTransition": _enable,
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": _tags,
}
