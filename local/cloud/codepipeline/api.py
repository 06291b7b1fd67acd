"""CodePipeline: ``AWS::CodePipeline::Pipeline``, and what ListActionExecutions tells of an execution."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

from local.cloud import on_behalf, resource_schemas, shapes
from local.cloud.codepipeline import pipelines
from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.app", "SERVICE_HANDLERS"),
    Seam("ministack.app", "_reset_all_state"),
    Seam("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE"),
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.router", "SERVICE_PATTERNS"),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    *pipelines.SEAMS,
)

SERVICE = "codepipeline"
TYPE = "AWS::CodePipeline::Pipeline"

Answer = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Register the service and the resource."""
    from ministack import app
    from ministack.core import iam_actions, responses, router
    from ministack.services.cloudformation import provisioners

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
        name = str(json.loads(body or b"{}").get("pipelineName", "*"))
        return f"arn:aws:codepipeline:{responses.get_region()}:{responses.get_account_id()}:{name}"

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        pipelines.reset()
        return reset(*arguments, **named)

    iam_actions.extract_resource_arn = extracted
    app._reset_all_state = reset_all
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _made, "update": _changed, "delete": _removed}
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "Name"}


async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Answer:
    """ListActionExecutions, with a filter of one execution or without."""
    from ministack.core import responses

    action, fields = headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body or b"{}")
    wrong = shapes.problem(SERVICE, action, fields)
    if action != "ListActionExecutions" or wrong:
        return _refusal("ValidationException", wrong or f"The embedded cloud has no CodePipeline action {action}")
    found = pipelines.find(responses.get_account_id(), responses.get_region(), fields["pipelineName"])
    if found is None:
        return _refusal("PipelineNotFoundException", f"The pipeline {fields['pipelineName']} does not exist")
    wanted = (fields.get("filter") or {}).get("pipelineExecutionId")
    if wanted and wanted not in found.executions:
        return _refusal("PipelineExecutionNotFoundException", f"The execution {wanted} does not exist")
    details = found.executions[wanted] if wanted else [one for run in found.executions.values() for one in run]
    kind = {"Content-Type": "application/x-amz-json-1.1"}
    return 200, kind, json.dumps({"actionExecutionDetails": details}).encode()


def deliver(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Run a pipeline for a commit: ``archive`` (base64) and the source action's ``variables``; the execution's id."""
    from ministack.core import responses

    found = pipelines.find(body["account"], body["region"], body["pipeline"])
    if found is None:
        return 404, {"error": f"there is no pipeline {body['pipeline']}"}
    try:
        with responses.request_scope(body["account"], body["region"]):
            archive = base64.b64decode(body["archive"])
            return 200, {"execution_id": pipelines.deliver(found, archive, body["variables"])}
    except pipelines.Failed as problem:
        return 409, {"error": str(problem)}


def _refusal(code: str, message: str) -> Answer:
    kind = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
    return 400, kind, json.dumps({"__type": code, "message": message}).encode()


def _keep(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    from ministack.core import responses

    passed = on_behalf.acting().may("iam:PassRole", properties["RoleArn"], {"iam:passedtoservice": pipelines.SERVICE})
    if not passed.allowed:
        raise pipelines.Failed(passed.message)
    pipelines.keep(responses.get_account_id(), responses.get_region(), name, properties)
    return name, {"Version": "1"}


def _made(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    return _keep(properties.get("Name") or f"{stack}-{logical_id}"[:100], properties)


def _changed(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    return _keep(physical_id, new)


def _removed(physical_id: str, properties: dict[str, Any]) -> None:
    from ministack.core import responses

    pipelines.remove(responses.get_account_id(), responses.get_region(), physical_id)
