"""What a stack's events say about its latest operation: whose it was, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

_CONSEQUENCES = ("cancelled", "canceled")
"""CloudFormation's words for resources that failed only because another one had failed first."""


@dataclass(frozen=True)
class Operation:
    """The latest operation on a stack."""

    request_token: str
    reason: str
    """The first failed resource with CloudFormation's reason; empty when nothing failed."""


def latest_operation(client: CloudFormationClient, stack_id: str) -> Operation:
    """Read the events, newest first, back to where the latest operation began."""
    token: str | None = None
    failed: list[dict[str, Any]] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            its_token = event.get("ClientRequestToken", "")
            if token is None:
                token = its_token
            if its_token != token:
                return Operation(token, _reason(failed, stack_id))
            if event.get("ResourceStatus", "").endswith("_FAILED"):
                failed.append(dict(event))
    return Operation(token or "", _reason(failed, stack_id))


def _reason(failed: list[dict[str, Any]], stack_id: str) -> str:
    """The oldest failure that is not the consequence of another."""
    causes = [
        event
        for event in reversed(failed)
        if event.get("PhysicalResourceId") != stack_id
        and not any(word in event.get("ResourceStatusReason", "").lower() for word in _CONSEQUENCES)
    ]
    if not causes:
        return ""
    first = causes[0]
    why = first.get("ResourceStatusReason", "CloudFormation gave no reason")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {why}"
