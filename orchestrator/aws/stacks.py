"""CloudFormation in one stage's account as ``ports.Stacks``: change sets made, described, executed, discarded.

Every call names the stack beside the change set's ARN: IAM judges calls on change sets by the stack. Stacks are deleted
by ``stack_removals``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.aws import stack_removals
from orchestrator.aws.change_sets import described, digest_of, empty_plan, is_empty, is_of, last_change
from orchestrator.aws.stack_events import latest_operation
from orchestrator.aws.stack_reading import in_progress, is_absent, is_busy, resources_of, stack_of
from orchestrator.aws.translated import code_of, message_of, translated
from orchestrator.core.errors import ChangeSetPending, OrchestratorError, PlanFailed, StackBusy
from orchestrator.core.plans import Plan
from orchestrator.core.ports import PlanRequest, StackState

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

WAIT_SECONDS = 300
"""How long a plan step waits inside the function for a change set to be made; it has no event."""

POLL_SECONDS = 2

_CREATABLE = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})
_UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)
_DELETE_FIRST = "ROLLBACK_COMPLETE"
"""A first creation that was rolled back: CloudFormation allows nothing but deletion."""

_REFUSED_PLAN = frozenset({"ValidationError", "InsufficientCapabilitiesException", "LimitExceededException"})
_NOT_FOUND = frozenset({"ChangeSetNotFound", "ChangeSetNotFoundException"})
_NOT_EXECUTABLE = frozenset(
    {*_NOT_FOUND, "InvalidChangeSetStatus", "InvalidChangeSetStatusException", "TokenAlreadyExistsException"}
)

Client = Callable[[], "CloudFormationClient"]


class CloudFormationStacks:
    """See the module. ``deploy`` and ``observe`` make clients of the stage's two roles when they are first needed."""

    def __init__(
        self,
        deploy: Client,
        observe: Client,
        service_role_arn: str,
        *,
        deploy_role: str = "",
        observe_role: str = "",
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._make_deploy = deploy
        self._make_observe = observe
        self._service_role_arn = service_role_arn
        self._deploy_role = deploy_role
        self._observe_role = observe_role
        self._waiting = {"Delay": POLL_SECONDS, "MaxAttempts": max(1, wait_seconds // POLL_SECONDS)}

    @cached_property
    def _deploy(self) -> CloudFormationClient:
        return self._make_deploy()

    @cached_property
    def _observe(self) -> CloudFormationClient:
        return self._make_observe()

    def plan(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._deploy_role):
            found = self._change_set(request.change_set_name, request.stack_name)
            if found is not None and not is_of(request, found):
                self._delete_change_set(found["ChangeSetId"], request.stack_name)
                found = None
            if found is None:
                self._create(request)
            description = self._made(request)
            stack = stack_of(self._deploy, request.stack_name) or {}
            change_set = description["ChangeSetId"]
            if is_empty(description):
                self._delete_change_set(change_set, request.stack_name)
                return empty_plan(request, description, stack)
            if description["Status"] == "FAILED":
                self._drop_failed(change_set, request.stack_name, description["StackId"])
                raise PlanFailed(description.get("StatusReason", "CloudFormation gave no reason"))
            return described(request, description, stack, self._template(change_set, request.stack_name))

    def described(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``; one without changes is left where it is, for whoever is to execute it."""
        with translated("cloudformation", self._deploy_role):
            found = self._change_set(request.change_set_name, request.stack_name)
            empty = found is not None and is_empty(found)
            if found is None or not (empty or found["ExecutionStatus"] == "AVAILABLE"):
                raise ChangeSetPending(f"{request.stack_name} has no change set {request.change_set_name} to execute")
            if not is_of(request, found):
                raise PlanFailed(f"the change set {request.change_set_name} was made with other parameters")
            stack = stack_of(self._deploy, request.stack_name) or {}
            if empty:
                return empty_plan(request, found, stack)
            return described(request, found, stack, self._template(found["ChangeSetId"], request.stack_name))

    def prepare(self, stack_name: str) -> None:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._deploy_role):
            self._kind(stack_name)

    def plan_removal(self, stack_name: str, content_digest: str) -> Plan:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._deploy_role):
            return stack_removals.plan_removal(self._deploy, stack_name, content_digest)

    def still_valid(self, plan: Plan, content_digest: str) -> bool:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._deploy_role):
            if plan.removes:
                return stack_removals.still_valid(self._deploy, plan, content_digest)
            found = self._change_set(plan.change_set_arn, plan.stack_name)
            stack = stack_of(self._deploy, plan.stack_id)
            if found is None or stack is None:
                return False
            _wait_for_end(plan, stack["StackStatus"], found["ExecutionStatus"])
            if found["Status"] != "CREATE_COMPLETE" or found["ExecutionStatus"] != "AVAILABLE":
                return False
            if last_change(stack) != plan.base:
                return False
            template = self._template(plan.change_set_arn, plan.stack_name)
            return digest_of(found, template, content_digest) == plan.digest

    def execute(self, plan: Plan, request_token: str, comment: str = "") -> bool:
        """See ``ports.Stacks``; CloudFormation takes no comment."""
        client = self._deploy
        with translated("cloudformation", self._deploy_role):
            if plan.removes:
                stack_removals.execute(client, plan, request_token, self._service_role_arn)
                return True
            try:
                client.execute_change_set(
                    ChangeSetName=plan.change_set_arn, StackName=plan.stack_name, ClientRequestToken=request_token
                )
            except client.exceptions.ClientError as error:
                if is_busy(error):
                    raise StackBusy(f"{plan.stack_name} has another operation in progress") from error
                if code_of(error) in _NOT_EXECUTABLE or is_absent(error):
                    return self._is_ours(plan, request_token)
                raise
        return True

    def state(self, stack: str) -> StackState:
        """See ``ports.Stacks``.

        The events are read before the stack: an operation that starts between the two reads would otherwise seem to
        have ended in the status that the stack had before it.
        """
        client = self._observe
        with translated("cloudformation", self._observe_role):
            try:
                operation = latest_operation(client, stack)
            except client.exceptions.ClientError as error:
                if is_absent(error):
                    return StackState(stack, "ABSENT")
                raise
            found = stack_of(client, stack)
        if found is None:
            return StackState(stack, "ABSENT")
        status = operation.status if in_progress(operation.status) else found["StackStatus"]
        outputs = tuple(sorted((out["OutputKey"], out["OutputValue"]) for out in found.get("Outputs", [])))
        reason = operation.reason or found.get("StackStatusReason", "")
        return StackState(found["StackId"], status, operation.request_token, reason, outputs)

    def progress(self, plan: Plan, request_token: str) -> StackState:
        """See ``ports.Stacks``: the stack's own last token tells."""
        return self.state(plan.stack_id)

    def moved(self, plan: Plan) -> bool:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._observe_role):
            stack = stack_of(self._observe, plan.stack_id)
        if stack is None:
            return True
        if plan.creates_stack:
            return bool(stack["StackStatus"] != "REVIEW_IN_PROGRESS")
        return last_change(stack) != plan.base

    def execution(self, plan: Plan) -> tuple[str, str]:
        """See ``ports.Stacks``."""
        client = self._observe
        with translated("cloudformation", self._observe_role):
            try:
                found = client.describe_change_set(ChangeSetName=plan.change_set_arn, StackName=plan.stack_name)
            except client.exceptions.ClientError as error:
                if code_of(error) in _NOT_FOUND or is_absent(error):
                    return "ABSENT", ""
                raise
        return found["ExecutionStatus"], found.get("StatusReason", "")

    def discard(self, plan: Plan, *, rejected: str = "") -> None:
        """See ``ports.Stacks``; CloudFormation keeps no words."""
        if plan.removes:
            return
        with translated("cloudformation", self._deploy_role):
            self._drop(plan.change_set_arn, plan.stack_name, plan.stack_id)

    def discard_made(self, stack_name: str, change_set_name: str) -> None:
        """See ``ports.Stacks``."""
        with translated("cloudformation", self._deploy_role):
            found = self._change_set(change_set_name, stack_name)
            if found is not None:
                self._drop(found["ChangeSetId"], stack_name, found["StackId"])

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
            if is_busy(error):
                raise StackBusy(f"{request.stack_name} has another operation in progress") from error
            if code_of(error) in _REFUSED_PLAN:
                raise PlanFailed(message_of(error)) from error
            raise

    def _kind(self, name: str) -> Any:
        """CREATE or UPDATE; what a failed first creation left behind is deleted first."""
        stack = stack_of(self._deploy, name)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if stack and status == _DELETE_FIRST and not resources_of(self._deploy, stack["StackId"]):
            status = self._deleted(stack["StackId"])
        if status in _CREATABLE:
            return "CREATE"
        if status in _UPDATABLE:
            return "UPDATE"
        if in_progress(status):
            raise StackBusy(f"{name} is in {status}")
        raise PlanFailed(f"{name} is in {status}; an operator has to mend it (docs/operations.md says how)")

    def _deleted(self, stack_id: str) -> str:
        """Delete the stack and wait; its status then."""
        from botocore.exceptions import WaiterError

        self._deploy.delete_stack(StackName=stack_id)
        with suppress(WaiterError):  # the status tells
            self._deploy.get_waiter("stack_delete_complete").wait(
                StackName=stack_id,
                WaiterConfig=self._waiting,  # type: ignore[arg-type]
            )
        stack = stack_of(self._deploy, stack_id)
        return str(stack["StackStatus"]) if stack else "DELETE_COMPLETE"

    def _made(self, request: PlanRequest) -> Mapping[str, Any]:
        """The change set once CloudFormation has made it, or failed to."""
        from botocore.exceptions import WaiterError

        with suppress(WaiterError):  # one without changes ends FAILED; its description tells
            self._deploy.get_waiter("change_set_create_complete").wait(
                StackName=request.stack_name,
                ChangeSetName=request.change_set_name,
                WaiterConfig=self._waiting,  # type: ignore[arg-type]
            )
        found = self._change_set(request.change_set_name, request.stack_name)
        if found is None or found["Status"] not in {"CREATE_COMPLETE", "FAILED"}:
            raise ChangeSetPending(f"CloudFormation is still making {request.change_set_name}")
        return found

    def _change_set(self, name: str, stack: str) -> dict[str, Any] | None:
        """The change set with all pages of its changes, their properties before and after; None when there is none."""
        client = self._deploy
        try:
            first: dict[str, Any] = dict(
                client.describe_change_set(ChangeSetName=name, StackName=stack, IncludePropertyValues=True)
            )
            token = first.get("NextToken")
            while token:
                page = client.describe_change_set(
                    ChangeSetName=name, StackName=stack, NextToken=token, IncludePropertyValues=True
                )
                first["Changes"] = [*first["Changes"], *page["Changes"]]
                token = page.get("NextToken")
        except client.exceptions.ClientError as error:
            if code_of(error) in _NOT_FOUND or is_absent(error):
                return None
            raise
        return first

    def _template(self, change_set: str, stack: str) -> str | Mapping[str, Any]:
        found = self._deploy.get_template(ChangeSetName=change_set, StackName=stack, TemplateStage="Original")
        return found["TemplateBody"]

    def _is_ours(self, plan: Plan, request_token: str) -> bool:
        """Whether what made the change set unexecutable is our own operation, started by an earlier call."""
        state = self.state(plan.stack_id)
        if state.last_request_token == request_token:
            return True
        found = self._change_set(plan.change_set_arn, plan.stack_name)
        _wait_for_end(plan, state.status, found["ExecutionStatus"] if found else "")
        return False

    def _delete_change_set(self, change_set: str, stack: str) -> None:
        client = self._deploy
        try:
            client.delete_change_set(ChangeSetName=change_set, StackName=stack)
        except client.exceptions.ClientError as error:
            if code_of(error) not in _NOT_EXECUTABLE and not is_absent(error):
                raise

    def _drop_failed(self, change_set: str, stack_name: str, stack_id: str) -> None:
        """Tidy up after a change set that could not be made; why it could not matters more than a leftover."""
        with suppress(OrchestratorError), translated("cloudformation", self._deploy_role):
            self._drop(change_set, stack_name, stack_id)

    def _drop(self, change_set: str, stack_name: str, stack_id: str) -> None:
        """Delete the change set, and the stack if it never became more than the shell of this change set."""
        client = self._deploy
        self._delete_change_set(change_set, stack_name)
        stack = stack_of(client, stack_id)
        if stack is None or stack["StackStatus"] != "REVIEW_IN_PROGRESS" or resources_of(client, stack_id):
            return
        others = client.list_change_sets(StackName=stack_name)["Summaries"]
        if all(other["ChangeSetId"] == change_set for other in others):
            client.delete_stack(StackName=stack_id)


def _wait_for_end(plan: Plan, stack_status: str, execution_status: str) -> None:
    """Raise StackBusy while something is executed: whose it is can be said for certain when its events are there."""
    if in_progress(stack_status) or execution_status == "EXECUTE_IN_PROGRESS":
        raise StackBusy(f"{plan.stack_name} has an operation in progress")
