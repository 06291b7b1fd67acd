"""ECR repositories: made by stacks once only, and reached from another account by ``registryId`` under their policy."""

from __future__ import annotations

import functools
import json
from typing import Any

from local.cloud import resource_schemas
from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.iam_evaluator", "_resource_policy", ("service", "resource_arn")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.ecr", "_repo_shape", ("repo",)),
    Seam("ministack.services.ecr", "_repositories"),
    Seam("ministack.services.ecr", "handle_request", ("method", "path", "headers", "body", "query_params")),
)

TYPE = "AWS::ECR::Repository"
_FILTERS = "imageTagMutabilityExclusionFilters"


class RepositoryFailed(Exception):
    """A repository of a stack could not be made; the message is the resource's reason."""


def install() -> None:
    """Wrap the service, what IAM is asked about its calls, and the making of a stack's repository."""
    from ministack.core import iam_actions, iam_evaluator, responses
    from ministack.services import ecr
    from ministack.services.cloudformation import provisioners

    extract, policy, handle = (
        iam_actions.extract_resource_arn,
        iam_evaluator._resource_policy,
        ecr.handle_request,
    )
    made = provisioners._RESOURCE_HANDLERS[TYPE]["create"]
    changed, shape = provisioners._RESOURCE_HANDLERS[TYPE]["update"], ecr._repo_shape

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        arn = str(extract(service, method, path, headers, body, *more, **named))
        registry = _registry(body) if service == "ecr" else ""
        return arn.replace(f":{responses.get_account_id()}:", f":{registry}:", 1) if registry else arn

    @functools.wraps(policy)
    def resource_policy(service: str, resource_arn: str) -> Any:
        if service != "ecr" or not resource_arn.startswith("arn:"):
            return policy(service, resource_arn)
        owner = resource_arn.split(":")[4]
        with responses.request_scope(owner, responses.get_region()):
            found = policy(service, resource_arn)
        # A foreign repository without a policy, or one that is not there, lets nobody in.
        return found or ("", owner)

    @functools.wraps(handle)
    async def in_registry(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        registry = _registry(body) or responses.get_account_id()
        with responses.request_scope(registry, responses.get_region()):
            return await handle(method, path, headers, body, query_params)

    @functools.wraps(made)
    def once(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        name = properties.get("RepositoryName")
        if name in ecr._repositories:
            raise RepositoryFailed(
                f"Resource handler returned message: \"Resource of type '{TYPE}' with identifier '{name}' already "
                'exists." (HandlerErrorCode: AlreadyExists)'
            )
        answer = made(logical_id, properties, stack)
        _keep_filters(answer[0], properties)
        return answer

    @functools.wraps(changed)
    def updated(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, *more: Any, **named: Any
    ) -> Any:
        answer = changed(physical_id, old, new, stack, *more, **named)
        _keep_filters(physical_id, new)
        return answer

    @functools.wraps(shape)
    def described(repository: dict[str, Any]) -> dict[str, Any]:
        filters = repository.get(_FILTERS)
        return {**shape(repository), **({_FILTERS: filters} if filters else {})}

    iam_actions.extract_resource_arn = extracted
    iam_evaluator._resource_policy = resource_policy
    ecr.handle_request = in_registry
    ecr._repo_shape = described
    provisioners._RESOURCE_HANDLERS[TYPE]["create"] = once
    provisioners._RESOURCE_HANDLERS[TYPE]["update"] = updated
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "RepositoryName"}


def _keep_filters(name: str, properties: dict[str, Any]) -> None:
    """The exceptions from the rule that tags are immutable, which the emulator leaves out."""
    from ministack.services import ecr

    given = properties.get("ImageTagMutabilityExclusionFilters") or []
    prefix = "ImageTagMutabilityExclusionFilter"
    ecr._repositories[name][_FILTERS] = [
        {"filterType": found[f"{prefix}Type"], "filter": found[f"{prefix}Value"]} for found in given
    ]


def _registry(body: bytes) -> str:
    """The account that a request names as its registry; empty when it names none."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return ""
    return str(found.get("registryId") or "") if isinstance(found, dict) else ""
