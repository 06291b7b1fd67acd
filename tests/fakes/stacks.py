"""CloudFormation of one stage in memory: stacks and change sets live and die as CloudFormation's own do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from orchestrator.core.errors import ChangeSetPending, PlanFailed, StackBusy
from orchestrator.core.plans import AccessChange, ParameterChange, Plan, ResourceChange
from orchestrator.core.ports import PlanRequest, StackState

REMOVED = ResourceChange("remove", "Endpoint", "AWS::SageMaker::Endpoint")
"""What a stack of the fake has, in the plan of its removal."""

_DELETE_FIRST = {"ROLLBACK_COMPLETE"}
_NEEDS_OPERATOR = {
    "CREATE_FAILED",
    "ROLLBACK_FAILED",
    "DELETE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_FAILED",
    "IMPORT_ROLLBACK_FAILED",
}


@dataclass
class FakeStack:
    """One stack: what is deployed, and the operation in progress."""

    stack_id: str
    status: str
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    template: str = ""
    """SHA-256 of what stood at the template's URL."""
    moved: int = 0
    """Counts the stack's updates, in the place of its last update's time."""
    token: str = ""
    reason: str = ""
    becomes: PlanRequest | None = None
    """The request whose change set is being executed."""


@dataclass
class FakeStacks:
    """``ports.Stacks`` of one stage.

    An operation ends as soon as it is executed while ``immediate``; else ``finish`` ends it. It fails with the reason
    in ``fails_with``. ``refuses`` makes plans fail, ``pending`` lets that many calls of ``plan`` find the change set
    still being made, ``busy`` says that somebody else's operation is in progress.
    """

    stage: str
    immediate: bool = True
    fails_with: str = ""
    refuses: str = ""
    protected: bool = False
    """Whether the stacks are protected from deletion."""
    pending: int = 0
    busy: bool = False
    stacks: dict[str, FakeStack] = field(default_factory=dict)
    deleted: dict[str, FakeStack] = field(default_factory=dict)
    """By ARN: CloudFormation still describes them."""
    change_sets: dict[str, tuple[PlanRequest, Plan]] = field(default_factory=dict)
    empty_change_sets: dict[str, tuple[PlanRequest, Plan]] = field(default_factory=dict)
    """Those without changes; only ``described`` finds them."""
    executed: list[str] = field(default_factory=list)
    """Client request token of each operation that began, in their order."""
    cannot_execute: str = ""
    """Why a change set is accepted and then not executed: its stack stays as it was, and no event tells."""
    executions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What is known of change sets that were executed, by ARN."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Of every stack, beside an endpoint's and a pipeline's name."""
    opens: tuple[AccessChange, ...] = ()
    """What every plan opens."""
    read_template: Callable[[str], bytes] | None = None
    before_execute: Callable[[Plan], None] | None = None
    """Called before an operation begins, for a test's own assertions."""
    _made: int = 0

    def plan(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``."""
        arn = f"arn:cs:{self.stage}:{request.change_set_name}"
        if arn in self.change_sets:
            return self.change_sets[arn][1]
        stack = self._ready(request.stack_name)
        if self.refuses:
            raise PlanFailed(self.refuses)  # its change set, and the shell of a new stack, are gone by then
        if self.pending:
            self.pending -= 1
            raise ChangeSetPending(f"CloudFormation is still making {request.change_set_name}")
        if stack is None:
            self._made += 1
            stack_id = f"arn:stack:{self.stage}:{request.stack_name}:{self._made}"
            stack = self.stacks[request.stack_name] = FakeStack(stack_id, "REVIEW_IN_PROGRESS")
        plan = replace(self._described(request, arn, stack), access=self.opens)
        if plan.empty:
            self.empty_change_sets[arn] = (request, plan)
        else:
            self.change_sets[arn] = (request, plan)
        return plan

    def described(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``: the newest change set whose name begins so."""
        prefix = f"arn:cs:{self.stage}:{request.change_set_name}"
        found = [
            (kept, plan)
            for arn, (kept, plan) in (self.change_sets | self.empty_change_sets).items()
            if arn.startswith(prefix) and plan.stack_name == request.stack_name
        ]
        if not found:
            raise ChangeSetPending(f"there is no {request.change_set_name}")
        kept, plan = found[-1]
        if dict(kept.parameters) != dict(request.parameters):
            raise PlanFailed("the change set was made with other parameters")
        bound = replace(kept, content_digest=request.content_digest)
        return replace(plan, digest=self._digest(plan.change_set_arn, bound))

    def prepare(self, stack_name: str) -> None:
        """See ``ports.Stacks``."""
        self._ready(stack_name)

    def plan_removal(self, stack_name: str, content_digest: str) -> Plan:
        """See ``ports.Stacks``."""
        stack = self.stacks.get(stack_name)
        if stack is not None and (self.busy or _working(stack)):
            raise StackBusy(f"{stack_name} is busy")
        if stack is not None and stack.status == "REVIEW_IN_PROGRESS":
            self.delete(stack_name)
            stack = None
        if stack is None:
            return Plan("", "", stack_name, f"absent-{content_digest}", False, True, (), (), removes=True)
        if self.protected:
            raise PlanFailed(f"termination protection of {stack_name} is on")
        held = () if stack.status == "ROLLBACK_COMPLETE" else (REMOVED,)
        digest = self._removal_digest(stack, content_digest)
        return Plan("", stack.stack_id, stack_name, digest, False, False, held, (), str(stack.moved), removes=True)

    def still_valid(self, plan: Plan, content_digest: str) -> bool:
        """See ``ports.Stacks``."""
        if plan.removes:
            standing = self.stacks.get(plan.stack_name)
            if standing is not None and (self.busy or _working(standing)):
                raise StackBusy(f"{plan.stack_name} has an operation in progress")
            return standing is not None and self._removal_digest(standing, content_digest) == plan.digest
        found = self.change_sets.get(plan.change_set_arn)
        stack = self.stacks.get(plan.stack_name)
        if stack is not None and (self.busy or _working(stack)):
            raise StackBusy(f"{plan.stack_name} has an operation in progress")
        if found is None or stack is None or stack.stack_id != plan.stack_id or str(stack.moved) != plan.base:
            return False
        return self._digest(plan.change_set_arn, replace(found[0], content_digest=content_digest)) == plan.digest

    def execute(self, plan: Plan, request_token: str, comment: str = "") -> bool:
        """See ``ports.Stacks``."""
        if plan.removes:
            return self._delete_as_planned(plan, request_token)
        if plan.change_set_arn not in self.change_sets:
            return self.state(plan.stack_id).last_request_token == request_token
        stack = self.stacks[plan.stack_name]
        if self.busy or _working(stack):
            raise StackBusy(f"{plan.stack_name} has another operation in progress")
        if self.before_execute is not None:
            self.before_execute(plan)
        if self.cannot_execute:
            self.executions[plan.change_set_arn] = ("EXECUTE_FAILED", self.cannot_execute)
            return True
        self.executed.append(request_token)
        self.executions[plan.change_set_arn] = ("EXECUTE_IN_PROGRESS", "")
        stack.becomes = self.change_sets[plan.change_set_arn][0]
        stack.status = "CREATE_IN_PROGRESS" if plan.creates_stack else "UPDATE_IN_PROGRESS"
        stack.token, stack.reason = request_token, ""
        stack.moved += 1
        self._drop_change_sets(plan.stack_name)
        if self.immediate:
            self.finish(plan.stack_name)
        return True

    def state(self, stack: str) -> StackState:
        """See ``ports.Stacks``."""
        for name, found in self.stacks.items():
            if stack in {name, found.stack_id}:
                lives = found.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
                made = {"EndpointName": f"{name}-endpoint", "PipelineName": f"{name}-pipeline", **self.outputs}
                outputs = tuple(made.items()) if lives else ()
                return StackState(found.stack_id, found.status, found.token, found.reason, outputs)
        gone = self.deleted.get(stack)
        if gone is not None:
            return StackState(gone.stack_id, "DELETE_COMPLETE", gone.token, gone.reason)
        return StackState(stack, "ABSENT")

    def progress(self, plan: Plan, request_token: str) -> StackState:
        """See ``ports.Stacks``."""
        return self.state(plan.stack_id)

    def moved(self, plan: Plan) -> bool:
        """See ``ports.Stacks``."""
        stack = self.stacks.get(plan.stack_name)
        if stack is None or stack.stack_id != plan.stack_id:
            return True
        return stack.status != "REVIEW_IN_PROGRESS" if plan.creates_stack else str(stack.moved) != plan.base

    def execution(self, plan: Plan) -> tuple[str, str]:
        """See ``ports.Stacks``."""
        if plan.change_set_arn in self.executions:
            return self.executions[plan.change_set_arn]
        return ("AVAILABLE" if plan.change_set_arn in self.change_sets else "ABSENT"), ""

    def discard(self, plan: Plan, *, rejected: str = "") -> None:
        """See ``ports.Stacks``."""
        if plan.removes:
            return
        self.change_sets.pop(plan.change_set_arn, None)
        stack = self.stacks.get(plan.stack_name)
        others = any(kept.stack_name == plan.stack_name for _, kept in self.change_sets.values())
        if stack is not None and stack.status == "REVIEW_IN_PROGRESS" and not others:
            self.delete(plan.stack_name)

    def discard_made(self, stack_name: str, change_set_name: str) -> None:
        """See ``ports.Stacks``."""
        for _, plan in list(self.change_sets.values()):
            if plan.stack_name == stack_name and f":{change_set_name}" in plan.change_set_arn:
                self.discard(plan)

    # What happens to a stack from outside.

    def working(self) -> list[str]:
        """Names of the stacks with an operation in progress."""
        return [name for name, stack in self.stacks.items() if _working(stack)]

    def finish(self, name: str) -> None:
        """The operation in progress ends: well, or by a rollback with ``fails_with``."""
        stack = self.stacks[name]
        request, stack.becomes = stack.becomes, None
        kind = stack.status.split("_")[0]
        if kind == "DELETE":
            stack.status, stack.reason = f"DELETE_{'FAILED' if self.fails_with else 'COMPLETE'}", self.fails_with
            if not self.fails_with:
                self.delete(name)
            return
        if self.fails_with:
            stack.status = "ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
            stack.reason = self.fails_with
            return
        stack.status = f"{kind}_COMPLETE"
        if request is not None:
            stack.parameters, stack.tags = dict(request.parameters), dict(request.tags)
            stack.template = self._template(request)

    def somebody_else_deploys(self, name: str) -> None:
        """A deployment by hand, from beginning to end: the stack moves, and every change set on it is gone."""
        stack = self.stacks[name]
        stack.moved += 1
        stack.token = f"Console-{stack.moved}"
        stack.status = "CREATE_COMPLETE" if stack.status == "REVIEW_IN_PROGRESS" else "UPDATE_COMPLETE"
        stack.parameters = {**stack.parameters, "ByHand": str(stack.moved)}
        self._drop_change_sets(name)

    def delete(self, name: str) -> None:
        """Delete a stack with its change sets."""
        stack = self.stacks.pop(name)
        self.deleted[stack.stack_id] = stack
        self._drop_change_sets(name)

    def _delete_as_planned(self, plan: Plan, request_token: str) -> bool:
        stack = self.stacks.get(plan.stack_name)
        if stack is None or stack.stack_id != plan.stack_id:
            return True  # CloudFormation accepts the deletion of what is gone
        if self.busy or _working(stack):
            raise StackBusy(f"{plan.stack_name} has another operation in progress")
        if self.before_execute is not None:
            self.before_execute(plan)
        self.executed.append(request_token)
        stack.status, stack.token, stack.reason = "DELETE_IN_PROGRESS", request_token, ""
        self._drop_change_sets(plan.stack_name)
        if self.immediate:
            self.finish(plan.stack_name)
        return True

    def _removal_digest(self, stack: FakeStack, content_digest: str) -> str:
        return hashlib.sha256(f"{stack.stack_id}|{stack.moved}|{content_digest}".encode()).hexdigest()

    def _ready(self, name: str) -> FakeStack | None:
        """The stack that can be planned for; None where a new one must be made."""
        stack = self.stacks.get(name)
        if self.busy or (stack is not None and _working(stack)):
            raise StackBusy(f"{name} is busy")
        if stack is not None and stack.status in _DELETE_FIRST:
            self.delete(name)
            return None
        if stack is not None and stack.status in _NEEDS_OPERATOR:
            raise PlanFailed(f"{name} is in {stack.status}")
        return stack

    def _described(self, request: PlanRequest, arn: str, stack: FakeStack) -> Plan:
        creates = stack.status == "REVIEW_IN_PROGRESS"
        before, after = stack.parameters, dict(request.parameters)
        changes = tuple(
            ParameterChange(name, before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )
        same = not changes and stack.tags == dict(request.tags) and stack.template == self._template(request)
        resource = ResourceChange("add" if creates else "modify", "Endpoint", "AWS::SageMaker::Endpoint")
        empty = same and not creates
        return Plan(
            change_set_arn=arn,
            stack_id=stack.stack_id,
            stack_name=request.stack_name,
            digest=self._digest(arn, request),
            creates_stack=creates,
            empty=empty,
            resources=() if empty else (resource,),
            parameters=changes,
            base=str(stack.moved),
        )

    def _digest(self, arn: str, request: PlanRequest) -> str:
        bound = [arn, self._template(request), dict(request.parameters), request.content_digest]
        return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()

    def _template(self, request: PlanRequest) -> str:
        data = self.read_template(request.template_url) if self.read_template else b""
        return hashlib.sha256(data).hexdigest()

    def _drop_change_sets(self, name: str) -> None:
        self.change_sets = {arn: kept for arn, kept in self.change_sets.items() if kept[1].stack_name != name}


def _working(stack: FakeStack) -> bool:
    return stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS"
