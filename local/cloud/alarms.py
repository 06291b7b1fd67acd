"""CloudWatch alarms of stacks, on one metric or on an expression of several, with every property.

An alarm on an expression has the state that SetAlarmState gives it: nothing computes it here. IAM is asked about a list
of alarms as AWS asks it: on all of the account's.
"""

from __future__ import annotations

import functools
import time
from typing import Any

from local.cloud import resource_schemas, shapes
from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_physical_name", ("stack_name", "logical_id")),
    Seam("ministack.services.cloudwatch", "_alarms.get"),
    Seam("ministack.services.cloudwatch", "cloudformation_put_metric_alarm", ("alarm",)),
    Seam("ministack.services.cloudwatch", "cloudformation_set_metric_alarm_tags", ("name", "tags")),
)

TYPE = "AWS::CloudWatch::Alarm"
MAX_NAME = 255

OF_ONE_METRIC = ("MetricName", "Namespace", "Period", "Statistic", "ExtendedStatistic", "Dimensions", "Unit")
"""Properties that an alarm on an expression has none of."""


class AlarmFailed(Exception):
    """An alarm of a stack could not be made; the message is the resource's reason."""


def install() -> None:
    """Make the alarms of stacks, and tell IAM which alarms a list is about."""
    from ministack.core import iam_actions, responses
    from ministack.services.cloudformation import provisioners

    extract = iam_actions.extract_resource_arn

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        arn = str(extract(service, method, path, headers, body, *more, **named))
        told = (path, headers.get("x-amz-target", ""), body[:2048].decode("utf-8", "replace"))
        if service == "monitoring" and arn == "*" and any("DescribeAlarms" in part for part in told):
            return f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:*"
        return arn

    iam_actions.extract_resource_arn = extracted
    handlers = provisioners._RESOURCE_HANDLERS[TYPE]
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": handlers["delete"]}
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "AlarmName"}


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.services.cloudformation import provisioners

    name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=MAX_NAME)
    return _put(name, properties)


def _update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    return _put(physical_id, new)


def _put(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    from ministack.core import responses
    from ministack.services import cloudwatch

    try:
        fields = shapes.spelt("cloudwatch", "PutMetricAlarm", {**properties, "AlarmName": name})
    except shapes.Unknown as path:
        raise AlarmFailed(f"The embedded cloud does not keep the property {path}.") from path
    problem = shapes.problem("cloudwatch", "PutMetricAlarm", fields) or _problem(fields)
    if problem:
        raise AlarmFailed(
            f'Resource handler returned message: "{problem} (Service: CloudWatch, Status Code: 400)" '
            "(HandlerErrorCode: InvalidRequest)"
        )
    tags = fields.pop("Tags", [])
    known = cloudwatch._alarms.get(name) or {}
    now = int(time.time())
    arn = f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:{name}"
    record = {
        # What a change leaves as it is: an alarm keeps its state.
        "StateValue": known.get("StateValue", "INSUFFICIENT_DATA"),
        "StateReason": known.get("StateReason", "Unchecked: Initial alarm creation"),
        "StateUpdatedTimestamp": known.get("StateUpdatedTimestamp", now),
        "AlarmConfigurationUpdatedTimestamp": now,
        "AlarmArn": arn,
        "ActionsEnabled": True,
        "AlarmActions": [],
        "OKActions": [],
        "InsufficientDataActions": [],
        "TreatMissingData": "missing",
        **({} if "Metrics" in fields else {"Dimensions": []}),
        **fields,
    }
    cloudwatch.cloudformation_put_metric_alarm(record)
    cloudwatch.cloudformation_set_metric_alarm_tags(name, tags)
    return name, {"Arn": arn}


def _problem(fields: dict[str, Any]) -> str:
    """What CloudWatch refuses beside what its model says (API Reference, PutMetricAlarm); empty when nothing."""
    if fields.get("Threshold") is None and not fields.get("ThresholdMetricId"):
        return "Threshold or ThresholdMetricId is required"
    metrics = fields.get("Metrics")
    if metrics is None:
        missing = [name for name in ("MetricName", "Namespace", "Period") if fields.get(name) is None]
        if missing:
            return f"{missing[0]} is required for an alarm on a metric"
        if bool(fields.get("Statistic")) == bool(fields.get("ExtendedStatistic")):
            return "Exactly one of Statistic and ExtendedStatistic is required"
        return ""
    both = [name for name in OF_ONE_METRIC if name in fields]
    if both:
        return f"{both[0]} must not be set with Metrics"
    returned = [query for query in metrics if query.get("ReturnData", True)]
    if len(returned) != 1:
        return "Exactly one element of Metrics must return data"
    ids = [query["Id"] for query in metrics]
    return "The ids of Metrics must be unique" if len(set(ids)) < len(ids) else ""
