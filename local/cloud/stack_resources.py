"""CloudFormation makes resources with its service role: what the role may not do fails the resource.

The emulator provisions resources without asking IAM. Here each create, update and delete of a type that
``stack_permissions`` knows is decided for the operation's role first: its policies, its permissions boundary and the
conditions on them. What is refused becomes the resource's status reason, in CloudFormation's words. Before that its
properties are checked against CloudFormation's schema of the type.
"""

from __future__ import annotations

import functools
from typing import Any

from local.cloud import contract, resource_schemas
from local.cloud.contract import Seam
from local.cloud.needs import Resource, Step
from local.cloud.principals import decide
from local.cloud.stack_permissions import needs
from local.cloud.stack_requests import acting_role

SEAMS = (
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam(
        "ministack.services.cloudformation.provisioners",
        "_provision_resource",
        ("resource_type", "logical_id", "props", "stack_name"),
    ),
    Seam(
        "ministack.services.cloudformation.provisioners",
        "_update_resource",
        ("resource_type", "physical_id", "old_props", "new_props", "stack_name", "logical_id"),
    ),
    Seam(
        "ministack.services.cloudformation.provisioners",
        "_delete_resource",
        ("resource_type", "physical_id", "props", "stack_name", "logical_id"),
    ),
    Seam("ministack.services.cloudformation.stacks", "_provision_resource"),
    Seam("ministack.services.cloudformation.stacks", "_update_resource"),
    Seam("ministack.services.cloudformation.stacks", "_delete_resource"),
)

_STACKS = "ministack.services.cloudformation.stacks"


class Refused(Exception):
    """The role of the operation may not do this; the message is the resource's status reason."""


def install() -> None:
    """Ask IAM before each step of a stack operation."""
    from ministack.services.cloudformation import provisioners

    provision = provisioners._provision_resource
    update = provisioners._update_resource
    delete = provisioners._delete_resource

    @functools.wraps(provision)
    def provisioned(resource_type: str, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        props = resource_schemas.checked(resource_type, logical_id, props)
        _ask("create", resource_type, logical_id, "", props, stack_name)
        return provision(resource_type, logical_id, props, stack_name)

    @functools.wraps(update)
    def updated(
        resource_type: str,
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
        old_attrs: Any = None,
    ) -> Any:
        if old_props != new_props:
            new_props = resource_schemas.checked(resource_type, logical_id or "", new_props)
            old_props = resource_schemas.checked(resource_type, logical_id or "", old_props)
            replaces = provisioners._replacing_change(resource_type, old_props, new_props)
            step: Step = "create" if replaces else "update"
            _ask(step, resource_type, logical_id or "", "" if replaces else physical_id, new_props, stack_name)
        return update(resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs)

    @functools.wraps(delete)
    def deleted(
        resource_type: str,
        physical_id: str,
        props: dict[str, Any],
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> Any:
        _ask("delete", resource_type, logical_id or "", physical_id, props, stack_name or "")
        return delete(resource_type, physical_id, props, stack_name, logical_id)

    contract.replace(provision, provisioned, _STACKS)
    contract.replace(update, updated, _STACKS)
    contract.replace(delete, deleted, _STACKS)


def _ask(
    step: Step, resource_type: str, logical_id: str, physical_id: str, properties: dict[str, Any], stack: str
) -> None:
    from ministack.core import responses

    role = acting_role.get()
    if not role:
        return
    resource = Resource(
        resource_type,
        logical_id,
        physical_id,
        properties,
        responses.get_account_id(),
        responses.get_region(),
        stack,
    )
    for need in needs(resource, step):
        verdict = decide(role, need.action, need.resource, dict(need.context), session="AWSCloudFormation")
        if not verdict.allowed:
            raise Refused(
                f'Resource handler returned message: "{verdict.message} (Service: {need.action.partition(":")[0]}, '
                'Status Code: 403)" (HandlerErrorCode: AccessDenied)'
            )
