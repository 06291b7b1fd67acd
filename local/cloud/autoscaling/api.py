"""Application Auto Scaling's API under IAM, with its condition keys."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

from local.cloud import shapes
from local.cloud.autoscaling import policies, targets
from local.cloud.contract import Seam
from local.cloud.sagemaker.backend import ApiError

SEAMS = (
    Seam("ministack.app", "SERVICE_HANDLERS"),
    Seam("ministack.app", "_reset_all_state"),
    Seam("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE"),
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.iam_actions", "request_tag_context", ("service", "iam_action", "body", "params")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.router", "SERVICE_PATTERNS"),
    *policies.SEAMS,
)

SERVICE = "application-autoscaling"

Fields = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Register the service with the router, IAM and the handlers."""
    from ministack import app
    from ministack.core import iam_actions, responses, router

    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": ["AnyScaleFrontendService."],
        "host_patterns": [r"^application-autoscaling\."],
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_HANDLERS[SERVICE] = handle
    extract, context = iam_actions.extract_resource_arn, iam_actions.request_tag_context
    reset = app._reset_all_state

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        if service != SERVICE:
            return str(extract(service, method, path, headers, body, *more, **named))
        if headers.get("x-amz-target", "").rpartition(".")[2].startswith("Describe"):
            return "*"
        named_arn = _fields(body).get("ResourceARN")
        base = f"arn:aws:application-autoscaling:{responses.get_region()}:{responses.get_account_id()}"
        return str(named_arn or f"{base}:scalable-target/*")

    @functools.wraps(context)
    def with_keys(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = context(service, iam_action, body, params)
        if service != SERVICE:
            return found
        fields = _fields(body)
        keys = {"service-namespace": "ServiceNamespace", "scalable-dimension": "ScalableDimension"}
        given = {f"{SERVICE}:{key}": fields[member] for key, member in keys.items() if fields.get(member)}
        return {**found, **given}

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        targets.reset()
        policies.reset()
        return reset(*arguments, **named)

    iam_actions.extract_resource_arn = extracted
    iam_actions.request_tag_context = with_keys
    app._reset_all_state = reset_all


async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Answer:
    """Answer one call that IAM has let through."""
    from ministack.core import responses

    kind = {"Content-Type": "application/x-amz-json-1.1"}
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        answer = perform(responses.get_account_id(), responses.get_region(), action, _fields(body))
    except ApiError as refused:
        document = {"__type": refused.code, "message": str(refused), "Message": str(refused)}
        return refused.status, {**kind, "x-amzn-ErrorType": refused.code}, json.dumps(document).encode()
    return 200, kind, json.dumps(answer).encode()


def perform(account: str, region: str, action: str, fields: Fields) -> Fields:
    """One action; raises ApiError."""
    run = ACTIONS.get(action)
    if run is None:
        raise ApiError("ValidationException", f"The embedded cloud has no {action}.")
    problem = shapes.problem(SERVICE, action, fields)
    if problem:
        raise ApiError("ValidationException", problem)
    return run(account, region, fields)


def _fields(body: bytes) -> Fields:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _register(account: str, region: str, fields: Fields) -> Fields:
    return {"ScalableTargetARN": targets.register(account, region, fields).arn}


def _deregister(account: str, region: str, fields: Fields) -> Fields:
    targets.deregister(account, region, targets.identity(fields))
    policies.delete_all(account, region, targets.identity(fields))
    return {}


_SUSPENDABLE = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def _describe_targets(account: str, region: str, fields: Fields) -> Fields:
    found = []
    for target in targets.listed(account, region, fields["ServiceNamespace"]):
        if fields.get("ResourceIds") and target.fields["ResourceId"] not in fields["ResourceIds"]:
            continue
        if fields.get("ScalableDimension") not in (None, target.fields["ScalableDimension"]):
            continue
        known = {
            **{name: value for name, value in target.fields.items() if value is not None},
            # A service with a role of its own uses that one, whatever role a target was registered with.
            "RoleARN": targets.LINKED_ROLE.format(account=account),
            "CreationTime": target.created,
            "ScalableTargetARN": target.arn,
        }
        known.setdefault("SuspendedState", dict.fromkeys(_SUSPENDABLE, False))
        found.append(known)
    return {"ScalableTargets": found}


def _put_policy(account: str, region: str, fields: Fields) -> Fields:
    policy = policies.put(account, region, fields)
    return {"PolicyARN": policy.arn, "Alarms": policy.alarms}


def _delete_policy(account: str, region: str, fields: Fields) -> Fields:
    policies.delete(account, region, fields)
    return {}


def _describe_policies(account: str, region: str, fields: Fields) -> Fields:
    found = []
    for policy in policies.listed(account, region, fields["ServiceNamespace"]):
        wanted = {
            "ResourceId": fields.get("ResourceId"),
            "ScalableDimension": fields.get("ScalableDimension"),
        }
        if any(value not in (None, policy.fields[name]) for name, value in wanted.items()):
            continue
        if fields.get("PolicyNames") and policy.fields["PolicyName"] not in fields["PolicyNames"]:
            continue
        known = {"PolicyARN": policy.arn, "Alarms": policy.alarms, "CreationTime": policy.created}
        found.append({**policy.fields, **known})
    return {"ScalingPolicies": found}


def _put_scheduled(account: str, region: str, fields: Fields) -> Fields:
    target = targets.find(account, region, targets.identity(fields))
    name = fields["ScheduledActionName"]
    namespace, resource, _ = targets.identity(fields)
    arn = (
        f"arn:aws:autoscaling:{region}:{account}:scheduledAction:{target.id}:resource/{namespace}/{resource}"
        f":scheduledActionName/{name}"
    )
    known = {"ScheduledActionARN": arn, "CreationTime": time.time()}
    target.scheduled[name] = {**target.scheduled.get(name, known), **fields}
    return {}


def _delete_scheduled(account: str, region: str, fields: Fields) -> Fields:
    target = targets.find(account, region, targets.identity(fields))
    if target.scheduled.pop(fields["ScheduledActionName"], None) is None:
        raise ApiError("ObjectNotFoundException", f"No scheduled action named {fields['ScheduledActionName']}.")
    return {}


def _describe_scheduled(account: str, region: str, fields: Fields) -> Fields:
    found = [
        action
        for target in targets.listed(account, region, fields["ServiceNamespace"])
        for action in target.scheduled.values()
        if fields.get("ResourceId") in (None, target.fields["ResourceId"])
    ]
    return {"ScheduledActions": found}


def _activities(account: str, region: str, fields: Fields) -> Fields:
    return {"ScalingActivities": []}


def _list_tags(account: str, region: str, fields: Fields) -> Fields:
    return {"Tags": targets.by_arn(fields["ResourceARN"]).tags}


def _tag(account: str, region: str, fields: Fields) -> Fields:
    targets.by_arn(fields["ResourceARN"]).tags.update(fields["Tags"])
    return {}


def _untag(account: str, region: str, fields: Fields) -> Fields:
    found = targets.by_arn(fields["ResourceARN"]).tags
    for key in fields["TagKeys"]:
        found.pop(key, None)
    return {}


ACTIONS: dict[str, Callable[[str, str, Fields], Fields]] = {
    "RegisterScalableTarget": _register,
    "DeregisterScalableTarget": _deregister,
    "DescribeScalableTargets": _describe_targets,
    "PutScalingPolicy": _put_policy,
    "DeleteScalingPolicy": _delete_policy,
    "DescribeScalingPolicies": _describe_policies,
    "PutScheduledAction": _put_scheduled,
    "DeleteScheduledAction": _delete_scheduled,
    "DescribeScheduledActions": _describe_scheduled,
    "DescribeScalingActivities": _activities,
    "ListTagsForResource": _list_tags,
    "TagResource": _tag,
    "UntagResource": _untag,
}
