"""CloudFormation in one stage's account as ``ports.Stacks``: change sets made, described, executed, discarded.

CloudFormation reports a missing stack, a busy stack and a bad template all as ``ValidationError``; ``_is_absent`` and
``_is_busy`` are the only places that look at its words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.aws.stack_events import latest_operation
from orchestrator.aws.translated import code_of, message_of, translated
from orchestrator.core.errors import ChangeSetPending, PlanFailed, StackBusy
from orchestrator.core.ports import PlanRequest, StackState
from orchestrator.core.records import ParameterChange, Plan, ResourceChange

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

WAIT_SECONDS = 300
"""How long a plan step waits inside the function for a change set to be made; it has no event."""

POLL_SECONDS = 2

_EMPTY = ("didn't contain changes", "No updates are to be performed")
"""The two wordings of CloudFormation for a change set without changes."""

_NOT_FOUND = frozenset({"ChangeSetNotFound", "ChangeSetNotFoundException"})
_NOT_EXECUTABLE = frozenset({*_NOT_FOUND, "InvalidChangeSetStatus", "InvalidChangeSetStatusException"})

_DELETE_FIRST = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED"})
"""A failed first creation: CloudFormation allows nothing but deletion."""

_NEEDS_OPERATOR = frozenset({"ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"})

_ACTIONS = {"Add": "add", "Remove": "remove", "Import": "add", "Dynamic": "modify"}

Client = Callable[[], "CloudFormationClient"]


class CloudFormationStacks:
    """See the module. ``deploy`` and ``observe`` make clients of the stage's two roles when they are first needed."""

    def __init__(self, deploy: Client, observe: Client, service_role_arn: str) -> None:
        self._make_deploy = deploy
        self._make_observe = observe
        self._service_role_arn = service_role_arn

    @cached_property
    def _deploy(self) -> CloudFormationClient:
        return self._make_deploy()

    @cached_property
    def _observe(self) -> CloudFormationClient:
        return self._make_observe()

    def plan(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._role("mlops-deploy")):
            found = self._change_set(request.change_set_name, request.stack_name)
            if found is None:
                self._create(request)
            description = self._made(request)
            stack = _stack(self._deploy, request.stack_name) or {}
            if _is_empty(description):
                self._deploy.delete_change_set(ChangeSetName=description["ChangeSetId"])
                return _empty_plan(request, description, stack)
            if description["Status"] == "FAILED":
                raise PlanFailed(description.get("StatusReason", "CloudFormation gave no reason"))
            return self._described(request, description, stack)

    def still_valid(self, plan: Plan, content_digest: str) -> bool:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._role("mlops-deploy")):
            found = self._change_set(plan.change_set_arn, plan.stack_id)
            if found is None or found["Status"] != "CREATE_COMPLETE" or found["ExecutionStatus"] != "AVAILABLE":
                return False
            stack = _stack(self._deploy, plan.stack_id)
            if stack is None or _last_change(stack) != plan.base:
                return False
            return self._digest(found, content_digest) == plan.digest

    def execute(self, plan: Plan, request_token: str) -> bool:
        """See ``ports.Stacks``."""
        client = self._deploy
        try:
            with translated("cloudformation", self._role("mlops-deploy")):
                client.execute_change_set(ChangeSetName=plan.change_set_arn, ClientRequestToken=request_token)
        except client.exceptions.ClientError as error:
            if code_of(error) in _NOT_EXECUTABLE:
                return self.state(plan.stack_id).last_request_token == request_token
            if _is_busy(error):
                raise StackBusy(f"{plan.stack_name} has another operation in progress") from error
            raise
        return True

    def state(self, stack: str) -> StackState:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._role("mlops-observe")):
            found = _stack(self._observe, stack)
            if found is None:
                return StackState(stack, "ABSENT")
            operation = latest_operation(self._observe, found["StackId"])
        outputs = tuple(sorted((out["OutputKey"], out["OutputValue"]) for out in found.get("Outputs", [])))
        reason = operation.reason or found.get("StackStatusReason", "")
        return StackState(found["StackId"], found["StackStatus"], operation.request_token, reason, outputs)

    def discard(self, plan: Plan) -> None:
        """See ``ports.Stacks``."""
        client = self._deploy
        with translated("cloudformation", self._role("mlops-deploy")):
            try:
                client.delete_change_set(ChangeSetName=plan.change_set_arn)
            except client.exceptions.ClientError as error:
                if code_of(error) not in _NOT_EXECUTABLE and not _is_absent(error):
                    raise
            stack = _stack(client, plan.stack_id)
            if stack is None or stack["StackStatus"] != "REVIEW_IN_PROGRESS":
                return
            others = client.list_change_sets(StackName=plan.stack_id)["Summaries"]
            resources = client.list_stack_resources(StackName=plan.stack_id)["StackResourceSummaries"]
            if not resources and not [other for other in others if other["ChangeSetId"] != plan.change_set_arn]:
                client.delete_stack(StackName=plan.stack_id)

    def _create(self, request: PlanRequest) -> None:
        client = self._deploy
        kind = self._kind(request.stack_name)
        try:
            client.create_change_set(
                StackName=request.stack_name,
                ChangeSetName=request.change_set_name,
                ChangeSetType=kind,
                TemplateURL=request.template_url,
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in sorted(request.parameters.items())
                ],
                Capabilities=list(request.capabilities),  # type: ignore[arg-type]
                Tags=[{"Key": name, "Value": value} for name, value in sorted(request.tags.items())],
                RoleARN=self._service_role_arn,
            )
        except client.exceptions.AlreadyExistsException:
            return
        except client.exceptions.ClientError as error:
            if _is_busy(error):
                raise StackBusy(f"{request.stack_name} has another operation in progress") from error
            if code_of(error) in {"ValidationError", "InsufficientCapabilitiesException", "InsufficientCapabilities"}:
                raise PlanFailed(message_of(error)) from error
            raise

    def _kind(self, name: str) -> Any:
        """CREATE or UPDATE; what a failed first creation left is deleted first."""
        stack = _stack(self._deploy, name)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if stack and status in _DELETE_FIRST:
            self._deploy.delete_stack(StackName=stack["StackId"])
            self._deploy.get_waiter("stack_delete_complete").wait(
                StackName=stack["StackId"],
                WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": WAIT_SECONDS // POLL_SECONDS},
            )
            return "CREATE"
        if status in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}:
            return "CREATE"
        if status.endswith("_IN_PROGRESS"):
            raise StackBusy(f"{name} is in {status}")
        if status in _NEEDS_OPERATOR:
            raise PlanFailed(f"{name} is in {status}; an operator has to mend it (docs/operations.md says how)")
        return "UPDATE"

    def _made(self, request: PlanRequest) -> Mapping[str, Any]:
        """The change set once CloudFormation has made it, or failed to."""
        from botocore.exceptions import WaiterError

        client = self._deploy
        with suppress(WaiterError):  # one without changes ends FAILED; its description tells
            client.get_waiter("change_set_create_complete").wait(
                StackName=request.stack_name,
                ChangeSetName=request.change_set_name,
                WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": WAIT_SECONDS // POLL_SECONDS},
            )
        found = self._change_set(request.change_set_name, request.stack_name)
        if found is None or (found["Status"].startswith("CREATE_") and found["Status"] != "CREATE_COMPLETE"):
            raise ChangeSetPending(f"CloudFormation is still making {request.change_set_name}")
        return found

    def _change_set(self, name: str, stack: str) -> dict[str, Any] | None:
        """The change set with all pages of its changes; None when there is none."""
        client = self._deploy
        arguments: dict[str, Any] = {"ChangeSetName": name}
        if not name.startswith("arn:"):
            arguments["StackName"] = stack
        try:
            first: dict[str, Any] = dict(client.describe_change_set(**arguments))
            token = first.get("NextToken")
            while token:
                page = client.describe_change_set(**arguments, NextToken=token)
                first["Changes"] = [*first["Changes"], *page["Changes"]]
                token = page.get("NextToken")
        except client.exceptions.ClientError as error:
            if code_of(error) in _NOT_FOUND or _is_absent(error):
                return None
            raise
        return first

    def _described(self, request: PlanRequest, description: Mapping[str, Any], stack: Mapping[str, Any]) -> Plan:
        creates = stack.get("StackStatus") == "REVIEW_IN_PROGRESS"
        before = {} if creates else _parameters(stack)
        return Plan(
            change_set_arn=description["ChangeSetId"],
            stack_id=description["StackId"],
            stack_name=request.stack_name,
            digest=self._digest(description, request.content_digest),
            creates_stack=creates,
            empty=False,
            resources=tuple(_resource(change["ResourceChange"]) for change in description.get("Changes", [])),
            parameters=_changes(before, _parameters(description)),
            base=_last_change(stack),
        )

    def _digest(self, description: Mapping[str, Any], content_digest: str) -> str:
        """What an approval is bound to; recomputed from CloudFormation's own answers before the change set runs."""
        body = self._deploy.get_template(ChangeSetName=description["ChangeSetId"], TemplateStage="Original")[
            "TemplateBody"
        ]
        text = body if isinstance(body, str) else json.dumps(body, sort_keys=True)
        bound = {
            "change_set": description["ChangeSetId"],
            "template": hashlib.sha256(text.encode()).hexdigest(),
            "parameters": _parameters(description),
            "content": content_digest,
        }
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    def _role(self, name: str) -> str:
        return self._service_role_arn.rsplit("/", 1)[0] + f"/{name}"


def _stack(client: CloudFormationClient, name: str) -> dict[str, Any] | None:
    try:
        return dict(client.describe_stacks(StackName=name)["Stacks"][0])
    except client.exceptions.ClientError as error:
        if _is_absent(error):
            return None
        raise


def _is_absent(error: Any) -> bool:
    return code_of(error) == "ValidationError" and "does not exist" in message_of(error)


def _is_busy(error: Any) -> bool:
    if code_of(error) == "OperationInProgressException":
        return True
    return code_of(error) == "ValidationError" and "_IN_PROGRESS" in message_of(error)


def _is_empty(description: Mapping[str, Any]) -> bool:
    reason = description.get("StatusReason", "")
    return description["Status"] == "FAILED" and any(words in reason for words in _EMPTY)


def _empty_plan(request: PlanRequest, description: Mapping[str, Any], stack: Mapping[str, Any]) -> Plan:
    return Plan(
        change_set_arn=description["ChangeSetId"],
        stack_id=description["StackId"],
        stack_name=request.stack_name,
        digest=hashlib.sha256(f"{description['ChangeSetId']}|empty|{request.content_digest}".encode()).hexdigest(),
        creates_stack=False,
        empty=True,
        resources=(),
        parameters=(),
        base=_last_change(stack),
    )


def _last_change(stack: Mapping[str, Any]) -> str:
    """When the stack last changed: a change set made before a later change is stale."""
    moment = stack.get("LastUpdatedTime") or stack.get("CreationTime")
    return moment.isoformat() if moment else ""


def _parameters(described: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as CloudFormation shows them: NoEcho values are asterisks there already."""
    return {
        parameter["ParameterKey"]: parameter.get("ResolvedValue") or parameter.get("ParameterValue", "")
        for parameter in described.get("Parameters", [])
    }


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ParameterChange, ...]:
    names = sorted({*before, *after})
    return tuple(
        ParameterChange(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def _resource(change: Mapping[str, Any]) -> ResourceChange:
    action = _ACTIONS.get(change["Action"], "modify")
    if change["Action"] == "Modify":
        action = {"True": "replace", "Conditional": "maybe_replace"}.get(change.get("Replacement", ""), "modify")
    names = {
        target["Name"] if target.get("Name") else target.get("Attribute", "")
        for target in (detail.get("Target", {}) for detail in change.get("Details", []))
    }
    return ResourceChange(
        action, change["LogicalResourceId"], change["ResourceType"], tuple(sorted(name for name in names if name))
    )
