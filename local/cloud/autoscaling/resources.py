"""CloudFormation's scalable targets and scaling policies, made by the API's own calls."""

from __future__ import annotations

from typing import Any

from local.cloud import resource_schemas, shapes
from local.cloud.autoscaling import api, policies, targets
from local.cloud.contract import Seam
from local.cloud.sagemaker.backend import ApiError

SEAMS = (
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
)

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"

Properties = dict[str, Any]


class ScalingFailed(Exception):
    """A target or a policy of a stack could not be made; the message is the resource's reason."""


def install() -> None:
    """Register the handlers and what replaces a resource."""
    from ministack.services.cloudformation import provisioners

    provisioners._RESOURCE_HANDLERS[TARGET] = {
        "create": _create_target,
        "update": _update_target,
        "delete": _delete_target,
    }
    provisioners._RESOURCE_HANDLERS[POLICY] = {
        "create": _create_policy,
        "update": _update_policy,
        "delete": _delete_policy,
    }
    for kind in (TARGET, POLICY):
        provisioners._REPLACING_PROPERTIES[kind] = resource_schemas.Replacing(kind)
    provisioners._CUSTOM_NAME_REPLACEMENT[POLICY] = {"name": "PolicyName"}


def _perform(action: str, properties: Properties) -> Properties:
    from ministack.core import responses

    try:
        fields = shapes.spelt(api.SERVICE, action, properties)
        return api.perform(responses.get_account_id(), responses.get_region(), action, fields)
    except shapes.Unknown as path:
        raise ScalingFailed(f"The embedded cloud does not keep the property {path}.") from path
    except ApiError as refused:
        raise ScalingFailed(
            f'Resource handler returned message: "{refused} (Service: ApplicationAutoScaling, Status Code: '
            f'{refused.status})" (HandlerErrorCode: InvalidRequest)'
        ) from refused


def _identity(physical_id: str) -> Properties:
    """The members that name a target, of ``resource|dimension|namespace``."""
    resource, dimension, namespace = physical_id.split("|")
    return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}


def _create_target(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    physical_id = "|".join(properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    return _put_target(physical_id, properties, [])


def _update_target(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
    gone = {action["ScheduledActionName"] for action in old.get("ScheduledActions") or []}
    return _put_target(physical_id, new, sorted(gone))


def _put_target(physical_id: str, properties: Properties, gone: list[str]) -> tuple[str, Properties]:
    fields = {name: value for name, value in properties.items() if name not in {"Tags", "ScheduledActions"}}
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
    answer = _perform("RegisterScalableTarget", fields)
    target = targets.by_arn(answer["ScalableTargetARN"])
    target.tags = {**tags}
    wanted = properties.get("ScheduledActions") or []
    for action in wanted:
        _perform("PutScheduledAction", {**_identity(physical_id), **action})
    for name in set(gone) - {action["ScheduledActionName"] for action in wanted}:
        _perform("DeleteScheduledAction", {**_identity(physical_id), "ScheduledActionName": name})
    return physical_id, {"Id": physical_id}


def _delete_target(physical_id: str, properties: Properties) -> None:
    try:
        _perform("DeregisterScalableTarget", _identity(physical_id))
    except ScalingFailed as refused:
        if "No scalable target" not in str(refused):
            raise


def _create_policy(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    arn = _perform("PutScalingPolicy", _policy_fields(properties))["PolicyARN"]
    return arn, {"Arn": arn}


def _update_policy(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
    return _create_policy("", new, stack)


def _delete_policy(physical_id: str, properties: Properties) -> None:
    policy = policies.by_arn(physical_id)
    if policy is not None:
        named = {
            name: policy.fields[name] for name in ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
        }
        _perform("DeleteScalingPolicy", named)


def _policy_fields(properties: Properties) -> Properties:
    fields = {name: value for name, value in properties.items() if name != "ScalingTargetId"}
    target = properties.get("ScalingTargetId")
    if target and target.count("|") != 2:
        raise ScalingFailed(f'Resource handler returned message: "Invalid ScalingTargetId: {target}"')
    fields |= _identity(target) if target else {}
    missing = [name for name in ("ResourceId", "ScalableDimension", "ServiceNamespace") if not fields.get(name)]
    if missing:
        raise ScalingFailed(
            'Resource handler returned message: "ScalingTargetId, or ResourceId, ScalableDimension and '
            'ServiceNamespace must be specified" (HandlerErrorCode: InvalidRequest)'
        )
    return fields
