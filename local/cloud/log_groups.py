"""CloudFormation: a log group without a name of its own gets ``<stack>-<logical id>-<suffix>``, as on AWS.

The emulator calls it ``/aws/cloudformation/…``, so that a policy for the log groups of some stacks would never match.
"""

from __future__ import annotations

import functools
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_physical_name", ("stack_name", "logical_id")),
    Seam("ministack.services.cloudformation.provisioners", "_cwlogs_create", ("logical_id", "props", "stack_name")),
    Seam(
        "ministack.services.cloudformation.provisioners",
        "_cwlogs_update",
        ("physical_id", "old_props", "new_props", "stack_name", "logical_id"),
    ),
)

TYPE = "AWS::Logs::LogGroup"


def install() -> None:
    """Give each log group its name before the emulator would."""
    from ministack.services.cloudformation import provisioners

    create, update = provisioners._cwlogs_create, provisioners._cwlogs_update

    @functools.wraps(create)
    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        name = props.get("LogGroupName") or provisioners._physical_name(stack_name, logical_id)
        return create(logical_id, {**props, "LogGroupName": name}, stack_name)

    @functools.wraps(update)
    def updated(
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> Any:
        kept = {"LogGroupName": physical_id}
        return update(physical_id, {**kept, **old_props}, {**kept, **new_props}, stack_name, logical_id)

    provisioners._RESOURCE_HANDLERS[TYPE] |= {"create": created, "update": updated}
