"""A template's properties as requests of SageMaker's API: the names are the same, but for what is told here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.cloud import on_behalf, s3_objects
from local.cloud.sagemaker import registry


class Unusable(Exception):
    """Properties that the resource's handler refuses; the message is the resource's reason."""


Properties = dict[str, Any]
Request = Callable[[Properties, str], Properties]
"""Typed properties and region → members of the creating request, without name and tags."""


def same(properties: Properties, region: str) -> Properties:
    """The names of the template are those of the API."""
    return dict(properties)


def pipeline(properties: Properties, region: str) -> Properties:
    """The handler reads the definition from S3 with the stack's role and hands it over."""
    fields = {name: value for name, value in properties.items() if name != "PipelineDefinition"}
    given = properties["PipelineDefinition"]
    location = given.get("PipelineDefinitionS3Location")
    if location is None:
        return {**fields, "PipelineDefinition": given["PipelineDefinitionBody"]}
    bucket, key = location["Bucket"], location["Key"]
    try:
        stored = s3_objects.read(on_behalf.acting(), bucket, key, region, location.get("Version", ""))
    except (s3_objects.Denied, s3_objects.Absent) as problem:
        raise Unusable(f"{problem} (Service: S3, s3://{bucket}/{key})") from problem
    wanted = location.get("ETag")
    if wanted and wanted.strip('"') != s3_objects.etag(stored):
        raise Unusable(f"The ETag of s3://{bucket}/{key} is not {wanted}.")
    try:
        return {**fields, "PipelineDefinition": stored.decode()}
    except UnicodeDecodeError as problem:
        raise Unusable(f"s3://{bucket}/{key} is not UTF-8.") from problem


def job_definition(properties: Properties, region: str) -> Properties:
    """``Parquet: true`` of a template is an empty structure in the API; the endpoint is named by the input alone."""
    fields = {name: value for name, value in properties.items() if name != "EndpointName"}
    inputs = [value for name, value in fields.items() if name.endswith("JobInput")]
    _same_endpoint(properties, [*inputs])
    return dict(_with_parquet(fields))


def monitoring_schedule(properties: Properties, region: str) -> Properties:
    """What a schedule answers, such as its status, cannot be set."""
    for name in ("FailureReason", "LastMonitoringExecutionSummary", "MonitoringScheduleStatus"):
        if name in properties:
            raise Unusable(f"{name} is what a schedule answers; it cannot be set here.")
    config = properties["MonitoringScheduleConfig"]
    _same_endpoint(properties, (config.get("MonitoringJobDefinition") or {}).get("MonitoringInputs") or [])
    return {"MonitoringScheduleConfig": _with_parquet(config)}


def model_package_group(properties: Properties, region: str) -> Properties:
    """The policy is put by a call of its own."""
    return {name: value for name, value in properties.items() if name != registry.POLICY_PROPERTY}


def _same_endpoint(properties: Properties, inputs: list[Properties]) -> None:
    named = properties.get("EndpointName")
    used = [found["EndpointInput"]["EndpointName"] for found in inputs if found.get("EndpointInput")]
    if named and used and used != [named]:
        raise Unusable(f"EndpointName is {named}, the input's is {used[0]}.")


def _with_parquet(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: {} if name == "Parquet" and inner is True else _with_parquet(inner)
            for name, inner in value.items()
            if not (name == "Parquet" and inner is False)
        }
    return [_with_parquet(inner) for inner in value] if isinstance(value, list) else value
