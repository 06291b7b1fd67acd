"""CloudFormation's SageMaker resources: Model, EndpointConfig and Endpoint, and records without a body of their own.

``Ref`` is the ARN and ``Fn::GetAtt`` the name, as on AWS. A model or a configuration cannot change: CloudFormation
replaces it, under a new generated name. An endpoint takes another configuration in place, and its operation ends when
the endpoint serves, or fails with the endpoint's reason.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from local.cloud import contract
from local.cloud.contract import Seam
from local.cloud.principals import decided_elsewhere
from local.cloud.sagemaker import api, backend, hosting
from local.cloud.sagemaker.backend import ApiError

SEAMS = (
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.cloudformation.provisioners", "_STACK_TAG_PROPERTY"),
    Seam("ministack.services.cloudformation.provisioners", "_physical_name", ("stack_name", "logical_id")),
    Seam("ministack.services.cloudformation.stacks", "_runs_on_worker_thread", ("resource_type",)),
)

ENDPOINT_SECONDS = 300
"""How long a stack waits for an endpoint; loading a model takes seconds here."""

MAX_NAME = 63


class ResourceFailed(Exception):
    """A resource could not be made; the message becomes the stack event's reason."""


@dataclass(frozen=True)
class Kind:
    """A resource type that is one record of SageMaker's."""

    noun: str
    """``Model`` in ``CreateModel`` and ``ModelName``."""
    properties: tuple[str, ...]
    """Properties of the template beside the name and tags, called the same in the API."""

    @property
    def name(self) -> str:
        """The property and attribute that holds the name."""
        return f"{self.noun}Name"


MODEL = Kind(
    "Model",
    (
        "ExecutionRoleArn",
        "PrimaryContainer",
        "Containers",
        "EnableNetworkIsolation",
        "InferenceExecutionConfig",
        "VpcConfig",
    ),
)
CONFIG = Kind(
    "EndpointConfig",
    (
        "ProductionVariants",
        "DataCaptureConfig",
        "KmsKeyId",
        "AsyncInferenceConfig",
        "ExplainerConfig",
        "ShadowProductionVariants",
        "EnableNetworkIsolation",
        "ExecutionRoleArn",
        "VpcConfig",
    ),
)


def install() -> None:
    """Register the handlers, what replaces a resource, and where stack tags go."""
    from ministack.services.cloudformation import provisioners, stacks

    for kind in (MODEL, CONFIG):
        resource = f"AWS::SageMaker::{kind.noun}"
        provisioners._RESOURCE_HANDLERS[resource] = {
            "create": functools.partial(_create, kind),
            "update": functools.partial(_retag, kind),
            "delete": functools.partial(_delete, kind),
        }
        provisioners._REPLACING_PROPERTIES[resource] = (kind.name, *kind.properties)
        provisioners._CUSTOM_NAME_REPLACEMENT[resource] = {"name": kind.name}
        provisioners._STACK_TAG_PROPERTY[resource] = ("Tags", "list")
    endpoint = "AWS::SageMaker::Endpoint"
    provisioners._RESOURCE_HANDLERS[endpoint] = {
        "create": _create_endpoint,
        "update": _update_endpoint,
        "delete": _delete_endpoint,
    }
    provisioners._REPLACING_PROPERTIES[endpoint] = ("EndpointName",)
    provisioners._CUSTOM_NAME_REPLACEMENT[endpoint] = {"name": "EndpointName"}
    provisioners._STACK_TAG_PROPERTY[endpoint] = ("Tags", "list")

    original = stacks._runs_on_worker_thread

    @functools.wraps(original)
    def runs_on_worker_thread(resource_type: str) -> bool:
        # They load a model or wait for one; on the event loop they would hold up every other request.
        return resource_type.startswith("AWS::SageMaker::") or bool(original(resource_type))

    contract.replace(original, runs_on_worker_thread, "ministack.services.cloudformation.stacks")


def _scope() -> tuple[str, str]:
    from ministack.core import responses

    return responses.get_account_id(), responses.get_region()


def _perform(action: str, fields: dict[str, Any]) -> dict[str, Any]:
    account, region = _scope()
    try:
        # The stack's service role has been asked by ``stack_resources``; the caller of ExecuteChangeSet passes no role.
        with decided_elsewhere():
            return api.perform(account, region, action, fields)
    except ApiError as refused:
        raise ResourceFailed(
            f'Resource handler returned message: "{refused} (Service: SageMaker, Status Code: {refused.status})" '
            f"(HandlerErrorCode: {_handler_code(refused)})"
        ) from refused


def _handler_code(refused: ApiError) -> str:
    return {"AccessDeniedException": "AccessDenied", "ResourceLimitExceeded": "ServiceLimitExceeded"}.get(
        refused.code, "GeneralServiceException" if refused.status >= 500 else "InvalidRequest"
    )


def _generated(stack: str, logical_id: str) -> str:
    from ministack.services.cloudformation import provisioners

    return str(provisioners._physical_name(stack, logical_id, max_len=MAX_NAME))


def _numbers(value: Any) -> Any:
    """Parameters arrive as text in a stack's properties; the API wants numbers and booleans where they are meant."""
    if isinstance(value, dict):
        return {name: _number(name, _numbers(inner)) for name, inner in value.items()}
    return [_numbers(inner) for inner in value] if isinstance(value, list) else value


_INTEGERS = frozenset({"InitialInstanceCount", "InitialSamplingPercentage", "VolumeSizeInGB", "MaxConcurrency"})
_FLOATS = frozenset({"InitialVariantWeight"})
_BOOLEANS = frozenset({"EnableCapture", "EnableNetworkIsolation"})


def _number(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _INTEGERS:
        return int(value)
    if name in _FLOATS:
        return float(value)
    return value == "true" if name in _BOOLEANS else value


def _create(kind: Kind, logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    name = properties.get(kind.name) or _generated(stack, logical_id)
    fields = _numbers({key: properties[key] for key in kind.properties if key in properties})
    _perform(f"Create{kind.noun}", {kind.name: name, **fields, "Tags": properties.get("Tags") or []})
    arn = backend.arn(*_scope(), api.kind_of(kind.noun), name)
    return arn, {kind.name: name, "Arn": arn}


def _retag(
    kind: Kind, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    _keep_tags(physical_id, new)
    account, region = _scope()
    name = backend.named(account, region, physical_id).rpartition("/")[2]
    return physical_id, {kind.name: name, "Arn": physical_id}


def _delete(kind: Kind, physical_id: str, properties: dict[str, Any]) -> None:
    account, region = _scope()
    name = backend.named(account, region, physical_id).rpartition("/")[2]
    try:
        backend.call(account, region, f"Delete{kind.noun}", **{kind.name: name})
    except ApiError as refused:
        if "not find" not in str(refused) and "not exist" not in str(refused):
            raise ResourceFailed(str(refused)) from refused


def _keep_tags(arn: str, properties: dict[str, Any]) -> None:
    account, region = _scope()
    known = backend.named(account, region, arn)
    backend.call(account, region, "AddTags", ResourceArn=known, Tags=properties.get("Tags") or [])


def _create_endpoint(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    account, region = _scope()
    name = properties.get("EndpointName") or _generated(stack, logical_id)
    fields = {"EndpointName": name, "EndpointConfigName": properties["EndpointConfigName"]}
    _perform("CreateEndpoint", {**fields, "Tags": properties.get("Tags") or []})
    key = (account, region, name)
    try:
        _settled(key)
    except ResourceFailed:
        # CloudFormation removes what a failed creation left; here nobody is told the physical id to do it later.
        _perform("DeleteEndpoint", {"EndpointName": name})
        raise
    arn = backend.arn(account, region, "endpoint", name)
    return arn, {"EndpointName": name, "Arn": arn}


def _update_endpoint(
    physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    account, region = _scope()
    name = backend.named(account, region, physical_id).rpartition("/")[2]
    _keep_tags(physical_id, new)
    if old.get("EndpointConfigName") != new["EndpointConfigName"]:
        _perform("UpdateEndpoint", {"EndpointName": name, "EndpointConfigName": new["EndpointConfigName"]})
        _settled((account, region, name), new["EndpointConfigName"])
    return physical_id, {"EndpointName": name, "Arn": physical_id}


def _delete_endpoint(physical_id: str, properties: dict[str, Any]) -> None:
    account, region = _scope()
    name = backend.named(account, region, physical_id).rpartition("/")[2]
    if hosting.describe((account, region, name)) is not None:
        _perform("DeleteEndpoint", {"EndpointName": name})


def _settled(key: hosting.Key, config: str | None = None) -> None:
    """Wait until the endpoint serves; raises ResourceFailed with its reason."""
    endpoint = hosting.describe(key)
    if endpoint is None or not endpoint.settled.wait(ENDPOINT_SECONDS):
        raise ResourceFailed(f"Endpoint {key[2]} did not settle")
    endpoint = hosting.describe(key)
    if endpoint is None or endpoint.status != "InService" or (config is not None and endpoint.config != config):
        reason = endpoint.reason if endpoint else "it was deleted"
        raise ResourceFailed(f'Resource handler returned message: "{reason}" (HandlerErrorCode: NotStabilized)')
