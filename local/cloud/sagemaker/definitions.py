"""The four kinds of monitoring job definitions: data quality, model quality, bias and explainability.

A definition never changes: CloudFormation replaces it. What Describe gives is the request, member by member.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from local.cloud import shapes
from local.cloud.sagemaker import listing, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record


@dataclass(frozen=True)
class Kind:
    """One of the four."""

    noun: str
    """As in the API's actions: ``DataQuality`` + ``JobDefinition``."""
    monitoring: str
    """``MonitoringType`` of the schedules that use it."""

    @property
    def record(self) -> str:
        """The kind of record, as in ARNs."""
        return {
            "DataQuality": "data-quality-job-definition",
            "ModelQuality": "model-quality-job-definition",
            "ModelBias": "model-bias-job-definition",
            "ModelExplainability": "model-explainability-job-definition",
        }[self.noun]


KINDS = (
    Kind("DataQuality", "DataQuality"),
    Kind("ModelQuality", "ModelQuality"),
    Kind("ModelBias", "ModelBias"),
    Kind("ModelExplainability", "ModelExplainability"),
)


def find(account: str, region: str, monitoring: str, name: str) -> Record | None:
    """The definition that a schedule of a monitoring type names; None when there is none."""
    for kind in KINDS:
        if kind.monitoring == monitoring:
            return records.find(account, region, kind.record, name)
    return None


def endpoint_of(record: Record) -> str:
    """The endpoint that a definition's job looks at; empty for one over batch transforms."""
    for name, value in record.fields.items():
        if name.endswith("JobInput"):
            return str((value.get("EndpointInput") or {}).get("EndpointName", ""))
    return ""


def _create(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    name = fields["JobDefinitionName"]
    exists = ApiError("ResourceInUse", f"Job definition {name} already exists.")
    return {"JobDefinitionArn": records.create(account, region, kind.record, name, fields, exists).arn}


def _describe(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(kind, account, region, fields)
    known = {**record.fields, "JobDefinitionArn": record.arn, "CreationTime": record.created}
    return shapes.answer_of("sagemaker", f"Describe{kind.noun}JobDefinition", known)


def _delete(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    records.remove(account, region, kind.record, _known(kind, account, region, fields).name)
    return {}


def _list(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    found = [
        record
        for record in records.listed(account, region, kind.record)
        if fields.get("EndpointName") in (None, endpoint_of(record))
    ]

    def summary(record: Record) -> dict[str, Any]:
        return {
            "MonitoringJobDefinitionName": record.name,
            "MonitoringJobDefinitionArn": record.arn,
            "CreationTime": record.created,
            "EndpointName": endpoint_of(record),
        }

    return listing.page(found, fields, "JobDefinitionSummaries", summary)


def _known(kind: Kind, account: str, region: str, fields: dict[str, Any]) -> Record:
    name = fields["JobDefinitionName"]
    record = records.find(account, region, kind.record, name)
    if record is None:
        raise ApiError("ResourceNotFound", f"Job definition {name} does not exist.")
    return record


ACTIONS = {
    name.format(noun=kind.noun): functools.partial(run, kind)
    for kind in KINDS
    for name, run in (
        ("Create{noun}JobDefinition", _create),
        ("Describe{noun}JobDefinition", _describe),
        ("Delete{noun}JobDefinition", _delete),
        ("List{noun}JobDefinitions", _list),
    )
}
