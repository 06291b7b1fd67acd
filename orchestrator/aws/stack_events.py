"""What a stack's events say about its latest operation: whose it was, how it stands, and why it failed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

_CONSEQUENCE = re.compile(r"resource \w+ cancell?ed", re.IGNORECASE)
"""CloudFormation's words for a resource that failed only because another one had failed first."""


@dataclass(frozen=True)
class Operation:
    """The latest operation on a stack."""

    request_token: str
    """Empty for an operation without one, such as the making of a new stack's first change set."""
    status: str
    """The stack's status by its newest event; empty where no event speaks of the stack itself."""
    reason: str
    """The first failed resource with CloudFormation's reason; empty when nothing failed."""


def latest_operation(client: CloudFormationClient, stack: str) -> Operation:
    """Read the events, newest first, back to where the latest operation began.

    Every event of one operation carries its client request token (CloudFormation API Reference, StackEvent).
    """
    token: str | None = None
    status = ""
    failed: list[dict[str, Any]] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:
            its_token = event.get("ClientRequestToken", "")
            if token is None:
                token = its_token
            if its_token != token:
                return Operation(token, status, _reason(failed))
            if not status and _is_of_stack_itself(event):
                status = event.get("ResourceStatus", "")
            if event.get("ResourceStatus", "").endswith("_FAILED"):
                failed.append(dict(event))
    return Operation(token or "", status, _reason(failed))


def _is_of_stack_itself(event: Any) -> bool:
    return bool(event.get("PhysicalResourceId") == event["StackId"])


def _reason(failed: list[dict[str, Any]]) -> str:
    """The oldest failure that is not the consequence of another."""
    causes = [
        event
        for event in reversed(failed)
        if not _is_of_stack_itself(event) and not _CONSEQUENCE.search(event.get("ResourceStatusReason", ""))
    ]
    if not causes:
        return ""
    first = causes[0]
    why = first.get("ResourceStatusReason", "CloudFormation gave no reason")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {why}"
