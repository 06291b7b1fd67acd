"""The pipelines of workloads as ``core.pipelines.ports.Pipelines``: CodePipeline, and CloudFormation that makes them.

ListActionExecutions tells how a stage of *this* execution stands. The token of an open approval is in GetPipelineState
alone; it never leaves this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.aws.stack_events import latest_operation
from orchestrator.aws.stack_reading import in_progress, is_absent, is_busy, stack_of
from orchestrator.aws.translated import code_of, message_of, translated
from orchestrator.core.errors import PipelineFailed, PlanFailed, StackBusy, Throttled
from orchestrator.core.installation import Installation
from orchestrator.core.pipelines.progress import FAILED, IN_PROGRESS, STOPPED, ActionRun, Progress, progress_of
from orchestrator.core.pipelines.template import APPROVE, MAX_COMMENT, MAX_REASON, SOURCE, shortened
from orchestrator.core.plans import PackageVersion, PipelineStage
from orchestrator.core.stage_roles import PATH, PIPELINE_STACKS
from orchestrator.core.steps.progress import stamp

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient

LOOK_SECONDS = 3.0
LOOKS = 100
"""How often a stack that is being made is looked at inside the function: five minutes."""

_MADE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"})
_DELETE_FIRST = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"})
_NO_UPDATES = "No updates are to be performed"
_ANSWERED = frozenset({"ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"})
_ENDED = frozenset(
    {
        *("PipelineExecutionNotStoppableException", "DuplicatedStopRequestException"),
        *("PipelineExecutionNotFoundException", "PipelineNotFoundException"),
    }
)
_GOES_ON = frozenset({"InProgress", "Stopping"})
_BUSY = frozenset({"ConflictException", "ConcurrentPipelineExecutionsLimitExceededException"})
"""CodePipeline is at work on the pipeline just now, and asks to be called again."""


class CodePipelines:
    """See the module. Clients are made when they are first needed; ``pause`` sleeps."""

    def __init__(
        self,
        codepipeline: Callable[[], Any],
        cloudformation: Callable[[], CloudFormationClient],
        service_role_arn: str,
        pause: Callable[[float], None],
    ) -> None:
        self._make_codepipeline = codepipeline
        self._make_cloudformation = cloudformation
        self._service_role_arn = service_role_arn
        self._pause = pause

    @cached_property
    def _pipelines(self) -> Any:
        return self._make_codepipeline()

    @cached_property
    def _stacks(self) -> CloudFormationClient:
        return self._make_cloudformation()

    def provision(self, name: str, template: str) -> None:
        """See ``Pipelines``."""
        with translated("cloudformation"):
            status = self._settled(name)
            if status in _DELETE_FIRST:
                self._stacks.delete_stack(StackName=name)
                status = self._settled(name)
            given: dict[str, Any] = {"TemplateBody": template, "RoleARN": self._service_role_arn}
            try:
                if status == "ABSENT":
                    self._stacks.create_stack(StackName=name, **given)
                else:
                    self._stacks.update_stack(StackName=name, **given)
            except self._stacks.exceptions.AlreadyExistsException:
                pass  # of another call of this step
            except self._stacks.exceptions.ClientError as error:
                if _NO_UPDATES in message_of(error):
                    return
                if is_busy(error):
                    raise StackBusy(f"{name} has another operation in progress") from error
                raise
            status = self._settled(name)
            if status not in _MADE:
                why = latest_operation(self._stacks, name).reason or f"its stack is in {status}"
                raise PipelineFailed(f"the pipeline {name} could not be made: {why}")

    def _settled(self, name: str) -> str:
        """The stack's status once nothing is done with it any more; raises ``StackBusy``."""
        for _ in range(LOOKS):
            stack = stack_of(self._stacks, name)
            if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
                return "ABSENT"
            if not in_progress(stack["StackStatus"]):
                return str(stack["StackStatus"])
            self._pause(LOOK_SECONDS)
        raise StackBusy(f"the stack {name} is still being worked on")

    def retire(self, name: str) -> None:
        """See ``Pipelines``."""
        with translated("cloudformation"):
            try:
                self._stacks.delete_stack(StackName=name, RoleARN=self._service_role_arn)
            except self._stacks.exceptions.ClientError as error:
                if not is_absent(error):
                    raise

    def start(self, name: str, package: PackageVersion, request_token: str) -> str:
        """See ``Pipelines``."""
        given = {"S3_OBJECT_KEY": package.key, "S3_OBJECT_VERSION_ID": package.version_id}
        with _answers():
            started = self._pipelines.start_pipeline_execution(
                name=name,
                clientRequestToken=request_token,
                sourceRevisions=[
                    {"actionName": SOURCE, "revisionType": kind, "revisionValue": value}
                    for kind, value in given.items()
                ],
            )
        return str(started["pipelineExecutionId"])

    def clear(self, name: str, keep: str, reason: str) -> int:
        """See ``Pipelines``."""
        with _answers():
            found = self._pipelines.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
            others = [
                one["pipelineExecutionId"]
                for one in found
                if one["status"] in _GOES_ON and one["pipelineExecutionId"] != keep
            ]
            return sum(self._stop(name, other, reason) for other in others)

    def progress(self, run: PipelineStage) -> Progress:
        """See ``Pipelines``: the execution is read first, so that one that has ended has all its actions.

        One that was just started may take a moment to show.
        """
        with _answers():
            try:
                execution = self._pipelines.get_pipeline_execution(
                    pipelineName=run.pipeline, pipelineExecutionId=run.execution_id
                )["pipelineExecution"]
                runs = [_action_run(raw) for raw in self._actions(run)]
            except self._pipelines.exceptions.ClientError as error:
                if code_of(error) == "PipelineExecutionNotFoundException":
                    return Progress(IN_PROGRESS)
                if code_of(error) == "PipelineNotFoundException":
                    return Progress(STOPPED, error="the pipeline was deleted")
                raise
        return progress_of(execution["status"], reversed(runs), run.stage)

    def _actions(self, run: PipelineStage) -> Iterator[Mapping[str, Any]]:
        """Newest first."""
        more: dict[str, str] = {}
        while True:
            page = self._pipelines.list_action_executions(
                pipelineName=run.pipeline, filter={"pipelineExecutionId": run.execution_id}, **more
            )
            yield from page["actionExecutionDetails"]
            if not page.get("nextToken"):
                return
            more = {"nextToken": page["nextToken"]}

    def answer(self, run: PipelineStage, *, approved: bool, comment: str) -> bool:
        """See ``Pipelines``."""
        asked = self.progress(run).approve
        with _answers():
            token = self._token(run, asked.id) if asked is not None else ""
            if not token:
                return False
            try:
                self._pipelines.put_approval_result(
                    pipelineName=run.pipeline,
                    stageName=run.stage,
                    actionName=APPROVE,
                    token=token,
                    result={
                        "status": "Approved" if approved else "Rejected",
                        "summary": shortened(comment, MAX_COMMENT),
                    },
                )
            except self._pipelines.exceptions.ClientError as error:
                if code_of(error) in _ANSWERED:
                    return False
                raise
        return True

    def _token(self, run: PipelineStage, action_id: str) -> str:
        """Of the approval that this run of the action asks for; empty where it asks no more."""
        for stage in self._pipelines.get_pipeline_state(name=run.pipeline)["stageStates"]:
            for action in stage["actionStates"] if stage["stageName"] == run.stage else ():
                latest = action.get("latestExecution", {})
                if action["actionName"] == APPROVE and latest.get("actionExecutionId") == action_id:
                    return str(latest.get("token", ""))
        return ""

    def retry(self, run: PipelineStage, *, everything: bool) -> None:
        """See ``Pipelines``."""
        with _answers():
            try:
                self._pipelines.retry_stage_execution(
                    pipelineName=run.pipeline,
                    stageName=run.stage,
                    pipelineExecutionId=run.execution_id,
                    retryMode="ALL_ACTIONS" if everything else "FAILED_ACTIONS",
                )
            except self._pipelines.exceptions.ClientError as error:
                if code_of(error) == "NotLatestPipelineExecutionException":
                    raise PlanFailed(f"another execution of {run.pipeline} has entered {run.stage}") from error
                if code_of(error) != "StageNotRetryableException":
                    raise

    def stop(self, run: PipelineStage, reason: str) -> bool:
        """See ``Pipelines``."""
        with _answers():
            return self._stop(run.pipeline, run.execution_id, reason)

    def _stop(self, name: str, execution_id: str, reason: str) -> bool:
        try:
            self._pipelines.stop_pipeline_execution(
                pipelineName=name, pipelineExecutionId=execution_id, abandon=True, reason=shortened(reason, MAX_REASON)
            )
        except self._pipelines.exceptions.ClientError as error:
            if code_of(error) not in _ENDED:
                raise
            return False
        return True

    def state(self, name: str) -> Mapping[str, Any]:
        """See ``Pipelines``."""
        with _answers():
            try:
                found = self._pipelines.get_pipeline_state(name=name)
            except self._pipelines.exceptions.ClientError as error:
                if code_of(error) != "PipelineNotFoundException":
                    raise
                return {}
        shown: dict[str, Any] = _shown({key: value for key, value in found.items() if key != "ResponseMetadata"})
        return shown


def pipelines_of(installation: Installation, clients: Callable[[str], Any]) -> CodePipelines:
    """The pipelines of an installation; ``clients`` makes clients of the function's own role, by service."""
    role = f"arn:{installation.partition}:iam::{installation.account}:role{PATH}{PIPELINE_STACKS}"
    return CodePipelines(lambda: clients("codepipeline"), lambda: clients("cloudformation"), role, time.sleep)


@contextmanager
def _answers() -> Iterator[None]:
    """``translated``, with what CodePipeline alone says."""
    from botocore.exceptions import ClientError

    with translated("codepipeline"):
        try:
            yield
        except ClientError as error:
            if code_of(error) in _BUSY:
                raise Throttled(f"CodePipeline is busy: {message_of(error)}") from error
            raise


def _action_run(raw: Mapping[str, Any]) -> ActionRun:
    result = raw.get("output", {}).get("executionResult", {})
    summary = result.get("externalExecutionSummary", "")
    failed = raw["status"] == FAILED and raw["actionName"] != APPROVE
    return ActionRun(
        stage=raw["stageName"],
        action=raw["actionName"],
        status=raw["status"],
        id=raw["actionExecutionId"],
        by=raw.get("updatedBy", ""),
        summary=summary,
        error=result.get("errorDetails", {}).get("message", "") or (summary if failed else ""),
    )


def _shown(value: Any) -> Any:
    """Without tokens, and with times as the records write them."""
    if isinstance(value, Mapping):
        return {key: _shown(one) for key, one in value.items() if key != "token"}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return stamp(value) if isinstance(value, datetime) else value
