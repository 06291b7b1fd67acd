"""Endpoints: their API and their description; ``hosting`` deploys and asks them."""

from __future__ import annotations

from typing import Any

from local.cloud import shapes
from local.cloud.autoscaling import targets
from local.cloud.sagemaker import backend, deployment, hosting, listing, models, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record

KIND = "endpoint"


def _create(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    name = fields["EndpointName"]
    config = models.config(account, region, fields["EndpointConfigName"])
    deployment.check(fields.get("DeploymentConfig"), _serverless(config))
    existing = backend.arn(account, region, KIND, name)
    exists = ApiError("ValidationException", f'Cannot create already existing endpoint "{existing}".')
    record = records.create(account, region, KIND, name, fields, exists)
    if fields.get("DeploymentConfig"):
        record.state["LastDeploymentConfig"] = fields["DeploymentConfig"]
    hosting.create((account, region, record.name), config.name)
    return {"EndpointArn": record.arn}


def _update(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    config = models.config(account, region, fields["EndpointConfigName"])
    given = fields.get("DeploymentConfig")
    if given and fields.get("RetainDeploymentConfig"):
        raise ApiError(
            "ValidationException", "DeploymentConfig and RetainDeploymentConfig cannot be specified together."
        )
    _check_scaled(account, region, record, config)
    kept = record.state.get("LastDeploymentConfig") if fields.get("RetainDeploymentConfig") else given
    deployment.check(kept, _serverless(config))
    hosting.update((account, region, record.name), config.name, kept or {})
    record.update({})
    if kept:
        record.state["LastDeploymentConfig"] = kept
    return {"EndpointArn": record.arn}


def _delete(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    records.remove(account, region, KIND, record.name)
    hosting.delete((account, region, record.name))
    return {}


def _describe(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _known(account, region, fields)
    endpoint = _hosted(account, region, record)
    known: dict[str, Any] = {
        **record.state,
        "EndpointName": record.name,
        "EndpointArn": record.arn,
        "EndpointConfigName": endpoint.config,
        "EndpointStatus": endpoint.status,
        "FailureReason": endpoint.reason or None,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
    }
    # An endpoint whose configuration was deleted goes on serving.
    config = records.find(account, region, models.CONFIG, endpoint.config)
    if config is not None and endpoint.status not in {"Creating", "Failed"}:
        known["ProductionVariants"] = [_variant_summary(found) for found in config.fields["ProductionVariants"]]
        for member in ("AsyncInferenceConfig", "ExplainerConfig"):
            known[member] = config.fields.get(member)
        capture = config.fields.get("DataCaptureConfig")
        if capture:
            known["DataCaptureConfig"] = {
                "EnableCapture": capture.get("EnableCapture", False),
                "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
                "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                "DestinationS3Uri": capture["DestinationS3Uri"],
                "KmsKeyId": capture.get("KmsKeyId", ""),
            }
    return shapes.answer_of("sagemaker", "DescribeEndpoint", known)


def _check_scaled(account: str, region: str, record: Record, config: Record) -> None:
    """A variant that is scaled may neither go nor change its instances."""
    endpoint = _hosted(account, region, record)
    former = records.find(account, region, models.CONFIG, endpoint.config)
    scaled = targets.scaled_variants(account, region, record.name)
    before = {v["VariantName"]: v.get("InstanceType") for v in former.fields["ProductionVariants"]} if former else {}
    after = {v["VariantName"]: v.get("InstanceType") for v in config.fields["ProductionVariants"]}
    for name in sorted(scaled & before.keys()):
        if name not in after or after[name] != before[name]:
            raise ApiError(
                "ValidationException",
                f'The variant(s) "[{name}]" must be deregistered as a scalable target with AWS Auto Scaling before '
                "they can be removed or have their instance type updated.",
            )


def _variant_summary(found: dict[str, Any]) -> dict[str, Any]:
    weight = found.get("InitialVariantWeight", 1.0)
    known = {
        "VariantName": found["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentServerlessConfig": found.get("ServerlessConfig"),
        "DesiredServerlessConfig": found.get("ServerlessConfig"),
        "CurrentInstanceCount": 0 if found.get("ServerlessConfig") else found["InitialInstanceCount"],
        "DesiredInstanceCount": 0 if found.get("ServerlessConfig") else found["InitialInstanceCount"],
    }
    return {name: value for name, value in known.items() if value is not None}


def _list(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    wanted = fields.get("StatusEquals")

    def status(record: Record) -> str:
        return _hosted(account, region, record).status

    def summary(record: Record) -> dict[str, Any]:
        return {
            "EndpointName": record.name,
            "EndpointArn": record.arn,
            "CreationTime": record.created,
            "LastModifiedTime": record.modified,
            "EndpointStatus": status(record),
        }

    found = [r for r in records.listed(account, region, KIND) if wanted in (None, status(r))]
    return listing.page(found, fields, "Endpoints", summary)


def _serverless(config: Record) -> bool:
    return any(found.get("ServerlessConfig") for found in config.fields["ProductionVariants"])


def _hosted(account: str, region: str, record: Record) -> hosting.Endpoint:
    found = hosting.describe((account, region, record.name))
    return found or hosting.Endpoint("Deleting", record.fields["EndpointConfigName"])


def _known(account: str, region: str, fields: dict[str, Any]) -> Record:
    name = fields["EndpointName"]
    record = records.find(account, region, KIND, name)
    if record is None:
        missing = backend.arn(account, region, KIND, name)
        raise ApiError("ValidationException", f'Could not find endpoint "{missing}".')
    return record


ACTIONS = {
    "CreateEndpoint": _create,
    "UpdateEndpoint": _update,
    "DeleteEndpoint": _delete,
    "DescribeEndpoint": _describe,
    "ListEndpoints": _list,
}
