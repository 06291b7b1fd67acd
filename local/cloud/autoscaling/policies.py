"""Scaling policies, and the two CloudWatch alarms that a policy which tracks a target has."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from local.cloud.autoscaling import targets
from local.cloud.autoscaling.targets import Identity, Target
from local.cloud.contract import Seam
from local.cloud.sagemaker.backend import ApiError

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.cloudwatch", "cloudformation_delete_metric_alarm", ("name",)),
    Seam("ministack.services.cloudwatch", "cloudformation_put_metric_alarm", ("alarm",)),
)

CONFIGURATIONS = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
"""Type of a policy → the member that it needs."""

METRICS = {
    "SageMakerVariantInvocationsPerInstance": ("InvocationsPerInstance", "Sum"),
    "SageMakerVariantProvisionedConcurrencyUtilization": (
        "ServerlessProvisionedConcurrencyUtilization",
        "Maximum",
    ),
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": ("ConcurrentRequestsPerModel", "Maximum"),
    "SageMakerInferenceComponentInvocationsPerCopy": ("InvocationsPerCopy", "Sum"),
}
"""Predefined metrics of SageMaker's: CloudWatch metric and statistic."""


@dataclass
class Policy:
    """One scaling policy."""

    arn: str
    fields: dict[str, Any]
    """Members of PutScalingPolicy."""
    alarms: list[dict[str, str]] = field(default_factory=list)
    created: float = field(default_factory=time.time)


_policies: dict[tuple[str, str, Identity, str], Policy] = {}
_lock = threading.RLock()


def put(account: str, region: str, fields: dict[str, Any]) -> Policy:
    """Make or change a policy of a registered target; raises ApiError."""
    target = targets.find(account, region, targets.identity(fields))
    key = (account, region, targets.identity(fields), fields["PolicyName"])
    with _lock:
        known = _policies.get(key)
        merged = {**(known.fields if known else {"PolicyType": "StepScaling"}), **fields}
        _check(merged)
        if known is None:
            namespace, resource, _ = targets.identity(fields)
            arn = (
                f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:{uuid.uuid4()}:resource/{namespace}/{resource}"
                f":policyName/{fields['PolicyName']}"
            )
            known = _policies[key] = Policy(arn, merged)
        known.fields = merged
        _remove_alarms(account, region, known)
        known.alarms = _make_alarms(target, known)
        return known


def delete(account: str, region: str, fields: dict[str, Any]) -> None:
    """Remove a policy with its alarms; raises ApiError when there is none."""
    key = (account, region, targets.identity(fields), fields["PolicyName"])
    with _lock:
        found = _policies.pop(key, None)
    if found is None:
        raise ApiError("ObjectNotFoundException", f"No scaling policy found for policy name: {fields['PolicyName']}")
    _remove_alarms(account, region, found)


def delete_all(account: str, region: str, wanted: Identity) -> None:
    """Remove what a target that is deregistered had."""
    with _lock:
        gone = [key for key in _policies if key[:3] == (account, region, wanted)]
        found = [_policies.pop(key) for key in gone]
    for policy in found:
        _remove_alarms(account, region, policy)


def listed(account: str, region: str, namespace: str) -> list[Policy]:
    """The policies of a namespace, oldest first."""
    with _lock:
        return [
            policy
            for key, policy in _policies.items()
            if key[:2] == (account, region) and policy.fields["ServiceNamespace"] == namespace
        ]


def by_arn(arn: str) -> Policy | None:
    """The policy with an ARN; None when there is none."""
    with _lock:
        return next((policy for policy in _policies.values() if policy.arn == arn), None)


def reset() -> None:
    """Forget everything."""
    with _lock:
        _policies.clear()


def _check(fields: dict[str, Any]) -> None:
    wanted = CONFIGURATIONS[fields["PolicyType"]]
    given = [member for member in CONFIGURATIONS.values() if fields.get(member)]
    if given != [wanted]:
        raise ApiError(
            "ValidationException", f"{wanted} is required for policy type {fields['PolicyType']}, and only it."
        )
    tracked = fields.get("TargetTrackingScalingPolicyConfiguration")
    if tracked is None:
        return
    if bool(tracked.get("PredefinedMetricSpecification")) == bool(tracked.get("CustomizedMetricSpecification")):
        raise ApiError(
            "ValidationException",
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is required.",
        )
    predefined = (tracked.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if predefined and fields["ServiceNamespace"] == "sagemaker" and predefined not in METRICS:
        raise ApiError("ValidationException", f"The metric {predefined} is not one of service namespace sagemaker.")


def _make_alarms(target: Target, policy: Policy) -> list[dict[str, str]]:
    from ministack.core import responses
    from ministack.services import cloudwatch

    tracked = policy.fields.get("TargetTrackingScalingPolicyConfiguration")
    parts = target.fields["ResourceId"].split("/")
    if tracked is None or len(parts) != 4:
        return []
    customized = tracked.get("CustomizedMetricSpecification") or {}
    predefined = (tracked.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType", "")
    metric, statistic = METRICS.get(predefined, (customized.get("MetricName", ""), customized.get("Statistic", "")))
    dimensions = [{"Name": "EndpointName", "Value": parts[1]}, {"Name": "VariantName", "Value": parts[3]}]
    made = []
    for side, comparison, periods, factor in (
        ("High", "GreaterThanThreshold", 3, 1.0),
        ("Low", "LessThanThreshold", 15, 0.9),
    ):
        if side == "Low" and tracked.get("DisableScaleIn"):
            continue
        name = f"TargetTracking-{target.fields['ResourceId']}-Alarm{side}-{uuid.uuid4()}"
        arn = f"arn:aws:cloudwatch:{target.region}:{target.account}:alarm:{name}"
        now = int(time.time())
        record = {
            "AlarmName": name,
            "AlarmArn": arn,
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
            "MetricName": metric,
            "Namespace": customized.get("Namespace", "AWS/SageMaker"),
            "Statistic": statistic,
            "Dimensions": customized.get("Dimensions") or dimensions,
            "Period": 60,
            "EvaluationPeriods": periods,
            "Threshold": float(tracked["TargetValue"]) * factor,
            "ComparisonOperator": comparison,
            "TreatMissingData": "missing",
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": now,
            "AlarmConfigurationUpdatedTimestamp": now,
            "ActionsEnabled": True,
            # Nothing scales here: an action that names the policy would reach nobody.
            "AlarmActions": [],
            "OKActions": [],
            "InsufficientDataActions": [],
        }
        with responses.request_scope(target.account, target.region):
            cloudwatch.cloudformation_put_metric_alarm(record)
        made.append({"AlarmName": name, "AlarmARN": arn})
    return made


def _remove_alarms(account: str, region: str, policy: Policy) -> None:
    from ministack.core import responses
    from ministack.services import cloudwatch

    with responses.request_scope(account, region):
        for alarm in policy.alarms:
            cloudwatch.cloudformation_delete_metric_alarm(alarm["AlarmName"])
    policy.alarms = []
