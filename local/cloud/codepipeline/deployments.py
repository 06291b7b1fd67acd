"""CloudFormation actions: change sets made and executed, stacks created, updated and deleted, in any account.

"AWS CloudFormation deploy action reference" of the AWS CodePipeline User Guide. A change set without changes is one
that CloudFormation fails; the action that makes it succeeds, and so does the one that executes it, without executing
anything. The guide does not say so; pipelines whose every stage makes and executes change sets, most of them without
changes, rest on it. A stack in ``ROLLBACK_COMPLETE`` takes no change set of an update, and CREATE_UPDATE never replaces
a stack.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local.cloud.codepipeline import stack_templates
from local.cloud.codepipeline.artifacts import zipped
from local.cloud.codepipeline.executions import CHANGED
from local.cloud.codepipeline.task import JOB, ActionFailed, Result, Task
from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.cloudformation", "_stack_events.get_scoped"),
)

LOOK_SECONDS = 0.1

CHANGE_SET_REPLACE, CHANGE_SET_EXECUTE = "CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE"
CREATE_UPDATE, REPLACE_ON_FAILURE, DELETE_ONLY = "CREATE_UPDATE", "REPLACE_ON_FAILURE", "DELETE_ONLY"

NEEDED = {
    CHANGE_SET_REPLACE: ("StackName", "ChangeSetName", "TemplatePath", "RoleArn"),
    CHANGE_SET_EXECUTE: ("StackName", "ChangeSetName"),
    CREATE_UPDATE: ("StackName", "TemplatePath", "RoleArn"),
    REPLACE_ON_FAILURE: ("StackName", "TemplatePath", "RoleArn"),
    DELETE_ONLY: ("StackName", "RoleArn"),
}
"""ActionMode → the configuration that it needs."""

_EMPTY = ("didn't contain changes", "No updates are to be performed")
_FAILED_STACKS = {
    *("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"),
}
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_UPDATABLE = {*_GOOD, "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
_CONSOLE = "https://console.aws.amazon.com/cloudformation/home?region={region}#/stacks"


def cloudformation(task: Task) -> Result:
    """Do what the action mode says."""
    return _MODES[task.configuration["ActionMode"]](task)


def _replace_change_set(task: Task) -> Result:
    client, given = task.client("cloudformation"), stack_templates.given(task)
    stack, name = task.configuration["StackName"], task.configuration["ChangeSetName"]
    known = _stack(client, stack)
    if known is None or known["StackStatus"] == "REVIEW_IN_PROGRESS":
        kind = "CREATE"
    elif known["StackStatus"] in _UPDATABLE:
        kind = "UPDATE"
    else:
        raise ActionFailed(JOB, f"Stack:{known['StackId']} is in {known['StackStatus']} state and can not be updated.")
    if known is not None and _change_set(client, stack, name) is not None:
        client.delete_change_set(StackName=stack, ChangeSetName=name)
    made = client.create_change_set(
        StackName=stack, ChangeSetName=name, ChangeSetType=kind, **given.request, **_role_and_capabilities(task)
    )
    _tell(task, made["Id"], f"{_CONSOLE.format(region=task.region)}/changesets/changes?changeSetId={made['Id']}")
    found = client.describe_change_set(ChangeSetName=made["Id"])
    while found["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
        task.pause(LOOK_SECONDS)
        found = client.describe_change_set(ChangeSetName=made["Id"])
    if found["Status"] == "FAILED" and not _without_changes(found):
        raise ActionFailed(JOB, f"Change set {name} could not be created: {found.get('StatusReason', '')}")
    summary = "Change set {} was created.{}".format(name, " It has no changes." if _without_changes(found) else "")
    return _done(task, summary, _stack(client, stack))


def _execute_change_set(task: Task) -> Result:
    client = task.client("cloudformation")
    stack, name = task.configuration["StackName"], task.configuration["ChangeSetName"]
    found = _change_set(client, stack, name)
    if found is None:
        raise ActionFailed(JOB, f"ChangeSet [{name}] does not exist (Error Code: ChangeSetNotFound)")
    _tell_stack(task, found["StackId"])
    if _without_changes(found):
        return _done(task, f"Change set {name} has no changes and was not executed.", _stack(client, found["StackId"]))
    before = len(_events(found["StackId"]))
    client.execute_change_set(ChangeSetName=found["ChangeSetId"], StackName=stack)
    return _settled(task, client, found["StackId"], before, f"Change set {name} was executed.")


def _create_or_update(task: Task) -> Result:
    client, given = task.client("cloudformation"), stack_templates.given(task)
    stack = task.configuration["StackName"]
    known = _stack(client, stack)
    request = {**given.request, **_role_and_capabilities(task)}
    if given.stack_policy:
        request["StackPolicyBody"] = given.stack_policy
    if known is None:
        made = client.create_stack(StackName=stack, **request)
        _tell_stack(task, made["StackId"])
        return _settled(task, client, made["StackId"], 0, f"Stack {stack} was created.")
    _tell_stack(task, known["StackId"])
    before = len(_events(known["StackId"]))
    try:
        client.update_stack(StackName=stack, **request)
    except ClientError as error:
        if _EMPTY[1] not in error.response["Error"]["Message"]:
            raise
        return _done(task, f"Stack {stack} is up to date.", known)
    return _settled(task, client, known["StackId"], before, f"Stack {stack} was updated.")


def _replace_on_failure(task: Task) -> Result:
    known = _stack(task.client("cloudformation"), task.configuration["StackName"])
    if known is not None and known["StackStatus"] in _FAILED_STACKS:
        _delete(task)
    return _create_or_update(task)


def _delete(task: Task) -> Result:
    client, stack = task.client("cloudformation"), task.configuration["StackName"]
    known = _stack(client, stack)
    if known is None:
        return Result(summary=f"Stack {stack} does not exist.")
    _tell_stack(task, known["StackId"])
    before = len(_events(known["StackId"]))
    client.delete_stack(StackName=stack, RoleARN=task.configuration["RoleArn"])
    while (found := _stack(client, known["StackId"])) is not None:
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            raise _stack_failed(found, before)
        task.pause(LOOK_SECONDS)
    return Result(summary=f"Stack {stack} was deleted.", external_id=known["StackId"])


_MODES = {
    CHANGE_SET_REPLACE: _replace_change_set,
    CHANGE_SET_EXECUTE: _execute_change_set,
    CREATE_UPDATE: _create_or_update,
    REPLACE_ON_FAILURE: _replace_on_failure,
    DELETE_ONLY: _delete,
}


def _role_and_capabilities(task: Task) -> dict[str, Any]:
    named = [name.strip() for name in task.configuration.get("Capabilities", "").split(",") if name.strip()]
    return {"RoleARN": task.configuration["RoleArn"], **({"Capabilities": named} if named else {})}


def _stack(client: Any, name: str) -> dict[str, Any] | None:
    """A stack that is there, by its name or id."""
    try:
        found: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def _change_set(client: Any, stack: str, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.describe_change_set(StackName=stack, ChangeSetName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ChangeSetNotFound", "ChangeSetNotFoundException"}:
            return None
        raise
    return found


def _without_changes(change_set: dict[str, Any]) -> bool:
    reason = str(change_set.get("StatusReason", ""))
    return change_set["Status"] == "FAILED" and any(words in reason for words in _EMPTY)


def _settled(task: Task, client: Any, stack_id: str, before: int, summary: str) -> Result:
    """Wait for the end of the stack's operation."""
    found = _stack(client, stack_id)
    while found is not None and found["StackStatus"].endswith("_IN_PROGRESS"):
        task.pause(LOOK_SECONDS)
        found = _stack(client, stack_id)
    if found is None:
        raise ActionFailed(JOB, f"Stack {stack_id} was deleted meanwhile")
    if found["StackStatus"] not in _GOOD:
        raise _stack_failed(found, before)
    return _done(task, summary, found)


def _done(task: Task, summary: str, stack: dict[str, Any] | None) -> Result:
    outputs = {one["OutputKey"]: one["OutputValue"] for one in (stack or {}).get("Outputs") or []}
    file = task.configuration.get("OutputFileName")
    return Result(
        summary=summary,
        external_id=task.run.external_id,
        external_url=task.run.external_url,
        variables=outputs,
        output=zipped({file: json.dumps(outputs).encode()}) if file else None,
    )


def _tell_stack(task: Task, stack_id: str) -> None:
    _tell(task, stack_id, f"{_CONSOLE.format(region=task.region)}/stackinfo?stackId={stack_id}")


def _tell(task: Task, external_id: str, url: str) -> None:
    """What GetPipelineState shows while the action runs."""
    with CHANGED:
        task.run.external_id, task.run.external_url = external_id, url


def _events(stack_id: str) -> list[dict[str, Any]]:
    """The stack's events, oldest first."""
    from ministack.services import cloudformation as service

    region, account = stack_id.split(":")[3:5]
    return list(service._stack_events.get_scoped(account, region, stack_id) or [])


def _stack_failed(stack: dict[str, Any], before: int) -> ActionFailed:
    """With the reason of the first resource that failed among the events after ``before``, as the stack tells it."""
    reasons = [
        f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for event in _events(stack["StackId"])[before:]
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceStatusReason"]
    ]
    reason = reasons[0] if reasons else str(stack.get("StackStatusReason", ""))
    return ActionFailed(JOB, f"Stack {stack['StackName']} is in {stack['StackStatus']} state. {reason}".strip())
