"""SageMaker's API: IAM first, as for every service of the emulator, then moto's records and our endpoints.

Resource ARNs and tags are given to IAM for the calls of the product: a policy that names an endpoint, or asks for a
tag on it, is evaluated. CreateModel refuses a model whose execution role may not read its data, as SageMaker does.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from local.cloud.contract import Seam
from local.cloud.principals import caller_may
from local.cloud.sagemaker import backend, hosting, model_data
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
    *model_data.SEAMS,
)

INVOCATION = re.compile(r"^/endpoints/([^/]+)/invocations$")

Answer = tuple[int, dict[str, str], bytes]

_VERB = re.compile(
    r"^(Create|Update|Delete|Describe|Start|Stop|Send|Register|Deregister)"
    r"(EndpointConfig|Endpoint|ModelPackageGroup|ModelPackage|Model|Pipeline|MonitoringSchedule|TrainingJob|"
    r"ProcessingJob|TransformJob|HyperParameterTuningJob|AutoMLJob|DataQualityJobDefinition|ModelQualityJobDefinition|"
    r"ModelBiasJobDefinition|ModelExplainabilityJobDefinition)"
)

_KINDS = {"AutoMLJob": "automl-job", "HyperParameterTuningJob": "hyper-parameter-tuning-job"}
_NAME_FIELDS = {"AutoMLJob": "AutoMLJobName"}


def kind_of(noun: str) -> str:
    """``EndpointConfig`` → ``endpoint-config``, as in ARNs."""
    return _KINDS.get(noun) or re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()


def resource_arn(account: str, region: str, path: str, action: str, fields: dict[str, Any]) -> str:
    """The ARN that IAM evaluates for a call."""
    invoked = INVOCATION.match(path)
    if invoked:
        return backend.arn(account, region, "endpoint", unquote(invoked[1]))
    if action in {"AddTags", "ListTags", "DeleteTags"}:
        return str(fields.get("ResourceArn", "*"))
    if "PipelineExecutionArn" in fields:
        return str(fields["PipelineExecutionArn"])
    matched = _VERB.match(action)
    if matched is None:
        return "*"
    noun = matched[2]
    name = str(fields.get(_NAME_FIELDS.get(noun, f"{noun}Name"), ""))
    if not name or name.startswith("arn:"):
        return name or "*"
    return backend.arn(account, region, kind_of(noun), name)


def install() -> None:
    """Register the service with the router, IAM and the handlers."""
    from ministack import app
    from ministack.core import iam_actions, responses, router
    from ministack.services import tagging

    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"^(api|runtime)\.sagemaker\."],
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions._BOTOCORE_SERVICE_MAP["sagemaker"] = ["sagemaker-runtime"]
    app.SERVICE_HANDLERS["sagemaker"] = handle
    tagging._RESOURCE_TAG_COLLECTORS["sagemaker"] = lambda: backend.tags(
        responses.get_account_id(), responses.get_region()
    )
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
        return resource_arn(responses.get_account_id(), responses.get_region(), path, action, fields)

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        hosting.reset()
        backend.reset()
        return reset(*arguments, **named)

    iam_actions.extract_resource_arn = extracted
    app._reset_all_state = reset_all


async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Answer:
    """Answer one call that IAM has let through."""
    import asyncio

    from ministack.core import responses

    account, region = responses.get_account_id(), responses.get_region()
    invoked = INVOCATION.match(path)
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
    """One action: ours where an endpoint is deployed, moto's otherwise; raises ApiError."""
    own = _OWN.get(action)
    return own(account, region, fields) if own else backend.call(account, region, action, **fields)


def _action(account: str, region: str, action: str, body: bytes) -> Answer:
    if action in {"AddTags", "ListTags", "DeleteTags"}:
        fields = _fields(body)
        fields["ResourceArn"] = backend.named(account, region, fields.get("ResourceArn", ""))
        body = json.dumps(fields).encode()
    own = _OWN.get(action)
    if own is not None:
        answer = json.dumps(own(account, region, _fields(body))).encode()
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, answer
    status, answer = backend.send(account, region, f"SageMaker.{action}", body)
    return status, {"Content-Type": "application/x-amz-json-1.1"}, answer


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


def _create_model(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    role = str(fields.get("ExecutionRoleArn", ""))
    passed = caller_may("iam:PassRole", role, {"iam:passedtoservice": model_data.SERVICE})
    if not passed.allowed:
        raise ApiError("AccessDeniedException", passed.message, 400)
    for container in model_data.containers(fields):
        url = model_data.location(container)
        if url:
            try:
                model_data.read(url, role, region)
            except model_data.Unreadable as problem:
                raise ApiError("ValidationException", str(problem)) from problem
    return backend.call(account, region, "CreateModel", **fields)


def _create_endpoint(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    name = str(fields["EndpointName"])
    if hosting.describe((account, region, name)) is not None:
        existing = backend.arn(account, region, "endpoint", name)
        raise ApiError("ValidationException", f'Cannot create already existing endpoint "{existing}".')
    made = backend.call(account, region, "CreateEndpoint", **fields)
    hosting.create((account, region, fields["EndpointName"]), fields["EndpointConfigName"])
    return made


def _update_endpoint(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    key = (account, region, fields["EndpointName"])
    if hosting.describe(key) is None:
        raise ApiError("ValidationException", f'Could not find endpoint "{key[2]}".')
    config = backend.call(account, region, "DescribeEndpointConfig", EndpointConfigName=fields["EndpointConfigName"])
    hosting.update(key, config["EndpointConfigName"])
    return {"EndpointArn": backend.arn(account, region, "endpoint", key[2])}


def _delete_endpoint(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    backend.call(account, region, "DeleteEndpoint", **fields)
    hosting.delete((account, region, fields["EndpointName"]))
    return {}


def _describe_endpoint(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    found = backend.call(account, region, "DescribeEndpoint", **fields)
    endpoint = hosting.describe((account, region, found["EndpointName"]))
    if endpoint is not None:
        found |= {"EndpointStatus": endpoint.status, "EndpointConfigName": endpoint.config}
        if endpoint.reason:
            found["FailureReason"] = endpoint.reason
    return found


def _list_endpoints(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    found = backend.call(account, region, "ListEndpoints", **fields)
    for summary in found.get("Endpoints", []):
        endpoint = hosting.describe((account, region, summary["EndpointName"]))
        if endpoint is not None:
            summary["EndpointStatus"] = endpoint.status
    return found


_OWN: dict[str, Callable[[str, str, dict[str, Any]], dict[str, Any]]] = {
    "CreateModel": _create_model,
    "CreateEndpoint": _create_endpoint,
    "UpdateEndpoint": _update_endpoint,
    "DeleteEndpoint": _delete_endpoint,
    "DescribeEndpoint": _describe_endpoint,
    "ListEndpoints": _list_endpoints,
}
