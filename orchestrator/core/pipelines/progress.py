"""How one stage of a pipeline's execution stands, and what follows from it.

Told by ListActionExecutions: GetPipelineState shows the latest run of each action, which may be of another execution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.pipelines.template import APPROVE, EXECUTE, PLAN
from orchestrator.core.plans import STALE
from orchestrator.core.stage_roles import PIPELINE_ANSWERERS, function_role_name

_OURS = re.compile(rf":assumed-role/({'|'.join(map(function_role_name, PIPELINE_ANSWERERS))})/")
"""In ``ActionRun.by``: the functions that answer approvals."""

IN_PROGRESS, SUCCEEDED, FAILED, ABANDONED = "InProgress", "Succeeded", "Failed", "Abandoned"
"""``ActionExecutionStatus``."""
STOPPED, STOPPING = "Stopped", "Stopping"
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

    @property
    def ours(self) -> bool:
        """Whether one of our own functions has answered it."""
        return bool(_OURS.search(self.by))

    @property
    def stale(self) -> bool:
        """Whether it is an approval that we have rejected ourselves, because its plan would no longer do what was
        shown: no release goes on after any other rejection of ours."""
        return self.status == FAILED and (self.ours or STALE in self.summary)

    @property
    def outside(self) -> bool:
        """Whether it is an approval that somebody has given past us."""
        return self.status == SUCCEEDED and not self.ours


@dataclass(frozen=True)
class Progress:
    """How one stage of an execution stands: its actions since it was planned last."""

    execution: str
    """``PipelineExecutionStatus``."""
    plan: ActionRun | None = None
    approve: ActionRun | None = None
    execute: ActionRun | None = None
    error: str = ""
    """What says the action that failed last, in whichever stage, and was not tried again since."""

    @property
    def asks(self) -> bool:
        """Whether the stage waits for its approval."""
        return self.approve is not None and self.approve.status == IN_PROGRESS

    @property
    def approved(self) -> bool:
        """Whether somebody has approved the stage: nothing takes that back."""
        return self.approve is not None and self.approve.status == SUCCEEDED

    @property
    def runs(self) -> bool:
        """Whether the execution goes on."""
        return self.execution == IN_PROGRESS


def progress_of(execution: str, runs: Iterable[ActionRun], stage: str) -> Progress:
    """``runs``: every action of the execution, oldest first."""
    latest: dict[str, ActionRun] = {}
    errors: dict[tuple[str, str], str] = {}
    for run in runs:
        errors.pop((run.stage, run.action), None)
        if run.error:
            errors[run.stage, run.action] = run.error
        if run.stage == stage:
            if run.action == PLAN:
                latest.clear()
            latest[run.action] = run
    error = next(reversed(errors.values()), "")
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
        if approve.stale:
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
    STALE = "stale"
    """We have rejected the plan: it is to be made anew, and nothing of it was deployed."""


def deploying(progress: Progress) -> Deploying:
    """How the deployment of a stage stands, by its actions; by the execution's end where none has begun."""
    approve, execute = progress.approve, progress.execute
    if execute is not None and execute.status in {SUCCEEDED, FAILED, ABANDONED}:
        return Deploying.DONE if execute.status == SUCCEEDED else Deploying.FAILED
    if execute is not None or progress.approved:
        return Deploying.RUNNING if progress.execution in {IN_PROGRESS, STOPPING} else Deploying.FAILED
    if approve is not None and approve.stale:
        return Deploying.STALE
    # What is listed may be a moment behind: as long as the execution goes on, an approval that does not show is none
    # that was rejected.
    waits = progress.asks or (approve is None and progress.runs)
    return Deploying.NOT_BEGUN if waits else Deploying.FAILED
