"""Stages are locked while an execution is in them; what else arrives waits in front.

"How pipeline executions work" of the AWS CodePipeline User Guide: in SUPERSEDED mode one execution waits in front of a
locked stage, and a more recent one takes its place; in QUEUED mode all wait in the order of their start; in PARALLEL
mode none does. A failure releases the lock, and so does a stop.
"""

from __future__ import annotations

import time

from local.cloud.codepipeline.executions import CANCELLED, CHANGED, STOPPED, SUPERSEDED, Execution, StageRun
from local.cloud.codepipeline.pipelines import Pipeline, Stage

LOOK_SECONDS = 0.5


class Left(Exception):
    """The execution does not enter the stage; ``status`` is its end."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


def enter(execution: Execution, stage: Stage) -> None:
    """Wait until the stage is free, and lock it; raises Left."""
    with CHANGED:
        if execution.mode == "SUPERSEDED":
            _overtake(execution, stage)
        stage.inbound.append(execution)
        stage.inbound.sort(key=lambda waiting: waiting.number)
        CHANGED.notify_all()
        try:
            while not _may_enter(execution, stage):
                CHANGED.wait(LOOK_SECONDS)
        finally:
            stage.inbound = [waiting for waiting in stage.inbound if waiting is not execution]
        lock(execution, stage)


def lock(execution: Execution, stage: Stage) -> None:
    """The execution is in the stage from now on; ``CHANGED`` is held."""
    if execution.mode != "PARALLEL":
        stage.holder = execution
    run = execution.stages.setdefault(stage.name, StageRun(execution.id))
    run.status = "InProgress"
    stage.latest = run
    execution.updated = time.time()
    CHANGED.notify_all()


def leave(execution: Execution, stage: Stage) -> None:
    """The stage is free again."""
    with CHANGED:
        if stage.holder is execution:
            stage.holder = None
        CHANGED.notify_all()


def close(pipeline: Pipeline, stage: str, reason: str, by: str) -> None:
    """Disable the transition into a stage, or enable it where there is no ``reason``; raises ApiError."""
    with CHANGED:
        found = pipeline.stage(stage)
        found.closed, found.transition_by, found.transition_at = reason, by, time.time()
        CHANGED.notify_all()


def _overtake(execution: Execution, stage: Stage) -> None:
    for waiting in stage.inbound:
        if waiting.number > execution.number:
            raise Left(SUPERSEDED)
        waiting.superseded = True
    stage.inbound = []


def _may_enter(execution: Execution, stage: Stage) -> bool:
    if execution.superseded:
        raise Left(SUPERSEDED)
    if execution.stopping or execution.forgotten:
        raise Left(STOPPED)
    if execution.outdated:
        raise Left(CANCELLED)
    if execution.mode == "PARALLEL":
        return not stage.closed
    return stage.holder is None and not stage.closed and stage.inbound[0] is execution
