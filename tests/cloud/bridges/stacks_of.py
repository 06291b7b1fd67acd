"""Stacks of one test: made of a few resources, by a role or by the account's root, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, failed_events, settled, unique


def template(resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None, **parameters: str) -> str:
    """A template; ``parameters`` are names and types."""
    document = {
        "Resources": resources,
        "Outputs": {name: {"Value": value} for name, value in (outputs or {}).items()},
        "Parameters": {name: {"Type": kind} for name, kind in parameters.items()},
    }
    return json.dumps({key: value for key, value in document.items() if value})


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """One resource."""
    return {"Type": kind, "Properties": properties}


def make(
    cloud: EmbeddedCloud,
    resources: Mapping[str, Any],
    outputs: Mapping[str, Any] | None = None,
    *,
    stack: str = "",
    account: str = DEV,
    role: str = "",
    update: bool = False,
) -> dict[str, Any]:
    """Create or update a stack and wait; its description."""
    client = cloud.client("cloudformation", account)
    run = client.update_stack if update else client.create_stack
    name = stack or unique("stack")
    more: dict[str, Any] = {"RoleARN": role} if role else {}
    run(StackName=name, TemplateBody=template(resources, outputs), **more)
    return settled(cloud, account, name)


def outputs_of(stack: dict[str, Any]) -> dict[str, str]:
    """A stack's outputs by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def reasons(cloud: EmbeddedCloud, stack: dict[str, Any], account: str = DEV) -> str:
    """Why resources failed, one a line."""
    return "\n".join(event["ResourceStatusReason"] for event in failed_events(cloud, account, stack["StackId"]))
