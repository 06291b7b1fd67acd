"""What CloudFormation says of a stack, and what its errors mean.

It reports a missing stack, a busy stack and a bad template all as ``ValidationError``; ``is_absent`` and ``is_busy``
are the only places that look at its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.aws.translated import code_of, message_of

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

_GONE = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_FAILED"})
"""Statuses of a resource that a rolled-back stack no longer has, or never had."""


def stack_of(client: CloudFormationClient, name: str) -> dict[str, Any] | None:
    """The stack by name or ARN, or None; by ARN also a deleted one."""
    try:
        return dict(client.describe_stacks(StackName=name)["Stacks"][0])
    except client.exceptions.ClientError as error:
        if is_absent(error):
            return None
        raise


def resources_of(client: CloudFormationClient, stack: str) -> list[dict[str, Any]]:
    """The resources that the stack has, in CloudFormation's own order."""
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [dict(one) for page in pages for one in page["StackResourceSummaries"]]
    return [one for one in found if one["ResourceStatus"] not in _GONE]


def in_progress(status: str) -> bool:
    """Whether an operation is going on; a stack in REVIEW_IN_PROGRESS has none, it waits for its first."""
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def is_absent(error: Any) -> bool:
    """Whether the error says that there is no such stack."""
    return code_of(error) == "ValidationError" and "does not exist" in message_of(error)


def is_busy(error: Any) -> bool:
    """Whether the error says that an operation goes on."""
    if code_of(error) == "OperationInProgressException":
        return True
    return code_of(error) == "ValidationError" and "_IN_PROGRESS" in message_of(error)
