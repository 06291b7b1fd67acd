"""``ports.Stacks`` of a stage whose change sets a CodePipeline makes and executes.

The steps see what they always see: a plan that is a change set, an execution of exactly that, and an end. What is not
of a pipeline (a removal, a release from before the engine was chosen) goes to CloudFormation directly.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from orchestrator.core.errors import ApprovedOutside, ChangeSetPending, PlanFailed
from orchestrator.core.pipelines.ports import Pipelines
from orchestrator.core.pipelines.progress import (
    Deploying,
    Planning,
    Progress,
    deploying,
    ended_words,
    planning,
)
from orchestrator.core.pipelines.template import CHANGE_SET
from orchestrator.core.plans import STALE, PipelineStage, Plan
from orchestrator.core.ports import PlanRequest, Stacks, StackState

LOOK_SECONDS = 2.0
LOOKS = 150
"""How often a plan step looks, inside its function, for a change set that is being made."""
MISSING_LOOKS = 5
"""After how many looks a change set counts as gone of which the pipeline asks whether to execute it."""

ANSWERED_LOOKS = 10
"""How often it is looked for an answer that CodePipeline says it has been given, and does not list yet."""

OTHERS_TURN = "Another release of the workload has its turn."

GOES_ON = "PIPELINE_IN_PROGRESS"
"""Said in the place of a stack's status while the pipeline is at work, or has yet to begin."""
NEVER_BEGUN = "EXECUTE_FAILED"


class PipelineStacks:
    """See the module. ``direct`` is CloudFormation in the stage's account; ``pause`` sleeps."""

    def __init__(
        self, direct: Stacks, pipelines: Pipelines, pause: Callable[[float], None], *, looks: int = LOOKS
    ) -> None:
        self._direct = direct
        self._pipelines = pipelines
        self._pause = pause
        self._looks = looks

    def plan(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``: wait for the pipeline's change set and describe it.

        Raises ``ApprovedOutside`` where somebody has answered the approval in CodePipeline before anybody was asked.
        """
        if request.pipeline is None:
            return self._direct.plan(request)
        return self._planned(replace(request, change_set_name=CHANGE_SET), request.pipeline)

    def _planned(self, request: PlanRequest, run: PipelineStage) -> Plan:
        mended = missing = 0
        for look in range(self._looks):
            found = self._pipelines.progress(run)
            decision = planning(found)
            match decision.planning:
                case Planning.ASKED:
                    with suppress(ChangeSetPending):
                        return replace(self._direct.described(request), pipeline=run)
                    missing += 1
                    if missing == MISSING_LOOKS:
                        # Deleted or made obsolete by somebody: the pipeline itself would wait for ever.
                        self._reject_as_stale(run)
                case Planning.BYPASSED:
                    raise ApprovedOutside(f"{run.stage} is not planned: {decision.reason}")
                case Planning.FAILED:
                    raise PlanFailed(decision.reason)
                case Planning.MAKE_WAY if mended:
                    raise PlanFailed(decision.reason)
                case Planning.MAKE_WAY | Planning.PLAN_ANEW:
                    self._direct.prepare(request.stack_name)
                    self._pipelines.retry(run, everything=decision.planning is Planning.PLAN_ANEW)
                    mended += decision.planning is Planning.MAKE_WAY
                case Planning.WAIT if look == 0 and found.plan is None:
                    # Whatever else is in its way was started by hand, or left behind: the workload's turn is ours.
                    self._pipelines.clear(run.pipeline, run.execution_id, OTHERS_TURN)
                case Planning.WAIT:
                    pass
            self._pause(LOOK_SECONDS)
        raise ChangeSetPending(f"CodePipeline has not made the change set of {run.stage} yet")

    def plan_removal(self, stack_name: str, content_digest: str) -> Plan:
        """See ``ports.Stacks``."""
        return self._direct.plan_removal(stack_name, content_digest)

    def described(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``."""
        return self._direct.described(request)

    def prepare(self, stack_name: str) -> None:
        """See ``ports.Stacks``."""
        self._direct.prepare(stack_name)

    def still_valid(self, plan: Plan, content_digest: str) -> bool:
        """See ``ports.Stacks``; a plan that changes nothing stays one: the pipeline executes nothing for it."""
        if plan.pipeline is None:
            return self._direct.still_valid(plan, content_digest)
        if not self._pipelines.progress(plan.pipeline).asks:
            return False
        return plan.empty or self._direct.still_valid(plan, content_digest)

    def execute(self, plan: Plan, request_token: str, comment: str = "") -> bool:
        """See ``ports.Stacks``: approve, which has the pipeline execute its change set."""
        if plan.pipeline is None:
            return self._direct.execute(plan, request_token, comment)
        if self._pipelines.answer(plan.pipeline, approved=True, comment=comment):
            return True
        found = self._pipelines.progress(plan.pipeline)
        for _ in range(ANSWERED_LOOKS):
            if not found.asks:
                break
            # It was answered, and what is listed of it comes after: taken for stale, it would be stopped.
            self._pause(LOOK_SECONDS)
            found = self._pipelines.progress(plan.pipeline)
        return deploying(found) in {Deploying.RUNNING, Deploying.DONE}

    def state(self, stack: str) -> StackState:
        """See ``ports.Stacks``."""
        return self._direct.state(stack)

    def progress(self, plan: Plan, request_token: str) -> StackState:
        """See ``ports.Stacks``."""
        if plan.pipeline is None:
            return self._direct.progress(plan, request_token)
        found = self._pipelines.progress(plan.pipeline)
        match deploying(found):
            case Deploying.NOT_BEGUN | Deploying.STALE:
                return StackState(plan.stack_id, GOES_ON)
            case Deploying.RUNNING:
                return StackState(plan.stack_id, GOES_ON, request_token)
            case Deploying.DONE:
                state = self._direct.state(plan.stack_id)
                status = "UPDATE_COMPLETE" if plan.empty else state.status
                return replace(state, status=status, last_request_token=request_token)
            case Deploying.FAILED:
                return self._failed(plan, found, request_token)

    def _failed(self, plan: Plan, found: Progress, request_token: str) -> StackState:
        """The stack's own reason where it has one of this execution; else CodePipeline's, or how the execution ended.

        Somebody may have given up an execution, and CloudFormation still be at work: that end is waited for.
        """
        reason = (found.execute.error if found.execute else "") or ended_words(found)
        if found.execute is None:
            return StackState(plan.stack_id, NEVER_BEGUN, request_token, reason)
        state = self._direct.state(plan.stack_id)
        if state.status.endswith("_IN_PROGRESS") and state.status != "REVIEW_IN_PROGRESS":
            return replace(state, last_request_token=request_token)
        if not self._direct.moved(plan):
            return StackState(plan.stack_id, NEVER_BEGUN, request_token, reason)
        if "ROLLBACK" in state.status or state.status.endswith("_FAILED"):
            return replace(state, last_request_token=request_token, reason=state.reason or reason)
        changed = state.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        told = f"{reason}; the stack is in {state.status} all the same" if changed else reason
        return StackState(plan.stack_id, NEVER_BEGUN, request_token, told)

    def execution(self, plan: Plan) -> tuple[str, str]:
        """See ``ports.Stacks``."""
        return self._direct.execution(plan)

    def discard(self, plan: Plan, *, rejected: str = "") -> None:
        """See ``ports.Stacks``: the approval is rejected with these words, or the execution stopped."""
        run = plan.pipeline
        if run is not None and rejected == STALE:
            self._reject_as_stale(run)
        elif run is not None and not (rejected and self._pipelines.answer(run, approved=False, comment=rejected)):
            self._pipelines.stop(run, "The release has ended.")
        if run is None or not self._pipelines.progress(run).approved:
            self._direct.discard(plan)

    def _reject_as_stale(self, run: PipelineStage) -> None:
        """So that the stage can be tried again: once another execution has entered it, that is refused."""
        self._pipelines.clear(run.pipeline, run.execution_id, OTHERS_TURN)
        if not self._pipelines.answer(run, approved=False, comment=STALE) and not self._rejected(run):
            self._pipelines.stop(run, STALE)

    def _rejected(self, run: PipelineStage) -> bool:
        approve = self._pipelines.progress(run).approve
        return approve is not None and approve.stale

    def moved(self, plan: Plan) -> bool:
        """See ``ports.Stacks``."""
        return self._direct.moved(plan)

    def discard_made(self, stack_name: str, change_set_name: str) -> None:
        """See ``ports.Stacks``."""
        self._direct.discard_made(stack_name, change_set_name)
