"""The removal of a stack, planned and executed like a change set.

CloudFormation makes no change set of a deletion, so its place is taken by the list of what the stack has: it is shown
to people, and the plan's digest is over the stack's ARN, its last change and every resource with its physical id. A
stack that has moved since is another plan. What a template keeps back (``DeletionPolicy: Retain``) is listed with the
rest; CloudFormation tells of it only as it deletes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.aws.change_sets import last_change
from orchestrator.aws.stack_reading import in_progress, is_busy, resources_of, stack_of
from orchestrator.core.errors import PlanFailed, StackBusy
from orchestrator.core.plans import Plan, ResourceChange

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

_NO_STACK = "DELETE_COMPLETE"


def plan_removal(client: CloudFormationClient, stack_name: str, content_digest: str) -> Plan:
    """Describe what deleting the stack would remove; an empty plan where there is no stack.

    The shell of a first plan that was never executed has nothing to show, and goes at once.
    """
    stack = stack_of(client, stack_name)
    if stack is not None and in_progress(stack["StackStatus"]):
        raise StackBusy(f"{stack_name} is in {stack['StackStatus']}")
    resources = resources_of(client, stack["StackId"]) if stack else []
    if stack is not None and stack["StackStatus"] == "REVIEW_IN_PROGRESS" and not resources:
        client.delete_stack(StackName=stack["StackId"])
        stack = None
    if stack is None:
        absent = hashlib.sha256(f"{stack_name}|absent|{content_digest}".encode()).hexdigest()
        return Plan("", "", stack_name, absent, False, True, (), (), removes=True)
    if stack.get("EnableTerminationProtection"):
        raise PlanFailed(f"termination protection of {stack_name} is on; whoever turned it on has to turn it off first")
    return Plan(
        change_set_arn="",
        stack_id=stack["StackId"],
        stack_name=stack_name,
        digest=_digest(stack, resources, content_digest),
        creates_stack=False,
        empty=False,
        resources=tuple(
            ResourceChange("remove", one["LogicalResourceId"], one["ResourceType"])
            for one in sorted(resources, key=lambda one: str(one["LogicalResourceId"]))
        ),
        parameters=(),
        base=last_change(stack),
        removes=True,
    )


def still_valid(client: CloudFormationClient, plan: Plan, content_digest: str) -> bool:
    """Whether deleting the stack would still remove what was shown; raises ``StackBusy`` while an operation goes on."""
    stack = stack_of(client, plan.stack_id)
    if stack is None or stack["StackStatus"] == _NO_STACK:
        return False
    if in_progress(stack["StackStatus"]):
        raise StackBusy(f"{plan.stack_name} has an operation in progress")
    return _digest(stack, resources_of(client, plan.stack_id), content_digest) == plan.digest


def execute(client: CloudFormationClient, plan: Plan, request_token: str, service_role_arn: str) -> None:
    """Delete the stack. The role is named each time: a stack that somebody has updated by hand may have no role, and
    would be deleted with the rights of the caller."""
    try:
        client.delete_stack(StackName=plan.stack_id, ClientRequestToken=request_token, RoleARN=service_role_arn)
    except client.exceptions.ClientError as error:
        if is_busy(error):
            raise StackBusy(f"{plan.stack_name} has another operation in progress") from error
        raise


def _digest(stack: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], content_digest: str) -> str:
    held = sorted(
        (str(one["LogicalResourceId"]), str(one["ResourceType"]), str(one.get("PhysicalResourceId", "")))
        for one in resources
    )
    bound = {"removes": stack["StackId"], "base": last_change(stack), "resources": held, "content": content_digest}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()
