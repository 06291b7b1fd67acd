"""SageMaker's API: IAM first, as for every service of the emulator, then the bridges, and moto for what is left.

Resource ARNs and tags are given to IAM: a policy that names an endpoint, or asks for a tag on it, is evaluated. A
request is checked against the API's model, and a role in it must be one that the caller may pass.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from local.cloud import on_behalf, s3_objects, shapes
from local.cloud.contract import Seam
from local.cloud.sagemaker import (
    arns,
    backend,
    cards,
    definitions,
    deployment,
    endpoints,
    hosting,
    model_data,
    models,
    monitoring,
    pipelines,
    records,
    registry,
)
from local.cloud.sagemaker.backend import ApiError

SEAMS = (
    Seam("ministack.app", "SERVICE_HANDLERS"),
    Seam("ministack.app", "_reset_all_state"),
    Seam("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE"),
    Seam("ministack.core.iam_actions", "_BOTOCORE_SERVICE_MAP"),
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.router", "SERVICE_PATTERNS"),
    Seam("ministack.services.tagging", "_RESOURCE_TAG_COLLECTORS"),
    Seam("ministack.core.iam_evaluator", "_resource_policy", ("service", "resource_arn")),
    *deployment.SEAMS,
    *on_behalf.SEAMS,
    *s3_objects.SEAMS,
)

Answer = tuple[int, dict[str, str], bytes]

Action = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Account, region and members of the request → members of the answer; raises ApiError."""

OWN: dict[str, Action] = {
    **models.ACTIONS,
    **endpoints.ACTIONS,
    **pipelines.ACTIONS,
    **definitions.ACTIONS,
    **monitoring.ACTIONS,
    **registry.ACTIONS,
    **cards.ACTIONS,
}
"""Actions that the bridges answer; any other is moto's."""


def install() -> None:
    """Register the service with the router, IAM and the handlers."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, responses, router
    from ministack.services import tagging

    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"^(api|runtime)\.sagemaker\."],
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions._BOTOCORE_SERVICE_MAP["sagemaker"] = ["sagemaker-runtime"]
    app.SERVICE_HANDLERS["sagemaker"] = handle
    tagging._RESOURCE_TAG_COLLECTORS["sagemaker"] = lambda: [
        (record.arn, record.tags) for record in records.everything(responses.get_account_id(), responses.get_region())
    ]
    extract = iam_actions.extract_resource_arn
    reset = app._reset_all_state

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        if service != "sagemaker":
            return str(extract(service, method, path, headers, body, *more, **named))
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        fields = _fields(body) if action else {}
        return arns.of_call(responses.get_account_id(), responses.get_region(), path, action, fields)

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        hosting.reset()
        records.reset()
        backend.reset()
        return reset(*arguments, **named)

    policy = iam_evaluator._resource_policy

    @functools.wraps(policy)
    def resource_policy(service: str, resource_arn: str) -> Any:
        if service == "sagemaker":
            return registry.policy_for_arn(resource_arn)
        return policy(service, resource_arn)

    iam_evaluator._resource_policy = resource_policy
    iam_actions.extract_resource_arn = extracted
    app._reset_all_state = reset_all


async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Answer:
    """Answer one call that IAM has let through."""
    import asyncio

    from ministack.core import responses

    account, region = responses.get_account_id(), responses.get_region()
    invoked = arns.INVOCATION.match(path)
    try:
        if invoked:
            key = (account, region, unquote(invoked[1]))
            return await asyncio.to_thread(_invocation, key, headers, body)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        return await asyncio.to_thread(_action, account, region, action, body)
    except ApiError as refused:
        return error(refused)


def error(refused: ApiError) -> Answer:
    """A refusal, as SageMaker's JSON."""
    kind = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": refused.code}
    return refused.status, kind, json.dumps({"__type": refused.code, "message": str(refused)}).encode()


def perform(account: str, region: str, action: str, fields: dict[str, Any]) -> dict[str, Any]:
    """One action, by the bridges where they have it and by moto otherwise; raises ApiError."""
    problem = shapes.problem("sagemaker", action, fields)
    if problem:
        raise ApiError("ValidationException", problem)
    for role in _roles(fields):
        passed = on_behalf.acting().may("iam:PassRole", role, {"iam:passedtoservice": model_data.SERVICE})
        if not passed.allowed:
            raise ApiError("AccessDeniedException", passed.message)
    own = OWN.get(action)
    return own(account, region, fields) if own else backend.call(account, region, action, **fields)


def _roles(fields: dict[str, Any]) -> set[str]:
    """The roles that a request hands to SageMaker."""
    inline = (fields.get("MonitoringScheduleConfig") or {}).get("MonitoringJobDefinition") or {}
    return {found for found in (fields.get("RoleArn"), fields.get("ExecutionRoleArn"), inline.get("RoleArn")) if found}


def _action(account: str, region: str, action: str, body: bytes) -> Answer:
    fields = _fields(body)
    if action in _TAGGING and records.by_arn(str(fields.get("ResourceArn", ""))) is not None:
        answer = _TAGGING[action](fields)
    else:
        answer = perform(account, region, action, fields)
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _invocation(key: hosting.Key, headers: dict[str, str], body: bytes) -> Answer:
    content_type, accept = headers.get("content-type", ""), headers.get("accept", "")
    prediction, variant = hosting.invoke(key, body, content_type, accept)
    if prediction.status == 200:
        return (
            200,
            {"Content-Type": prediction.content_type, "x-Amzn-Invoked-Production-Variant": variant},
            prediction.body,
        )
    account, region, name = key
    group = f"/aws/sagemaker/Endpoints/{name}"
    message = (
        f"Received {'server' if prediction.status >= 500 else 'client'} error ({prediction.status}) from primary with "
        f'message "{prediction.message}". See {group} in account {account} for more information.'
    )
    fields = {
        "Message": message,
        "OriginalStatusCode": prediction.status,
        "OriginalMessage": prediction.message,
        "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}",
    }
    return 424, {"Content-Type": "application/json", "x-amzn-ErrorType": "ModelError"}, json.dumps(fields).encode()


def _add_tags(fields: dict[str, Any]) -> dict[str, Any]:
    record = records.by_arn(fields["ResourceArn"])
    assert record is not None  # noqa: S101 - asked by ``_action``
    record.tag(fields.get("Tags") or [])
    return {"Tags": record.tags}


def _list_tags(fields: dict[str, Any]) -> dict[str, Any]:
    record = records.by_arn(fields["ResourceArn"])
    return {"Tags": record.tags if record is not None else []}


def _delete_tags(fields: dict[str, Any]) -> dict[str, Any]:
    record = records.by_arn(fields["ResourceArn"])
    assert record is not None  # noqa: S101 - asked by ``_action``
    record.untag(fields.get("TagKeys") or [])
    return {}


_TAGGING = {"AddTags": _add_tags, "ListTags": _list_tags, "DeleteTags": _delete_tags}
