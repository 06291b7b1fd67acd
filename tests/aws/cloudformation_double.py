"""CloudFormation behind a real client, as far as change sets go: moto's run in an instant, and tell no request tokens.

Statuses, error codes and their words are CloudFormation's own. ``finish``, ``somebody_else_deploys`` and the like are
what happens to a stack from outside, by the names that ``tests/fakes/stacks.py`` uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.aws.service_double import Refusal, ServiceDouble

Changes = Sequence[dict[str, Any]]

ADDED: Changes = (
    {
        "Type": "Resource",
        "ResourceChange": {
            "Action": "Add",
            "LogicalResourceId": "Endpoint",
            "ResourceType": "AWS::SageMaker::Endpoint",
        },
    },
)


@dataclass
class Stack:
    """One stack."""

    name: str
    stack_id: str
    status: str
    created: datetime
    updated: datetime | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    template: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    """Logical id to status."""
    reason: str = ""
    becomes: ChangeSet | None = None


@dataclass
class ChangeSet:
    """One change set."""

    name: str
    arn: str
    stack: Stack
    parameters: dict[str, str]
    template: str
    changes: Changes
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    reason: str = ""
    request: dict[str, Any] = field(default_factory=dict)


class CloudFormationDouble(ServiceDouble):
    """See the module. ``templates`` holds what stands at the URLs; ``immediate`` ends an operation as it begins."""

    service = "cloudformation"

    def __init__(self) -> None:
        super().__init__()
        self.stacks: list[Stack] = []
        self.change_sets: list[ChangeSet] = []
        self.events: list[dict[str, Any]] = []
        """Newest first, of all stacks."""
        self.templates: dict[str, str] = {}
        self.immediate = True
        self.fails_with = ""
        self.cannot_execute = ""
        """Why a change set is accepted and then not executed."""
        self.making = ""
        """Status in which new change sets stay."""
        self.making_fails_with = ""
        self.changes: Changes = ADDED
        self.page_size = 100
        self.deleted_as: list[str] = []
        """Role of each deletion."""
        self.protected = False
        """Whether the stacks are protected from deletion."""
        self._moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._made = 0

    # The operations.

    def create_change_set(self, **given: Any) -> dict[str, Any]:
        name, stack = given["StackName"], self._find(given["StackName"])
        if stack is not None and _working(stack):
            raise Refusal(
                "ValidationError", f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )
        creates = given["ChangeSetType"] == "CREATE"
        if creates and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise Refusal("ValidationError", f"Stack [{name}] already exists and cannot be created again.")
        if not creates and (stack is None or stack.status in {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}):
            raise Refusal("ValidationError", f"Stack [{name}] does not exist")
        if stack is not None and any(
            one.stack is stack and one.name == given["ChangeSetName"] for one in self.change_sets
        ):
            raise Refusal("AlreadyExistsException", f"ChangeSet {given['ChangeSetName']} already exists")
        if stack is None:
            stack = self._new_stack(name, "REVIEW_IN_PROGRESS")
            self._event(stack, "REVIEW_IN_PROGRESS")
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in given.get("Parameters", [])}
        template = self.templates.get(given["TemplateURL"], "Resources: {}")
        same = not creates and parameters == stack.parameters and template == stack.template
        made = self._new_change_set(stack, given["ChangeSetName"], parameters, template)
        made.request = given
        if self.making:
            made.status, made.execution = self.making, "UNAVAILABLE"
        if same or self.making_fails_with:
            empty = (
                "The submitted information didn't contain changes. Submit different information to create a change set."
            )
            made.status, made.execution, made.reason = "FAILED", "UNAVAILABLE", self.making_fails_with or empty
            made.changes = ()
        return {"Id": made.arn, "StackId": stack.stack_id}

    def describe_change_set(
        self, ChangeSetName: str, StackName: str, NextToken: str = "0", IncludePropertyValues: bool = False
    ) -> dict[str, Any]:
        found = self._change_set(ChangeSetName, StackName)
        start = int(NextToken)
        page = found.changes[start : start + self.page_size]
        more = start + self.page_size < len(found.changes)
        return {
            "ChangeSetName": found.name,
            "ChangeSetId": found.arn,
            "StackId": found.stack.stack_id,
            "StackName": found.stack.name,
            "Status": found.status,
            "ExecutionStatus": found.execution,
            "Parameters": _parameters(found.parameters),
            "Changes": [one if IncludePropertyValues else _without_values(one) for one in page],
            **({"StatusReason": found.reason} if found.reason else {}),
            **({"NextToken": str(start + self.page_size)} if more else {}),
        }

    def execute_change_set(self, ChangeSetName: str, StackName: str, ClientRequestToken: str) -> dict[str, Any]:
        found = self._change_set(ChangeSetName, StackName)
        if found.execution != "AVAILABLE":
            raise Refusal(
                "InvalidChangeSetStatus",
                f"ChangeSet [{found.arn}] cannot be executed in its current execution status of [{found.execution}]",
            )
        stack = found.stack
        if _working(stack):
            raise Refusal(
                "ValidationError", f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )
        self.change_sets = [one for one in self.change_sets if one is found or one.stack is not stack]
        if self.cannot_execute:
            found.execution, found.reason = "EXECUTE_FAILED", self.cannot_execute
            return {}
        found.execution = "EXECUTE_IN_PROGRESS"
        stack.becomes = found
        self._begin(stack, ClientRequestToken)
        if self.immediate:
            self.finish(stack.name)
        return {}

    def delete_change_set(self, ChangeSetName: str, StackName: str) -> dict[str, Any]:
        if self._find(StackName) is None:
            raise Refusal("ValidationError", f"Stack [{StackName}] does not exist")
        found = [one for one in self.change_sets if ChangeSetName in {one.arn, one.name}]
        if found and found[0].execution in {"EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE"}:
            raise Refusal("InvalidChangeSetStatus", "ChangeSet cannot be deleted in its current status")
        self.change_sets = [one for one in self.change_sets if one not in found]
        return {}

    def list_change_sets(self, StackName: str) -> dict[str, Any]:
        return {
            "Summaries": [
                {"ChangeSetId": one.arn}
                for one in self.change_sets
                if StackName in {one.stack.name, one.stack.stack_id}
            ]
        }

    def list_stack_resources(self, StackName: str) -> dict[str, Any]:
        stack = self._existing(StackName)
        moment = self._tick()
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "ResourceType": "AWS::SageMaker::Endpoint",
                    "PhysicalResourceId": f"physical-{name}",
                    "LastUpdatedTimestamp": moment,
                    "ResourceStatus": status,
                }
                for name, status in stack.resources.items()
            ]
        }

    def get_template(self, ChangeSetName: str, StackName: str, TemplateStage: str) -> dict[str, Any]:
        return {"TemplateBody": self._change_set(ChangeSetName, StackName).template}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        stack = self._existing(StackName)
        return {
            "Stacks": [
                {
                    "StackName": stack.name,
                    "StackId": stack.stack_id,
                    "StackStatus": stack.status,
                    "CreationTime": stack.created,
                    "Parameters": _parameters(stack.parameters),
                    "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()],
                    **({"EnableTerminationProtection": True} if self.protected else {}),
                    **({"LastUpdatedTime": stack.updated} if stack.updated else {}),
                    **({"StackStatusReason": stack.reason} if stack.reason else {}),
                }
            ]
        }

    def describe_stack_events(self, StackName: str, NextToken: str = "0") -> dict[str, Any]:
        stack = self._existing(StackName)
        found = [event for event in self.events if event["StackId"] == stack.stack_id]
        start = int(NextToken)
        more = start + self.page_size < len(found)
        return {
            "StackEvents": found[start : start + self.page_size],
            **({"NextToken": str(start + self.page_size)} if more else {}),
        }

    def delete_stack(self, StackName: str, ClientRequestToken: str = "", RoleARN: str = "") -> dict[str, Any]:
        stack = self._find(StackName)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return {}  # as CloudFormation does, also for what has never been
        if _working(stack):
            raise Refusal(
                "ValidationError", f"Stack:{stack.stack_id} is in {stack.status} state and can not be deleted."
            )
        self.deleted_as.append(RoleARN)
        self.change_sets = [one for one in self.change_sets if one.stack is not stack]
        stack.status = "DELETE_IN_PROGRESS"
        self._event(stack, stack.status, ClientRequestToken)
        if self.immediate:
            self.finish(stack.stack_id)
        return {}

    # What happens to a stack from outside.

    def put(self, name: str, status: str, **values: Any) -> Stack:
        """A stack that is there already."""
        stack = self._new_stack(name, status)
        for field_name, value in values.items():
            setattr(stack, field_name, value)
        self._event(stack, status)
        return stack

    def finish(self, name: str) -> None:
        """The operation in progress ends: well, or by a rollback with ``fails_with``."""
        stack = self._existing(name)
        kind, token = stack.status.split("_")[0], self._token(stack)
        if kind == "DELETE":
            self._end_deletion(stack, token)
            return
        if stack.becomes is not None:
            stack.becomes.execution = "EXECUTE_FAILED" if self.fails_with else "EXECUTE_COMPLETE"
        if self.fails_with:
            self._event(stack, f"{kind}_FAILED", token, resource="Endpoint", reason=self.fails_with)
            self._event(stack, f"{kind}_FAILED", token, resource="Alarm", reason="Resource creation cancelled")
            stack.status = "ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
        else:
            stack.status = f"{kind}_COMPLETE"
            stack.resources["Endpoint"] = stack.status
            if stack.becomes is not None:
                stack.parameters, stack.template = stack.becomes.parameters, stack.becomes.template
                stack.outputs = {"EndpointName": f"{name}-endpoint"}
        stack.becomes = None
        self._event(stack, stack.status, token)

    def somebody_else_deploys(self, name: str) -> None:
        """A deployment by hand, from beginning to end."""
        stack = self._existing(name)
        self.change_sets = [one for one in self.change_sets if one.stack is not stack]
        self._begin(stack, f"Console-{self._made}")
        self.finish(name)

    def somebody_else_begins(self, name: str) -> None:
        """A deployment by hand, that has not ended yet."""
        self._begin(self._existing(name), f"Console-{self._made}")

    # Within.

    def _end_deletion(self, stack: Stack, token: str) -> None:
        if self.fails_with:
            self._event(stack, "DELETE_FAILED", token, resource="Endpoint", reason=self.fails_with)
        stack.status = "DELETE_FAILED" if self.fails_with else "DELETE_COMPLETE"
        if not self.fails_with:
            stack.resources = dict.fromkeys(stack.resources, "DELETE_COMPLETE")
        self._event(stack, stack.status, token)

    def _begin(self, stack: Stack, token: str) -> None:
        creates = stack.status == "REVIEW_IN_PROGRESS"
        stack.status = "CREATE_IN_PROGRESS" if creates else "UPDATE_IN_PROGRESS"
        stack.updated = self._tick()
        self._event(stack, stack.status, token)

    def _event(self, stack: Stack, status: str, token: str = "", resource: str = "", reason: str = "") -> None:
        self._made += 1
        event = {
            "EventId": str(self._made),
            "StackId": stack.stack_id,
            "StackName": stack.name,
            "Timestamp": self._tick(),
            "LogicalResourceId": resource or stack.name,
            "PhysicalResourceId": f"physical-{resource}" if resource else stack.stack_id,
            "ResourceType": "AWS::SageMaker::Endpoint" if resource else "AWS::CloudFormation::Stack",
            "ResourceStatus": status,
            **({"ResourceStatusReason": reason} if reason else {}),
            **({"ClientRequestToken": token} if token else {}),
        }
        self.events.insert(0, event)

    def _token(self, stack: Stack) -> str:
        newest = next(event for event in self.events if event["StackId"] == stack.stack_id)
        return str(newest.get("ClientRequestToken", ""))

    def _tick(self) -> datetime:
        self._moment += timedelta(seconds=1)
        return self._moment

    def _new_stack(self, name: str, status: str) -> Stack:
        self._made += 1
        arn = f"arn:aws:cloudformation:us-east-1:222222222222:stack/{name}/{self._made}"
        stack = Stack(name, arn, status, self._tick())
        self.stacks.append(stack)
        return stack

    def _new_change_set(self, stack: Stack, name: str, parameters: dict[str, str], template: str) -> ChangeSet:
        self._made += 1
        arn = f"arn:aws:cloudformation:us-east-1:222222222222:changeSet/{name}/{self._made}"
        made = ChangeSet(name, arn, stack, parameters, template, self.changes)
        self.change_sets.append(made)
        return made

    def _find(self, name: str) -> Stack | None:
        """By ARN, also a deleted one; by name, one that is not."""
        for stack in reversed(self.stacks):
            if name == stack.stack_id or (name == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        return None

    def _existing(self, name: str) -> Stack:
        stack = self._find(name)
        if stack is None:
            raise Refusal("ValidationError", f"Stack with id {name} does not exist")
        return stack

    def _change_set(self, name: str, stack_name: str) -> ChangeSet:
        stack = self._existing(stack_name)
        for one in self.change_sets:
            if one.stack is stack and name in {one.arn, one.name}:
                return one
        raise Refusal("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def _without_values(change: Mapping[str, Any]) -> dict[str, Any]:
    """As CloudFormation tells a change to whoever has not asked for property values."""
    told = {name: value for name, value in change["ResourceChange"].items() if not name.endswith("Context")}
    return {**change, "ResourceChange": told}


def _working(stack: Stack) -> bool:
    return stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS"


def _parameters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
