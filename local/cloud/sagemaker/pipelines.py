"""SageMaker pipelines as they are defined: their API, and :func:`find` for what runs them.

A definition comes in the request or lies in S3; from there it is read with the caller's permissions, or with those of
the role that makes a stack. It is checked when the pipeline is created (``pipeline_definition``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local.cloud import on_behalf, s3_objects, shapes
from local.cloud.sagemaker import listing, pipeline_definition, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record

KIND = "pipeline"


@dataclass(frozen=True)
class Pipeline:
    """One pipeline."""

    name: str
    arn: str
    role_arn: str
    """The role that its steps run with unless they name another."""
    definition: dict[str, Any]
    """Parsed: ``Version``, ``Parameters``, ``Steps`` …"""
    max_parallel_steps: int | None = None


def find(account: str, region: str, name: str) -> Pipeline | None:
    """A pipeline by its name or ARN; None when there is none."""
    record = records.find(account, region, KIND, name)
    if record is None:
        return None
    return Pipeline(
        record.name,
        record.arn,
        record.fields["RoleArn"],
        json.loads(record.fields["PipelineDefinition"]),
        (record.fields.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps"),
    )


def ran(account: str, region: str, name: str, when: float) -> None:
    """Remember when a pipeline was last started; seconds since 1970."""
    record = records.find(account, region, KIND, name)
    if record is not None:
        record.state["LastRunTime"] = when


def _create(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    name = fields["PipelineName"]
    known = records.find(account, region, KIND, name)
    token = fields.get("ClientRequestToken")
    if known is not None and token and known.state["token"] == token:
        return {"PipelineArn": known.arn}
    kept = {**_definition(region, fields), "RoleArn": fields["RoleArn"]}
    exists = ApiError(
        "ValidationException",
        f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists.",
    )
    record = records.create(account, region, KIND, name, {"PipelineDisplayName": name, **kept}, exists)
    record.state |= {"token": token, "PipelineStatus": "Active"}
    return {"PipelineArn": record.arn}


def _update(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    given = "PipelineDefinition" in fields or "PipelineDefinitionS3Location" in fields
    record.update({**(_definition(region, fields) if given else fields), "PipelineName": record.name})
    return {"PipelineArn": record.arn}


def _describe(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    times = {"CreationTime": record.created, "LastModifiedTime": record.modified}
    known = {**record.fields, **record.state, **times, "PipelineArn": record.arn}
    return shapes.answer_of("sagemaker", "DescribePipeline", known)


def _delete(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    records.remove(account, region, KIND, record.name)
    return {"PipelineArn": record.arn}


def _list(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    prefix = fields.get("PipelineNamePrefix", "")

    def summary(record: Record) -> dict[str, Any]:
        known = {
            "PipelineArn": record.arn,
            "PipelineName": record.name,
            "PipelineDisplayName": record.fields["PipelineDisplayName"],
            "PipelineDescription": record.fields.get("PipelineDescription"),
            "RoleArn": record.fields["RoleArn"],
            "CreationTime": record.created,
            "LastModifiedTime": record.modified,
            "LastExecutionTime": record.state.get("LastRunTime"),
        }
        return {name: value for name, value in known.items() if value is not None}

    found = [record for record in records.listed(account, region, KIND) if record.name.startswith(prefix)]
    return listing.page(found, fields, "PipelineSummaries", summary)


def _known(account: str, region: str, fields: dict[str, Any]) -> Record:
    name = fields["PipelineName"]
    record = records.find(account, region, KIND, name)
    if record is None:
        raise ApiError("ResourceNotFound", f"Pipeline '{name}' does not exist.")
    return record


def _definition(region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The members of a request, with the definition itself in place of where it lies; raises ApiError."""
    location = fields.get("PipelineDefinitionS3Location")
    if (location is None) == (fields.get("PipelineDefinition") is None):
        raise ApiError(
            "ValidationException", "Exactly one of PipelineDefinition and PipelineDefinitionS3Location is required."
        )
    text = fields.get("PipelineDefinition") or _stored(region, location or {})
    try:
        pipeline_definition.parsed(text)
    except pipeline_definition.InvalidDefinition as refused:
        raise ApiError("ValidationException", str(refused)) from refused
    kept = {name: value for name, value in fields.items() if name != "PipelineDefinitionS3Location"}
    return {**kept, "PipelineDefinition": text}


def _stored(region: str, location: dict[str, Any]) -> str:
    bucket, key = location["Bucket"], location["ObjectKey"]
    try:
        data = s3_objects.read(on_behalf.acting(), bucket, key, region, location.get("VersionId") or "")
        return data.decode()
    except (s3_objects.Denied, s3_objects.Absent) as problem:
        raise ApiError(
            "ValidationException", f"Failed to read the pipeline definition from s3://{bucket}/{key}: {problem}"
        ) from problem
    except UnicodeDecodeError as problem:
        raise ApiError("ValidationException", "Unable to parse pipeline definition. Expecting UTF-8.") from problem


ACTIONS = {
    "CreatePipeline": _create,
    "UpdatePipeline": _update,
    "DescribePipeline": _describe,
    "DeletePipeline": _delete,
    "ListPipelines": _list,
}
