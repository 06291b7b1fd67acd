"""How one stage of a pipeline's execution stands, and what follows from it.

Told by ListActionExecutions: GetPipelineState shows the latest run of each action, which may be of another execution.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.pipelines.template import APPROVE, EXECUTE, PLAN
from orchestrator.core.plans import STALE

IN_PROGRESS, SUCCEEDED, FAILED, ABANDONED = "InProgress", "Succeeded", "Failed", "Abandoned"
"""``ActionExecutionStatus``."""
STOPPED, STOPPING, SUPERSEDED, CANCELLED = "Stopped", "Stopping", "Superseded", "Cancelled"
"""Further ones of ``PipelineExecutionStatus``."""


@dataclass(frozen=True)
class ActionRun:
    """One run of one action, as ListActionExecutions tells of it."""

    stage: str
    action: str
    status: str
    id: str = ""
    by: str = ""
    """ARN of who changed it last: of an approval, who has answered it."""
    summary: str = ""
    """Of an approval, the comment of whoever has answered it."""
    error: str = ""


@dataclass(frozen=True)
class Progress:
    """How one stage of an execution stands: its actions since it was planned last."""

    execution: str
    """``PipelineExecutionStatus``."""
    plan: ActionRun | None = None
    approve: ActionRun | None = None
    execute: ActionRun | None = None
    error: str = ""
    """What the execution's last failed action says, in whichever stage."""

    @property
    def asks(self) -> bool:
        """Whether the stage waits for its approval."""
        return self.approve is not None and self.approve.status == IN_PROGRESS

    @property
    def runs(self) -> bool:
        """Whether the execution goes on."""
        return self.execution == IN_PROGRESS


def progress_of(execution: str, runs: Iterable[ActionRun], stage: str) -> Progress:
    """``runs``: every action of the execution, oldest first."""
    latest: dict[str, ActionRun] = {}
    error = ""
    for run in runs:
        error = run.error or error
        if run.stage == stage:
            if run.action == PLAN:
                latest.clear()
            latest[run.action] = run
    return Progress(execution, latest.get(PLAN), latest.get(APPROVE), latest.get(EXECUTE), error)


class Planning(StrEnum):
    """What is to be done about a stage whose plan is wanted."""

    WAIT = "wait"
    ASKED = "asked"
    """The change set is there, and the stage waits for its approval."""
    PLAN_ANEW = "plan_anew"
    """We have rejected its plan as stale: all of the stage is tried again."""
    MAKE_WAY = "make_way"
    """CloudFormation refused a change set for the status that the stack was in: to be tried again once it is mended."""
    BYPASSED = "bypassed"
    """Somebody has answered the approval before anybody was asked."""
    FAILED = "failed"


@dataclass(frozen=True)
class Decision:
    """With the reason, as a clause, where nothing can be planned."""

    planning: Planning
    reason: str = ""


def planning(progress: Progress) -> Decision:
    """What is to be done about a stage whose plan is wanted."""
    approve, plan = progress.approve, progress.plan
    if approve is not None:
        if approve.status == IN_PROGRESS:
            return Decision(Planning.ASKED)
        if approve.status == FAILED and STALE in approve.summary:
            return Decision(Planning.PLAN_ANEW)
        if approve.by or approve.status == SUCCEEDED:
            verb = "approved" if approve.status == SUCCEEDED else "rejected"
            reason = f"it was {verb} in CodePipeline by {approve.by or 'somebody'} before anybody was asked"
            return Decision(Planning.BYPASSED, reason)
    elif plan is not None and plan.status == FAILED and not progress.runs:
        mendable = "_IN_PROGRESS" in plan.error or "ROLLBACK_COMPLETE" in plan.error
        return Decision(Planning.MAKE_WAY if mendable else Planning.FAILED, plan.error)
    if progress.runs:
        return Decision(Planning.WAIT)
    return Decision(Planning.FAILED, ended_words(progress))


def ended_words(progress: Progress) -> str:
    """Why an execution that was to go on does not, as a clause."""
    how = f"its execution in CodePipeline has ended {progress.execution}"
    return f"{how}: {progress.error}" if progress.error else how


class Deploying(StrEnum):
    """How the deployment of an approved stage stands."""

    NOT_BEGUN = "not_begun"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


def deploying(progress: Progress) -> Deploying:
    """How the deployment of a stage stands, by its actions; by the execution's end where none has begun."""
    approve, execute = progress.approve, progress.execute
    if execute is not None and execute.status in {SUCCEEDED, FAILED, ABANDONED}:
        return Deploying.DONE if execute.status == SUCCEEDED else Deploying.FAILED
    if execute is not None or (approve is not None and approve.status == SUCCEEDED):
        return Deploying.RUNNING if progress.execution in {IN_PROGRESS, STOPPING} else Deploying.FAILED
    return Deploying.NOT_BEGUN if progress.asks else Deploying.FAILED
