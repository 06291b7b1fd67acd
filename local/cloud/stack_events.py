"""CloudFormation's "CloudFormation Stack Status Change" events, which the emulator does not send.

One event on the default bus of the stack's account for each status of a stack, in the shape that the CloudFormation
User Guide documents, with the client request token of the operation.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
from typing import Any

from local.cloud import contract
from local.cloud.contract import Seam
from local.cloud.faults import FAULTS

SEAMS = (
    Seam(
        "ministack.services.cloudformation.stacks",
        "_add_event",
        ("stack_id", "stack_name", "logical_id", "resource_type", "status", "reason", "physical_id"),
    ),
    Seam("ministack.services.cloudformation.stacks", "CLIENT_REQUEST_TOKEN"),
    Seam("ministack.services.cloudformation.changesets", "_add_event"),
    Seam("ministack.services.cloudformation.handlers", "_add_event"),
    Seam("ministack.services.eventbridge", "_put_events", ("data", "allow_aws_source")),
)

DETAIL_TYPE = "CloudFormation Stack Status Change"


def install() -> None:
    """Send an event where the emulator records the status of a stack."""
    from ministack.services.cloudformation import stacks

    add = stacks._add_event

    @functools.wraps(add)
    def added(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        add(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status)
        if physical_id == stack_id and FAULTS.status_events:
            token = stacks.CLIENT_REQUEST_TOKEN.get()
            _soon(functools.partial(_send, stack_id, status, reason, token))

    contract.replace(
        add,
        added,
        "ministack.services.cloudformation.stacks",
        "ministack.services.cloudformation.changesets",
        "ministack.services.cloudformation.handlers",
    )


def _soon(send: Any) -> None:
    """Send after the present step: some steps record the event first and set the stack's status second."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        send()
        return
    loop.call_soon(send, context=contextvars.copy_context())


def _send(stack_id: str, status: str, reason: str, token: str) -> None:
    from ministack.services import eventbridge

    detail: dict[str, Any] = {"stack-id": stack_id, "status-details": {"status": status, "status-reason": reason}}
    if token:
        detail["client-request-token"] = token
    entry = {
        "Source": "aws.cloudformation",
        "DetailType": DETAIL_TYPE,
        "Detail": json.dumps(detail),
        "Resources": [stack_id],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
