"""EventBridge Scheduler's schedules of stacks with every property; the emulator's handler leaves out half of them."""

from __future__ import annotations

import json
from typing import Any

from local.cloud import resource_schemas, shapes
from local.cloud.contract import Seam
from local.cloud.principals import trusts

SEAMS = (
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.cloudformation.provisioners", "_physical_name", ("stack_name", "logical_id")),
    Seam("ministack.services.scheduler", "_create_schedule", ("name", "body")),
    Seam("ministack.services.scheduler", "_schedules.pop"),
    Seam("ministack.services.scheduler", "_update_schedule", ("name", "body")),
)

TYPE = "AWS::Scheduler::Schedule"
SERVICE = "scheduler.amazonaws.com"
MAX_NAME = 64


class ScheduleFailed(Exception):
    """A schedule of a stack could not be made; the message is the resource's reason."""


def install() -> None:
    """Register the handlers."""
    from ministack.services.cloudformation import provisioners

    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "Name"}


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.services import scheduler
    from ministack.services.cloudformation import provisioners

    name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=MAX_NAME)
    return _put(scheduler._create_schedule, "CreateSchedule", name, properties)


def _update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.services import scheduler

    return _put(scheduler._update_schedule, "UpdateSchedule", physical_id, new)


def _put(run: Any, action: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    fields = {**properties, "Name": name}
    problem = shapes.problem("scheduler", action, fields)
    role = properties["Target"]["RoleArn"]
    if not problem and not trusts(role, SERVICE):
        problem = f"The execution role you provide must allow AWS EventBridge Scheduler to assume the role {role}."
    status, _, body = (400, {}, json.dumps({"Message": problem})) if problem else run(name, fields)
    answer = json.loads(body)
    if status >= 400:
        message = answer.get("Message") or answer.get("message")
        raise ScheduleFailed(
            f'Resource handler returned message: "{message} (Service: Scheduler, Status Code: {status})" '
            "(HandlerErrorCode: InvalidRequest)"
        )
    return name, {"Arn": answer["ScheduleArn"]}


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    from ministack.services import scheduler

    scheduler._schedules.pop(f"{properties.get('GroupName') or 'default'}/{physical_id}", None)
