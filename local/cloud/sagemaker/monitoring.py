"""Monitoring schedules: records of what would run when; nothing runs by itself here.

A schedule names a job definition, which must be there, or holds one of the older form. The expressions are the few that
Model Monitor takes: every hour, once a day, every so many hours, once (Amazon SageMaker API Reference, ScheduleConfig).
"""

from __future__ import annotations

import re
from typing import Any

from local.cloud import shapes
from local.cloud.sagemaker import definitions, listing, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record

KIND = "monitoring-schedule"

_HOUR = r"(?:[01]?\d|2[0-3])"
EXPRESSION = re.compile(rf"NOW|cron\(0 (?:\*|{_HOUR}|{_HOUR}/(?:[1-9]|1\d|2[0-4]|0[1-9])) \? \* \* \*\)")


def _create(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    config = fields["MonitoringScheduleConfig"]
    _check(account, region, config)
    name = fields["MonitoringScheduleName"]
    exists = ApiError("ResourceInUse", f"Monitoring schedule {name} already exists.")
    record = records.create(account, region, KIND, name, fields, exists)
    record.state["MonitoringScheduleStatus"] = "Scheduled"
    return {"MonitoringScheduleArn": record.arn}


def _update(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    _check(account, region, fields["MonitoringScheduleConfig"])
    record.update({"MonitoringScheduleConfig": fields["MonitoringScheduleConfig"]})
    return {"MonitoringScheduleArn": record.arn}


def _describe(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    known = {**record.fields, **_summary(account, region, record)}
    return shapes.answer_of("sagemaker", "DescribeMonitoringSchedule", known)


def _delete(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    records.remove(account, region, KIND, _known(account, region, fields).name)
    return {}


def _list(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    wanted = {
        "EndpointName": fields.get("EndpointName"),
        "MonitoringScheduleStatus": fields.get("StatusEquals"),
        "MonitoringJobDefinitionName": fields.get("MonitoringJobDefinitionName"),
        "MonitoringType": fields.get("MonitoringTypeEquals"),
    }
    found = []
    for record in records.listed(account, region, KIND):
        summary = _summary(account, region, record)
        if all(value is None or summary.get(name) == value for name, value in wanted.items()):
            found.append(record)
    return listing.page(found, fields, "MonitoringScheduleSummaries", lambda record: _summary(account, region, record))


def _started(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    _known(account, region, fields).state["MonitoringScheduleStatus"] = "Scheduled"
    return {}


def _stopped(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    _known(account, region, fields).state["MonitoringScheduleStatus"] = "Stopped"
    return {}


def _summary(account: str, region: str, record: Record) -> dict[str, Any]:
    config = record.fields["MonitoringScheduleConfig"]
    named = config.get("MonitoringJobDefinitionName")
    known = {
        "MonitoringScheduleName": record.name,
        "MonitoringScheduleArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "MonitoringScheduleStatus": record.state["MonitoringScheduleStatus"],
        "MonitoringJobDefinitionName": named,
        "MonitoringType": config.get("MonitoringType"),
        "EndpointName": _endpoint(account, region, config),
    }
    return {name: value for name, value in known.items() if value}


def _endpoint(account: str, region: str, config: dict[str, Any]) -> str:
    named = config.get("MonitoringJobDefinitionName")
    if named:
        record = definitions.find(account, region, config.get("MonitoringType", ""), named)
        return definitions.endpoint_of(record) if record else ""
    inputs = (config.get("MonitoringJobDefinition") or {}).get("MonitoringInputs") or [{}]
    return str((inputs[0].get("EndpointInput") or {}).get("EndpointName", ""))


def _check(account: str, region: str, config: dict[str, Any]) -> None:
    named, inline = config.get("MonitoringJobDefinitionName"), config.get("MonitoringJobDefinition")
    if (named is None) == (inline is None):
        raise ApiError(
            "ValidationException",
            "Exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName is required.",
        )
    if named is not None:
        kind = config.get("MonitoringType")
        if not kind:
            raise ApiError("ValidationException", "MonitoringType is required with MonitoringJobDefinitionName.")
        if definitions.find(account, region, kind, named) is None:
            raise ApiError("ValidationException", f"Could not find job definition {named} of type {kind}.")
    expression = (config.get("ScheduleConfig") or {}).get("ScheduleExpression")
    if expression is not None and not EXPRESSION.fullmatch(expression):
        raise ApiError("ValidationException", f"Invalid schedule expression: {expression}")


def _known(account: str, region: str, fields: dict[str, Any]) -> Record:
    name = fields["MonitoringScheduleName"]
    record = records.find(account, region, KIND, name)
    if record is None:
        raise ApiError("ResourceNotFound", f"Monitoring schedule {name} does not exist.")
    return record


ACTIONS = {
    "CreateMonitoringSchedule": _create,
    "UpdateMonitoringSchedule": _update,
    "DescribeMonitoringSchedule": _describe,
    "DeleteMonitoringSchedule": _delete,
    "ListMonitoringSchedules": _list,
    "StartMonitoringSchedule": _started,
    "StopMonitoringSchedule": _stopped,
}
