"""The product's state machines, interpreted over the fakes: enough of Amazon States Language and JSONata for them.

An execution moves when it is told to (``tick``), so that a test decides what happens between. A task that waits for its
token moves when the token has been answered or its time is over. A step that died (``Died``) is tried again with a new
token, as Step Functions does after ``Lambda.Unknown``; one that raised ``TryAgain`` is tried again at the next tick.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.core.errors import Conflict, TryAgain
from orchestrator.core.records import Release, Status, TaskToken
from tests.fakes.memory_world import MULTI_MACHINE, SINGLE_MACHINE, MemoryWorld

MACHINES = Path(__file__).parents[2] / "statemachines"


class Died(BaseException):
    """The function's process is gone: no ``except`` of the step sees it."""


@dataclass
class Execution:
    """One execution: where it is, with what, and whether it waits."""

    name: str
    definition: Mapping[str, Any]
    payload: Mapping[str, Any]
    state: str
    value: Any = None
    """``$states.input`` of the state."""
    token: TaskToken | None = None
    entered: datetime = datetime.min
    status: str = "RUNNING"
    path: list[str] = field(default_factory=list)
    """Every state that was entered, in order."""


class Machines:
    """Step Functions: starts an execution for whatever ``FakeTasks`` was told to start."""

    def __init__(self, world: MemoryWorld) -> None:
        self.world = world
        self.executions: dict[str, Execution] = {}
        self._definitions = {
            MULTI_MACHINE: json.loads((MACHINES / "multi_account.asl.json").read_text()),
            SINGLE_MACHINE: json.loads((MACHINES / "single_account.asl.json").read_text()),
        }

    def running(self) -> list[Execution]:
        """Executions that have not ended, in the order of their start."""
        for name, (machine, payload) in self.world.fake_tasks.started.items():
            if name not in self.executions:
                definition = self._definitions[machine]
                first = Execution(name, definition, payload, definition["StartAt"], payload)
                self._enter(first, definition["StartAt"], payload)
                self.executions[name] = first
        return [execution for execution in self.executions.values() if execution.status == "RUNNING"]

    def tick(self, execution: Execution) -> bool:
        """Do what the current state can do now; whether the execution has moved."""
        state = execution.definition["States"][execution.state]
        if state["Type"] == "Choice":
            self._enter(execution, self._chosen(state, execution), execution.value)
            return True
        if state["Type"] == "Fail":
            execution.status = "FAILED"
            return True
        if execution.token is not None:
            return self._waited(state, execution, execution.token)
        return self._call(state, execution)

    def settle(self, most: int = 200) -> None:
        """Move every execution until none moves any more."""
        for _ in range(most):
            moved = [self.tick(execution) for execution in self.running()]
            if not any(moved):
                return
        raise AssertionError("the executions never come to rest")

    def time_out(self, execution: Execution) -> None:
        """The time of the task that waits is over."""
        assert execution.token is not None
        self.world.fake_tasks.retired.add(execution.token.value)
        self._raise(execution, "States.Timeout", "")

    def stop(self, execution: Execution) -> None:
        """Somebody stops the execution in the console: nothing of it runs any more."""
        execution.status = "ABORTED"
        if execution.token is not None:
            self.world.fake_tasks.retired.add(execution.token.value)

    def _call(self, state: Mapping[str, Any], execution: Execution) -> bool:
        waits = state["Resource"].endswith(".waitForTaskToken")
        token = self.world.token() if waits else None
        payload = {
            name: _evaluated(value, self._scope(execution, token=token))
            for name, value in state["Arguments"]["Payload"].items()
        }
        step = _STEPS[state["Arguments"]["FunctionName"].strip("${}").removesuffix("FunctionArn")]
        try:
            result = step(self.world, payload)
        except (Died, TryAgain, Conflict):
            if token is not None:
                self.world.fake_tasks.retired.add(token.value)
            return False
        except Exception as error:
            if token is not None:
                self.world.fake_tasks.retired.add(token.value)
            cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
            self._raise(execution, type(error).__name__, cause)
            return True
        if token is None:
            self._leave(state, execution, {"Payload": result})
        else:
            execution.token = token
        return True

    def _waited(self, state: Mapping[str, Any], execution: Execution, token: TaskToken) -> bool:
        tasks = self.world.fake_tasks
        if token.value in tasks.answers:
            self._leave(state, execution, tasks.answers[token.value])
            return True
        if token.value in tasks.failures:
            self._raise(execution, *tasks.failures[token.value])
            return True
        allowed = _evaluated(state["TimeoutSeconds"], self._scope(execution))
        if self.world.clock.moment >= execution.entered + timedelta(seconds=allowed):
            self.time_out(execution)
            return True
        return False

    def _leave(self, state: Mapping[str, Any], execution: Execution, result: Any) -> None:
        output = _evaluated(state["Output"], self._scope(execution, result=result))
        if state.get("End"):
            execution.status, execution.token, execution.value = "SUCCEEDED", None, output
        else:
            self._enter(execution, state["Next"], output)

    def _raise(self, execution: Execution, error: str, cause: str) -> None:
        state = execution.definition["States"][execution.state]
        for catcher in state.get("Catch", []):
            if error in catcher["ErrorEquals"] or "States.ALL" in catcher["ErrorEquals"]:
                scope = self._scope(execution, error={"Error": error, "Cause": cause})
                output = {name: _evaluated(value, scope) for name, value in catcher.get("Output", {}).items()}
                self._enter(execution, catcher["Next"], output)
                return
        execution.status, execution.token = "FAILED", None
        raise AssertionError(f"{execution.state} of {execution.name} failed uncaught: {error}: {cause}")

    def _enter(self, execution: Execution, state: str, value: Any) -> None:
        execution.state, execution.value, execution.token = state, value, None
        execution.entered = self.world.clock.moment
        execution.path.append(state)

    def _chosen(self, state: Mapping[str, Any], execution: Execution) -> str:
        for choice in state["Choices"]:
            if _evaluated(choice["Condition"], self._scope(execution)):
                return str(choice["Next"])
        return str(state["Default"])

    def _scope(
        self, execution: Execution, *, result: Any = None, error: Any = None, token: TaskToken | None = None
    ) -> dict[str, Any]:
        return {
            "input": execution.value,
            "result": result,
            "errorOutput": error,
            "context": {
                "Execution": {"Name": execution.name, "Input": execution.payload},
                "Task": {"Token": token},
            },
        }


def _evaluated(text: Any, scope: Mapping[str, Any]) -> Any:
    """A path, or a path compared with a literal: all the JSONata that the machines use."""
    match = (
        re.fullmatch(r"\{%\s*\$states\.([\w.]+)(?:\s*=\s*'([^']*)')?\s*%\}", text) if isinstance(text, str) else None
    )
    if match is None:
        assert not (isinstance(text, str) and "{%" in text), f"the interpreter does not know {text!r}"
        return text
    value: Any = scope
    for step in match[1].split("."):
        value = value[step]
    return value if match[2] is None else value == match[2]


def _failure(given: Mapping[str, Any]) -> dict[str, str]:
    """What ``functions/record_outcome`` makes of Step Functions' error output."""
    failure = given.get("failure", {})
    return {"error": failure.get("Error", ""), "cause": failure.get("Cause", "")}


Step = Callable[[MemoryWorld, Mapping[str, Any]], Any]

_STEPS: Mapping[str, Step] = {
    "Package": lambda world, given: world.package(given["release_id"]),
    "PlanStage": lambda world, given: world.plan(given["release_id"], given["stage"]),
    "RequestApproval": lambda world, given: world.ask(given["release_id"], given["stage"], given["task_token"]),
    "DeployStage": lambda world, given: world.deploy(given["release_id"], given["stage"], given["task_token"]),
    "RunJob": lambda world, given: world.run_job(given["release_id"], given["stage"], given["task_token"]),
    "VerifyStage": lambda world, given: world.verify(given["release_id"], given["stage"]),
    "RecordOutcome": lambda world, given: world.end(given["release_id"], Status(given["outcome"]), **_failure(given)),
}


def ended(release: Release) -> bool:
    """Whether the release has come to one of its named ends."""
    return release.status.ended
