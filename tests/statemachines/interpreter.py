"""Amazon States Language as far as the machines use it, with real JSONata and scripted answers.

What AWS refuses is refused here: an expression without a value, a time-out that is no positive number, an error that
nobody catches. ``tests/fakes/machine.py`` runs the same files over the steps themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonata.jsonata import Jsonata  # type: ignore[import-untyped]

FOLDER = Path(__file__).parents[2] / "statemachines"
FILES = ("multi_account", "single_account")

EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


def definition(name: str) -> dict[str, Any]:
    """A machine's definition."""
    parsed: dict[str, Any] = json.loads((FOLDER / f"{name}.asl.json").read_text())
    return parsed


@dataclass(frozen=True)
class Failure(Exception):
    """A task failed; some of Step Functions' own errors have no cause."""

    error: str
    cause: str | None = None


class QueryEvaluationError(Exception):
    """An expression has no value, or one that its place does not take: ``States.QueryEvaluationError``."""


Answer = Callable[[str, Mapping[str, Any], int], Any]
"""Of a task: takes the state's name, its payload and the number of the attempt; returns its result or raises
``Failure``."""


@dataclass
class Run:
    """One execution, to its end."""

    machine: Mapping[str, Any]
    answer: Answer
    payload: Mapping[str, Any] = field(default_factory=lambda: {"release_id": "fraud-0001", "stage": "prod"})
    path: list[str] = field(default_factory=list)
    """Every state that was entered."""
    attempts: dict[str, int] = field(default_factory=dict)
    """Of the latest visit to each task."""
    status: str = ""
    error: str = ""
    cause: str = ""
    output: Any = None

    def __post_init__(self) -> None:
        name, value = str(self.machine["StartAt"]), dict(self.payload)
        while not self.status:
            assert len(self.path) < 500, "the execution goes round in circles"
            self.path.append(name)
            state = self.machine["States"][name]
            match state["Type"]:
                case "Task":
                    name, value = self._task(name, state, value)
                case "Choice":
                    name = self._choice(state, value)
                case "Fail":
                    self.status = "FAILED"
                    self.error = evaluated(state["Error"], self._scope(value))
                    self.cause = evaluated(state["Cause"], self._scope(value))
        self.output = value

    def _task(self, name: str, state: Mapping[str, Any], value: Any) -> tuple[str, Any]:
        self.attempts[name] = 0
        timeout = evaluated(state["TimeoutSeconds"], self._scope(value))
        if not isinstance(timeout, int) or not 0 < timeout <= 99_999_999:
            raise QueryEvaluationError(f"{name} may take {timeout!r} seconds")
        while True:
            self.attempts[name] += 1
            given = evaluated(state["Arguments"], self._scope(value, token=f"token-of-{name}"))
            try:
                result = self.answer(name, given["Payload"], self.attempts[name])
            except Failure as failure:
                if self._retried(name, state, failure):
                    continue
                return self._caught(name, state, failure, value)
            waits = state["Resource"].endswith(".waitForTaskToken")
            output = evaluated(
                state["Output"], self._scope(value, result=result if waits else {"Payload": result, "StatusCode": 200})
            )
            if state.get("End"):
                self.status = "SUCCEEDED"
            return state.get("Next", ""), output

    def _retried(self, name: str, state: Mapping[str, Any], failure: Failure) -> bool:
        for retrier in state["Retry"]:
            if failure.error in retrier["ErrorEquals"]:
                return self.attempts[name] <= int(retrier["MaxAttempts"])
        return False

    def _caught(self, name: str, state: Mapping[str, Any], failure: Failure, value: Any) -> tuple[str, Any]:
        told = {"Error": failure.error} | ({} if failure.cause is None else {"Cause": failure.cause})
        for catcher in state.get("Catch", ()):
            if failure.error in catcher["ErrorEquals"] or "States.ALL" in catcher["ErrorEquals"]:
                output = evaluated(catcher["Output"], self._scope(value, error=told)) if "Output" in catcher else told
                return str(catcher["Next"]), output
        self.status, self.error, self.cause = "FAILED", failure.error, failure.cause or ""
        return "", told

    def _choice(self, state: Mapping[str, Any], value: Any) -> str:
        for choice in state["Choices"]:
            holds = evaluated(choice["Condition"], self._scope(value))
            if not isinstance(holds, bool):
                raise QueryEvaluationError(f"{choice['Condition']} is {holds!r}, and no truth")
            if holds:
                return str(choice["Next"])
        return str(state["Default"])

    def _scope(self, value: Any, *, result: Any = None, error: Any = None, token: str = "") -> dict[str, Any]:
        scope: dict[str, Any] = {
            "input": value,
            "context": {
                "Execution": {"Name": "fraud-0001", "Input": dict(self.payload)},
                **({"Task": {"Token": token}} if token else {}),
            },
        }
        scope |= {} if result is None else {"result": result}
        return scope | ({} if error is None else {"errorOutput": error})


def evaluated(template: Any, scope: Mapping[str, Any]) -> Any:
    """A value with its expressions evaluated; one without a value is an error, as in Step Functions."""
    if isinstance(template, dict):
        return {name: evaluated(member, scope) for name, member in template.items()}
    if isinstance(template, list):
        return [evaluated(member, scope) for member in template]
    match = EXPRESSION.fullmatch(template) if isinstance(template, str) else None
    if match is None:
        return template
    expression = Jsonata(match[1].strip())
    expression.assign("states", scope)
    found = expression.evaluate(None)
    if found is None:
        raise QueryEvaluationError(f"{template} has no value")
    return found
