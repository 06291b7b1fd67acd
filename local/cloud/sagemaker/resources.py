"""CloudFormation's SageMaker resources: each a record of the API, made, changed and removed by the API's own calls.

What replaces a resource, its physical id and its attributes are in CloudFormation's schemas (``resource_schemas``). A
property that a template sets reaches the API or fails the resource: nothing is left out silently.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from local.cloud import contract, resource_schemas, shapes
from local.cloud.contract import Seam
from local.cloud.principals import decided_elsewhere
from local.cloud.sagemaker import api, arns, backend, hosting, records, registry, requests_of
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record
from local.cloud.sagemaker.requests_of import Request, Unusable

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

ONLY_IN_UPDATES = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig")
"""Properties of an endpoint that its creation does not look at."""


class ResourceFailed(Exception):
    """A resource could not be made; the message becomes the stack event's reason."""


@dataclass(frozen=True)
class Kind:
    """A resource type that is one record of SageMaker's."""

    noun: str
    """``Model`` in ``AWS::SageMaker::Model`` and ``CreateModel``."""
    name: str
    """The property that holds the name."""
    request: Request = requests_of.same
    updates: bool = False
    """Whether the API has a call that changes more than tags."""

    @property
    def type(self) -> str:
        """CloudFormation's name."""
        return f"AWS::SageMaker::{self.noun}"

    @property
    def record(self) -> str:
        """The kind of record, as in ARNs."""
        return arns.kind_of(self.noun)


KINDS = (
    Kind("Model", "ModelName"),
    Kind("EndpointConfig", "EndpointConfigName"),
    Kind("Endpoint", "EndpointName", updates=True),
    Kind("Pipeline", "PipelineName", requests_of.pipeline, updates=True),
    Kind("DataQualityJobDefinition", "JobDefinitionName", requests_of.job_definition),
    Kind("ModelQualityJobDefinition", "JobDefinitionName", requests_of.job_definition),
    Kind("ModelBiasJobDefinition", "JobDefinitionName", requests_of.job_definition),
    Kind("ModelExplainabilityJobDefinition", "JobDefinitionName", requests_of.job_definition),
    Kind("MonitoringSchedule", "MonitoringScheduleName", requests_of.monitoring_schedule, updates=True),
    Kind("ModelPackageGroup", "ModelPackageGroupName", requests_of.model_package_group, updates=True),
)


def install() -> None:
    """Register the handlers, what replaces a resource, and where stack tags go."""
    from ministack.services.cloudformation import provisioners, stacks

    for kind in KINDS:
        provisioners._RESOURCE_HANDLERS[kind.type] = {
            "create": functools.partial(_create, kind),
            "update": functools.partial(_update, kind),
            "delete": functools.partial(_delete, kind),
        }
        provisioners._REPLACING_PROPERTIES[kind.type] = resource_schemas.Replacing(kind.type)
        provisioners._CUSTOM_NAME_REPLACEMENT[kind.type] = {"name": kind.name}
        provisioners._STACK_TAG_PROPERTY[kind.type] = ("Tags", "list")

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
    for problem in shapes.unknown_members("sagemaker", action, fields):
        raise ResourceFailed(f"The embedded cloud does not keep a property: {problem}")
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
    return {
        "AccessDeniedException": "AccessDenied",
        "ResourceLimitExceeded": "ServiceLimitExceeded",
        "ResourceInUse": "AlreadyExists",
        "ResourceNotFound": "NotFound",
    }.get(refused.code, "GeneralServiceException" if refused.status >= 500 else "InvalidRequest")


def _request(kind: Kind, properties: dict[str, Any]) -> dict[str, Any]:
    """The members of a request, without name and tags."""
    try:
        fields = kind.request(properties, _scope()[1])
    except Unusable as problem:
        raise ResourceFailed(
            f'Resource handler returned message: "{problem}" (HandlerErrorCode: InvalidRequest)'
        ) from problem
    return {name: value for name, value in fields.items() if name not in {kind.name, "Tags"}}


def _create(kind: Kind, logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    from ministack.services.cloudformation import provisioners

    name = properties.get(kind.name) or provisioners._physical_name(stack, logical_id, max_len=MAX_NAME)
    fields = _request(kind, properties)
    if kind.noun == "Endpoint":
        fields = {key: value for key, value in fields.items() if key not in ONLY_IN_UPDATES}
    tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
    _perform(f"Create{kind.noun}", {kind.name: name, **fields, **tags})
    record = records.find(*_scope(), kind.record, name)
    assert record is not None  # noqa: S101 - made by the call
    try:
        _afterwards(kind, record, properties)
    except ResourceFailed:
        # CloudFormation removes what a failed creation left; here nobody is told the physical id to do it later.
        _perform(f"Delete{kind.noun}", {kind.name: name})
        raise
    return _physical_id(kind, record), _attributes(kind, record, properties)


def _update(
    kind: Kind, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, Any]]:
    record = records.find(*_scope(), kind.record, physical_id)
    if record is None:
        raise ResourceFailed(f'Resource of type "{kind.type}" with identifier "{physical_id}" was not found.')
    dropped = {tag["Key"] for tag in old.get("Tags") or []} - {tag["Key"] for tag in new.get("Tags") or []}
    record.untag(list(dropped))
    record.tag(new.get("Tags") or [])
    former, wanted = _without_tags(old), _without_tags(new)
    if kind.updates and former != wanted:
        _change(kind, record, new)
        _afterwards(kind, record, new)
    return physical_id, _attributes(kind, record, new)


def _change(kind: Kind, record: Record, new: dict[str, Any]) -> None:
    if kind.noun == "ModelPackageGroup":
        return  # only its policy changes in place, afterwards
    fields = _request(kind, new)
    if kind.noun == "Endpoint":
        endpoint = hosting.describe((*_scope(), record.name))
        if endpoint is not None and endpoint.config == new["EndpointConfigName"] and endpoint.status == "InService":
            # Nothing to deploy; a stack that rolls back comes here too, when the endpoint never left.
            record.state["LastDeploymentConfig"] = new.get("DeploymentConfig")
            return
    _perform(f"Update{kind.noun}", {kind.name: record.name, **fields})


def _afterwards(kind: Kind, record: Record, properties: dict[str, Any]) -> None:
    """What follows the call: an endpoint is waited for, a group's policy is put."""
    if kind.noun == "Endpoint":
        _settled((*_scope(), record.name), properties["EndpointConfigName"])
    elif kind.noun == "ModelPackageGroup":
        named = {kind.name: record.name}
        policy = properties.get(registry.POLICY_PROPERTY)
        if policy:
            text = policy if isinstance(policy, str) else json.dumps(policy)
            _perform("PutModelPackageGroupPolicy", {**named, "ResourcePolicy": text})
        elif "policy" in record.state:
            _perform("DeleteModelPackageGroupPolicy", named)


def _delete(kind: Kind, physical_id: str, properties: dict[str, Any]) -> None:
    record = records.find(*_scope(), kind.record, physical_id)
    if record is not None:
        _perform(f"Delete{kind.noun}", {kind.name: record.name})


def _physical_id(kind: Kind, record: Record) -> str:
    """What ``Ref`` gives: the name where it is the resource's primary identifier, else the ARN."""
    identifier = resource_schemas.schema(kind.type)["primaryIdentifier"]
    return record.name if identifier == [f"/properties/{kind.name}"] else record.arn


def _attributes(kind: Kind, record: Record, properties: dict[str, Any]) -> dict[str, Any]:
    arn = f"{kind.noun}Arn" if kind.name != "JobDefinitionName" else "JobDefinitionArn"
    described = {
        **_without_tags(properties),
        kind.name: record.name,
        arn: record.arn,
        "CreationTime": backend.instant(record.created),
        "LastModifiedTime": backend.instant(record.modified),
        "ModelPackageGroupStatus": "Completed",
    }
    return resource_schemas.attributes(kind.type, described)


def _without_tags(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "Tags"}


def _settled(key: hosting.Key, config: str) -> None:
    """Wait until the endpoint serves; raises ResourceFailed with its reason."""
    endpoint = hosting.describe(key)
    if endpoint is None or not endpoint.settled.wait(ENDPOINT_SECONDS):
        raise ResourceFailed(f"Endpoint {key[2]} did not settle")
    endpoint = hosting.describe(key)
    if endpoint is None or endpoint.status != "InService" or endpoint.config != config:
        reason = endpoint.reason if endpoint else "it was deleted"
        raise ResourceFailed(f'Resource handler returned message: "{reason}" (HandlerErrorCode: NotStabilized)')
