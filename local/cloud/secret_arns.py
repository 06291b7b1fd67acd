"""``Ref`` of a secret in a template is its ARN, as on AWS; the emulator answers its name, which no policy matches."""

from __future__ import annotations

import functools
from typing import Any

from local.cloud.contract import Seam

_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_TYPE = "AWS::SecretsManager::Secret"

SEAMS = (
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS"),
    Seam(_PROVISIONERS, "_sm_secret_create", ("logical_id", "props", "stack_name")),
    Seam(_PROVISIONERS, "_sm_secret_update", ("physical_id", "old_props", "new_props", "stack_name", "logical_id")),
    Seam(_PROVISIONERS, "_sm_secret_delete", ("physical_id", "props")),
    Seam("ministack.services.secretsmanager", "_secrets"),
)


def install() -> None:
    """Make the ARN the physical id; the emulator's own handlers go on working with the name."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    @functools.wraps(create)
    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        _, attributes = create(logical_id, props, stack_name)
        return attributes["Arn"], attributes

    @functools.wraps(update)
    def updated(
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> tuple[str, dict[str, Any]]:
        _, attributes = update(_name(physical_id), old_props, new_props, stack_name, logical_id)
        return attributes["Arn"], attributes

    @functools.wraps(delete)
    def deleted(physical_id: str, props: dict[str, Any]) -> None:
        delete(_name(physical_id), props)

    provisioners._RESOURCE_HANDLERS[_TYPE] = {**handlers, "create": created, "update": updated, "delete": deleted}


def _name(arn: str) -> str:
    from ministack.services import secretsmanager

    return next((name for name, secret in secretsmanager._secrets.items() if secret.get("ARN") == arn), arn)
