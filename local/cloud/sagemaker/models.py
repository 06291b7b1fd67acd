"""Models and endpoint configurations: records that never change, checked when they are made.

CreateModel refuses a model whose execution role may not read its data, as SageMaker does. A configuration's variants
either have instances or are serverless, and name models that are there.
"""

from __future__ import annotations

from typing import Any

from local.cloud import on_behalf, shapes
from local.cloud.sagemaker import backend, listing, model_data, records, registry
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record

MODEL, CONFIG = "model", "endpoint-config"

MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)
"""Megabytes that a serverless variant may have (API Reference, ProductionVariantServerlessConfig)."""


def model(account: str, region: str, name: str) -> Record:
    """The model of that name; raises ApiError."""
    return _known(account, region, MODEL, "model", name)


def config(account: str, region: str, name: str) -> Record:
    """The endpoint configuration of that name; raises ApiError."""
    return _known(account, region, CONFIG, "endpoint configuration", name)


def containers(record: Record) -> list[dict[str, Any]]:
    """A model's containers with image, data and environment, those of a model package filled in."""
    return [resolved for found in model_data.containers(record.fields) for resolved in _resolved(found)]


def _create_model(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    if bool(fields.get("PrimaryContainer")) == bool(fields.get("Containers")):
        raise ApiError("ValidationException", "Exactly one of PrimaryContainer and Containers is required.")
    role = fields.get("ExecutionRoleArn", "")
    if not role:
        raise ApiError("ValidationException", "ExecutionRoleArn is required.")
    for container in model_data.containers(fields):
        for resolved in _resolved(container, ask=True):
            url = model_data.location(resolved)
            if url:
                try:
                    model_data.read(url, role, region)
                except model_data.Unreadable as problem:
                    raise ApiError("ValidationException", str(problem)) from problem
    return {"ModelArn": _made(account, region, MODEL, "model", fields["ModelName"], fields).arn}


def _resolved(container: dict[str, Any], ask: bool = False) -> list[dict[str, Any]]:
    """One container; for a model package's version those of its inference specification."""
    package = container.get("ModelPackageName")
    if not package:
        if not container.get("Image"):
            raise ApiError("ValidationException", "A container needs an Image or a ModelPackageName.")
        return [container]
    record = registry.package(package)
    if ask:
        verdict = on_behalf.owner_lets_in(on_behalf.acting(), "sagemaker:CreateModel", package)
        if not verdict.allowed:
            raise ApiError("AccessDeniedException", verdict.message)
    if record is None:
        raise ApiError("ValidationException", f"Model package {package} does not exist.")
    own = {name: value for name, value in container.items() if name != "ModelPackageName"}
    given = (record.fields.get("InferenceSpecification") or {}).get("Containers") or []
    return [
        {**found, **own, "Environment": {**(found.get("Environment") or {}), **(own.get("Environment") or {})}}
        for found in given
    ]


def _create_config(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    variants = fields["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise ApiError("ValidationException", "Duplicate variant names are not allowed.")
    for variant in [*variants, *(fields.get("ShadowProductionVariants") or [])]:
        _check_variant(account, region, variant, fields)
    made = _made(account, region, CONFIG, "endpoint configuration", fields["EndpointConfigName"], fields)
    return {"EndpointConfigArn": made.arn}


def _check_variant(account: str, region: str, variant: dict[str, Any], fields: dict[str, Any]) -> None:
    name, serverless = variant["VariantName"], variant.get("ServerlessConfig")
    if not variant.get("ModelName"):
        # Only an endpoint of inference components has none, which is not served here.
        raise ApiError("ValidationException", f"ModelName is required for production variant {name}.")
    used = model(account, region, variant["ModelName"])
    if serverless is None:
        for member in ("InstanceType", "InitialInstanceCount"):
            if variant.get(member) is None:
                raise ApiError("ValidationException", f"{member} is required for production variant {name}.")
        return
    for member in ("InstanceType", "InitialInstanceCount", "AcceleratorType", "VolumeSizeInGB"):
        if variant.get(member) is not None:
            raise ApiError("ValidationException", f"{member} cannot be specified for serverless variant {name}.")
    if serverless["MemorySizeInMB"] not in MEMORY_SIZES:
        sizes = ", ".join(map(str, MEMORY_SIZES))
        raise ApiError("ValidationException", f"MemorySizeInMB of variant {name} must be one of {sizes}.")
    # Features that serverless inference lacks (Developer Guide, "Feature exclusions").
    excluded = {
        "Data capture": (fields.get("DataCaptureConfig") or {}).get("EnableCapture", False),
        "More than one production variant": len(fields["ProductionVariants"]) > 1,
        "A VPC configuration": used.fields.get("VpcConfig"),
        "Network isolation": used.fields.get("EnableNetworkIsolation"),
        "An inference pipeline": len(used.fields.get("Containers") or []) > 1,
    }
    for feature, asked in excluded.items():
        if asked:
            raise ApiError("ValidationException", f"{feature} is not supported for serverless variant {name}.")


def _describe_model(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = model(account, region, fields["ModelName"])
    known = {
        "EnableNetworkIsolation": False,
        **record.fields,
        "ModelArn": record.arn,
        "CreationTime": record.created,
    }
    return shapes.answer_of("sagemaker", "DescribeModel", known)


def _describe_config(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = config(account, region, fields["EndpointConfigName"])
    known = {
        "EnableNetworkIsolation": False,
        **record.fields,
        "EndpointConfigArn": record.arn,
        "CreationTime": record.created,
    }
    return shapes.answer_of("sagemaker", "DescribeEndpointConfig", known)


def _delete_model(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    records.remove(account, region, MODEL, model(account, region, fields["ModelName"]).name)
    return {}


def _delete_config(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    records.remove(account, region, CONFIG, config(account, region, fields["EndpointConfigName"]).name)
    return {}


def _list_models(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    return listing.page(
        records.listed(account, region, MODEL),
        fields,
        "Models",
        lambda record: {"ModelName": record.name, "ModelArn": record.arn, "CreationTime": record.created},
    )


def _list_configs(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    return listing.page(
        records.listed(account, region, CONFIG),
        fields,
        "EndpointConfigs",
        lambda record: {
            "EndpointConfigName": record.name,
            "EndpointConfigArn": record.arn,
            "CreationTime": record.created,
        },
    )


def _made(account: str, region: str, kind: str, words: str, name: str, fields: dict[str, Any]) -> Record:
    existing = backend.arn(account, region, kind, name)
    exists = ApiError("ValidationException", f'Cannot create already existing {words} "{existing}".')
    return records.create(account, region, kind, name, fields, exists)


def _known(account: str, region: str, kind: str, words: str, name: str) -> Record:
    found = records.find(account, region, kind, name)
    if found is None:
        missing = backend.arn(account, region, kind, name)
        raise ApiError("ValidationException", f'Could not find {words} "{missing}".')
    return found


ACTIONS = {
    "CreateModel": _create_model,
    "DescribeModel": _describe_model,
    "DeleteModel": _delete_model,
    "ListModels": _list_models,
    "CreateEndpointConfig": _create_config,
    "DescribeEndpointConfig": _describe_config,
    "DeleteEndpointConfig": _delete_config,
    "ListEndpointConfigs": _list_configs,
}
