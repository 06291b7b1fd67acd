"""The thread of one execution: stage by stage, within a stage by run order, what has the same run order at once."""

from __future__ import annotations

import contextvars
import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.codepipeline import approvals, artifacts, events, stages
from local.cloud.codepipeline.executions import (
    ABANDONED,
    CANCELLED,
    CHANGED,
    FAILED,
    STOPPED,
    SUCCEEDED,
    ActionRun,
    Execution,
)
from local.cloud.codepipeline.kinds import KINDS
from local.cloud.codepipeline.pipelines import Pipeline, Stage
from local.cloud.codepipeline.sessions import Sessions
from local.cloud.codepipeline.task import CONFIGURATION, Abandoned, ActionFailed, Result, Task, failure
from local.cloud.faults import FAULTS
from local.cloud.sagemaker.jobs import worker

_LOG = logging.getLogger("local.cloud.codepipeline")
_VARIABLE = re.compile(r"#\{([\w.-]+)\.([\w-]+)\}")


def start(pipeline: Pipeline, execution: Execution) -> None:
    """Run an execution from its first stage."""
    _in_background(execution, lambda runner: runner.main(), pipeline)


def resume(pipeline: Pipeline, execution: Execution, stage: Stage, everything: bool) -> None:
    """Run an execution again from a stage that it has locked: what failed there, or ``everything``."""
    _in_background(execution, lambda runner: runner.main(stage, everything), pipeline)


def _in_background(execution: Execution, work: Callable[[_Runner], None], pipeline: Pipeline) -> None:
    def main(run: worker.Run) -> None:
        execution.run = run
        run.on_stop.append(_notify)
        work(_Runner(pipeline, execution))

    execution.run = worker.start(execution.account, execution.region, main)


def _notify() -> None:
    with CHANGED:
        CHANGED.notify_all()


class _Runner:
    """See the module."""

    def __init__(self, pipeline: Pipeline, execution: Execution) -> None:
        self.execution = execution
        self.sessions = Sessions(str(execution.declaration["roleArn"]), execution.region, execution.id)
        self.stages = dict(pipeline.stages)

    def main(self, resumed: Stage | None = None, everything: bool = False) -> None:
        """Run to the end."""
        execution = self.execution
        events.of_execution(execution, "RESUMED" if resumed else "STARTED")
        declared = list(execution.declaration["stages"])
        if resumed is not None:
            names = [stage["name"] for stage in declared]
            declared = declared[names.index(resumed.name) :]
        for number, declaration in enumerate(declared):
            stage = self.stages[declaration["name"]]
            again = resumed is not None and number == 0
            try:
                if not again:
                    stages.enter(execution, stage)
            except stages.Left as left:
                self._end(left.status)
                return
            try:
                outcome = self._stage(declaration, stage, again, everything)
            finally:
                # Before the execution's end is told: whoever retries it then locks the stage again.
                stages.leave(execution, stage)
            if outcome != SUCCEEDED or number == len(declared) - 1:
                self._end(STOPPED if outcome == SUCCEEDED and execution.stopping else outcome)
                return

    def _end(self, status: str) -> None:
        with CHANGED:
            self.execution.status, self.execution.updated = status, time.time()
            CHANGED.notify_all()
        events.of_execution(self.execution, events.STATES[status])

    def _stage(self, declaration: Mapping[str, Any], stage: Stage, again: bool, everything: bool) -> str:
        events.of_stage(self.execution, stage.name, "RESUMED" if again else "STARTED")
        outcome = SUCCEEDED
        actions = sorted(declaration["actions"], key=lambda action: int(action["runOrder"]))
        for _, grouped in itertools.groupby(actions, key=lambda action: action["runOrder"]):
            group = list(grouped)
            if again and not everything:
                group = [action for action in group if not self._has_succeeded(stage, action)]
            if group:
                outcome = self._group(stage, group)
            if outcome != SUCCEEDED:
                break
        self._enter_stage(stage, outcome)
        return outcome

    def _enter_stage(self, stage: Stage, status: str) -> None:
        with CHANGED:
            self.execution.stages[stage.name].status = status
            self.execution.updated = time.time()
            CHANGED.notify_all()
        events.of_stage(self.execution, stage.name, events.STATES[status])

    def _has_succeeded(self, stage: Stage, action: Mapping[str, Any]) -> bool:
        former = self.execution.latest(stage.name, action["name"])
        return former is not None and former.status == SUCCEEDED

    def _hold(self) -> None:
        while FAULTS.hold_jobs and not self.execution.halting:
            time.sleep(worker.LOOK_SECONDS)

    def _group(self, stage: Stage, group: list[Mapping[str, Any]]) -> str:
        """Run actions at once; what that makes of the stage."""
        self._hold()
        if self.execution.halting:
            return self._halted()
        runs = [ActionRun(stage.name, action) for action in group]
        for run in runs:
            if run.declared["actionTypeId"]["category"] == "Approval":
                approvals.ask(self.execution, run)
        with CHANGED:
            for run in runs:
                self.execution.actions.append(run)
                stage.actions[run.name] = run
            CHANGED.notify_all()
        threads = []
        for run in runs[1:]:
            context = contextvars.copy_context()
            threads.append(threading.Thread(target=context.run, args=(self._action, run), daemon=True))
        for thread in threads:
            thread.start()
        self._action(runs[0])
        for thread in threads:
            thread.join()
        statuses = {run.status for run in runs}
        if FAILED in statuses:
            return FAILED
        return self._halted() if ABANDONED in statuses else SUCCEEDED

    def _halted(self) -> str:
        return CANCELLED if self.execution.outdated and not self.execution.stopping else STOPPED

    def _action(self, run: ActionRun) -> None:
        try:
            run.configuration = {
                key: _resolved(str(value), self.execution.known)
                for key, value in (run.declared.get("configuration") or {}).items()
            }
            named = [one["name"] for one in run.declared.get("inputArtifacts") or []]
            run.inputs = [self.execution.artifacts[name] for name in named if name in self.execution.artifacts]
            events.of_action(self.execution, run)
            task = Task(self.execution, run, run.configuration, self.sessions)
            kind_id = run.declared["actionTypeId"]
            result = KINDS[kind_id["category"], kind_id["provider"]].work(task)
            task.look()
            outputs = self._written(task, result)
        except Abandoned:
            self._ended(run, ABANDONED)
        except approvals.Rejected:
            self._ended(run, FAILED)
        except (ActionFailed, ClientError, BotoCoreError) as problem:
            failed = _as_failure(problem)
            run.error_code, run.error = failed.code, str(failed)
            self._ended(run, FAILED)
        except Exception as problem:
            # A mistake in here must not leave an execution in progress for ever.
            _LOG.exception("%s of %s", run.name, self.execution.pipeline)
            run.error_code, run.error = "InternalError", repr(problem)
            self._ended(run, FAILED)
        else:
            self._succeeded(run, result, outputs)

    def _written(self, task: Task, result: Result) -> list[artifacts.Artifact]:
        named = task.declared.get("outputArtifacts") or []
        if not named or result.output is None:
            return []
        declaration = self.execution.declaration
        client = task.client("s3")
        return [artifacts.write(client, declaration, task.region, named[0]["name"], result.output)]

    def _succeeded(self, run: ActionRun, result: Result, outputs: list[artifacts.Artifact]) -> None:
        with CHANGED:
            run.summary, run.external_id, run.external_url = result.summary, result.external_id, result.external_url
            run.variables, run.revision, run.outputs = dict(result.variables), result.revision, outputs
            self.execution.artifacts |= {artifact.name: artifact for artifact in outputs}
            namespace = run.declared.get("namespace")
            if namespace:
                self.execution.known |= {(namespace, name): value for name, value in result.variables.items()}
        self._ended(run, SUCCEEDED)

    def _ended(self, run: ActionRun, status: str) -> None:
        with CHANGED:
            run.status, run.updated = status, time.time()
            self.execution.updated = run.updated
            CHANGED.notify_all()
        events.of_action(self.execution, run)


def _as_failure(problem: Exception) -> ActionFailed:
    if isinstance(problem, ActionFailed):
        return problem
    return failure(problem) if isinstance(problem, ClientError) else ActionFailed("JobFailed", str(problem))


def _resolved(text: str, known: Mapping[tuple[str, str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        if (found[1], found[2]) not in known:
            raise ActionFailed(CONFIGURATION, f"Valid variables are none of {found[0]}")
        return known[found[1], found[2]]

    return _VARIABLE.sub(value, text)
