"""Model cards: versions, statuses and the content's schema as SageMaker checks them, and exports that lie in S3.

The schema of the content is the one of ``AWS::SageMaker::ModelCard``, whose names are those of the "Model card JSON
schema" (SageMaker Developer Guide) in another spelling.
"""

from __future__ import annotations

import json
import re
import time
from functools import lru_cache
from typing import Any
from urllib.parse import urlparse

from local.cloud import on_behalf, resource_schemas, s3_objects, shapes
from local.cloud.sagemaker import listing, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record

KIND = "model-card"


def _create(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    _check(fields["Content"])
    name = fields["ModelCardName"]
    record = records.create(
        account, region, KIND, name, fields, ApiError("ConflictException", f"Modelcard {name} already exists")
    )
    record.state["versions"] = [_version(fields["Content"], fields["ModelCardStatus"], record.created)]
    record.state["exports"] = []
    return {"ModelCardArn": record.arn}


def _version(content: str, status: str, when: float) -> dict[str, Any]:
    return {"Content": content, "ModelCardStatus": status, "LastModifiedTime": when}


def _update(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _card(account, region, fields["ModelCardName"])
    content, status = fields.get("Content"), fields.get("ModelCardStatus")
    if (content is None) == (status is None):
        raise ApiError(
            "ValidationException", "Exactly one of Content and ModelCardStatus can be updated in a single call."
        )
    latest = record.state["versions"][-1]
    if content is None:
        latest |= {"ModelCardStatus": status, "LastModifiedTime": time.time()}
    else:
        if latest["ModelCardStatus"] == "Archived":
            raise ApiError("ConflictException", "Model Card is in Archived state")
        _check(content)
        record.state["versions"].append(_version(content, latest["ModelCardStatus"], time.time()))
    record.modified = time.time()
    return {"ModelCardArn": record.arn}


def _describe(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _card(account, region, fields["ModelCardName"])
    number, version = _of_version(record, fields.get("ModelCardVersion"))
    known = {
        **version,
        "ModelCardArn": record.arn,
        "ModelCardName": record.name,
        "ModelCardVersion": number,
        "SecurityConfig": record.fields.get("SecurityConfig"),
        "CreationTime": record.created,
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
    return shapes.answer_of("sagemaker", "DescribeModelCard", known)


def _delete(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    records.remove(account, region, KIND, _card(account, region, fields["ModelCardName"]).name)
    return {}


def _list(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    def summary(record: Record) -> dict[str, Any]:
        return {
            "ModelCardName": record.name,
            "ModelCardArn": record.arn,
            "ModelCardStatus": record.state["versions"][-1]["ModelCardStatus"],
            "CreationTime": record.created,
            "LastModifiedTime": record.modified,
        }

    wanted = fields.get("ModelCardStatus")
    found = [r for r in records.listed(account, region, KIND) if wanted in (None, summary(r)["ModelCardStatus"])]
    return listing.page(found, fields, "ModelCardSummaries", summary)


def _list_versions(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _card(account, region, fields["ModelCardName"])
    found = [
        {
            "ModelCardName": record.name,
            "ModelCardArn": record.arn,
            "ModelCardStatus": version["ModelCardStatus"],
            "ModelCardVersion": number,
            "CreationTime": record.created,
            "LastModifiedTime": version["LastModifiedTime"],
        }
        for number, version in enumerate(record.state["versions"], start=1)
        if fields.get("ModelCardStatus") in (None, version["ModelCardStatus"])
    ]
    if fields.get("SortOrder", "Descending") == "Descending":
        found.reverse()
    return {"ModelCardVersionSummaryList": found}


def _export(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The job is over at once: its PDF lies in S3, written with the caller's permissions."""
    record = _card(account, region, fields["ModelCardName"])
    number, _ = _of_version(record, fields.get("ModelCardVersion"))
    name = fields["ModelCardExportJobName"]
    if any(job["ModelCardExportJobName"] == name for job in record.state["exports"]):
        raise ApiError("ConflictException", f"Model card export job {name} already exists")
    folder = fields["OutputConfig"]["S3OutputPath"].rstrip("/")
    arn = f"{record.arn}/export-job/{name}"
    location = f"{folder}/{record.name}/{number}/{name}.pdf"
    now = time.time()
    job = {
        "ModelCardExportJobArn": arn,
        "ModelCardExportJobName": name,
        "ModelCardName": record.name,
        "ModelCardVersion": number,
        "OutputConfig": fields["OutputConfig"],
        "CreatedAt": now,
        "LastModifiedAt": now,
        "Status": "Completed",
        "ExportArtifacts": {"S3ExportArtifacts": location},
    }
    parsed = urlparse(location)
    try:
        key = (record.fields.get("SecurityConfig") or {}).get("KmsKeyId") or ""
        s3_objects.write(on_behalf.acting(), parsed.netloc, parsed.path.lstrip("/"), _pdf(record, number), region, key)
    except (s3_objects.Denied, s3_objects.Absent) as problem:
        job |= {"Status": "Failed", "FailureReason": str(problem)}
        del job["ExportArtifacts"]
    record.state["exports"].append(job)
    return {"ModelCardExportJobArn": arn}


def _describe_export(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    arn = fields["ModelCardExportJobArn"]
    for record in records.listed(account, region, KIND):
        for job in record.state["exports"]:
            if job["ModelCardExportJobArn"] == arn:
                return shapes.answer_of("sagemaker", "DescribeModelCardExportJob", job)
    raise ApiError("ResourceNotFound", f"Model card export job {arn} does not exist.")


def _list_exports(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _card(account, region, fields["ModelCardName"])
    contained = fields.get("ModelCardExportJobNameContains", "")
    found = []
    for job in record.state["exports"]:
        if contained in job["ModelCardExportJobName"] and fields.get("StatusEquals") in (None, job["Status"]):
            found.append({name: value for name, value in job.items() if name not in _NOT_LISTED})
    return {"ModelCardExportJobSummaries": found}


_NOT_LISTED = frozenset({"OutputConfig", "ExportArtifacts", "FailureReason"})


def _card(account: str, region: str, name: str) -> Record:
    record = records.find(account, region, KIND, name)
    if record is None:
        raise ApiError("ResourceNotFound", f"Modelcard {name} does not exist.")
    return record


def _of_version(record: Record, number: int | None) -> tuple[int, dict[str, Any]]:
    versions = record.state["versions"]
    wanted = number or len(versions)
    if not 0 < wanted <= len(versions):
        raise ApiError("ResourceNotFound", f"Modelcard {record.name} has no version {number}.")
    return wanted, versions[wanted - 1]


def _check(content: str) -> None:
    """Raise ApiError when the content is no model card."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ApiError("ValidationException", f"Model card content is not valid JSON: {error}") from error
    whole = _schema()
    problems = resource_schemas.problems_of(whole, whole["definitions"]["Content"], document)
    if problems:
        raise ApiError("ValidationException", f"Model card content is not valid: {'; '.join(problems)}")


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = _spelt(resource_schemas.schema("AWS::SageMaker::ModelCard"))
    return found


def _spelt(rule: Any) -> Any:
    """The schema with the names of a content's JSON: ``ModelOverview`` → ``model_overview``."""
    if isinstance(rule, list):
        return [_spelt(inner) for inner in rule]
    if not isinstance(rule, dict):
        return rule
    found: dict[str, Any] = {}
    for keyword, value in rule.items():
        if keyword == "properties":
            found[keyword] = {_snake(name): _spelt(inner) for name, inner in value.items()}
        elif keyword == "required":
            found[keyword] = [_snake(name) for name in value]
        else:
            found[keyword] = _spelt(value)
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _pdf(record: Record, number: int) -> bytes:
    """A page that says which card it stands for; SageMaker's shows the content."""
    text = f"Model card {record.name}, version {number}. Exported by the embedded cloud."
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font"
        f"/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n4 0 obj<</Length {len(stream)}>>stream\n{stream}\n"
        "endstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    ).encode()


ACTIONS = {
    "CreateModelCard": _create,
    "UpdateModelCard": _update,
    "DescribeModelCard": _describe,
    "DeleteModelCard": _delete,
    "ListModelCards": _list,
    "ListModelCardVersions": _list_versions,
    "CreateModelCardExportJob": _export,
    "DescribeModelCardExportJob": _describe_export,
    "ListModelCardExportJobs": _list_exports,
}
