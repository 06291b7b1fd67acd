"""Handlers as Lambda calls them, over a world in memory.

``Called`` loads a function's module, fills its environment as the stack does, and puts the world in memory in the place
of AWS. Whatever a handler prints is kept, and no test ends well in which a task token was printed.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.aws.environment import variables
from orchestrator.aws.world import Starting, World
from orchestrator.core.installation import Installation
from orchestrator.core.steps.reception import Reception
from tests.fakes.memory_world import ASSETS, MULTI_MACHINE, PACKAGES, PACKAGES_KEY, SINGLE_MACHINE, MemoryWorld

SECRET_TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAQ-the-task-token"

VALUES = {
    "table_name": "mlops-records",
    "settings_parameter": "/mlops/settings",
    "assets_bucket": ASSETS,
    "packages_bucket": PACKAGES,
    "commits_bucket": "mlops-commits",
    "packages_key_arn": PACKAGES_KEY,
    "artifacts_bucket": "",
    "artifacts_key_arn": "",
    "multi_machine_arn": MULTI_MACHINE,
    "single_machine_arn": SINGLE_MACHINE,
    "record_outcome_function": "mlops-record-outcome",
    "examine_function": "mlops-examine",
    "slack_request_url": "https://abc123.execute-api.us-east-1.amazonaws.com/slack/events",
    "slack_secret_arn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:SlackSecret-a1b2c3",
    "slack_queue_url": "https://sqs.us-east-1.amazonaws.com/111111111111/mlops-slack.fifo",
    "topic_arn": "arn:aws:sns:us-east-1:111111111111:mlops",
}

CONTEXT = SimpleNamespace(aws_request_id="request-of-lambda")


@dataclass
class Asked:
    """What a handler asked its world for."""

    table_name: str
    settings_parameter: str
    session_name: str


class WorldInMemory:
    """``orchestrator.aws.world.World`` over a ``MemoryWorld``."""

    def __init__(self, memory: MemoryWorld) -> None:
        self._memory = memory
        self.asked: list[Asked] = []
        self.found: Any = []
        """Findings of the function behind GET /doctor; an exception is raised."""
        self.examined: list[str] = []

    def __call__(self, table_name: str, settings_parameter: str, session_name: str = "mlops-orchestrator") -> Any:
        """Stands for the class."""
        self.asked.append(Asked(table_name, settings_parameter, session_name))
        return self

    @property
    def installation(self) -> Installation:
        """See ``World``."""
        return self._memory.installation

    def reception(self, env: Starting) -> Reception:
        """See ``World``."""
        return World.reception(cast("World", self), env)

    def examination(self, function_name: str) -> Any:
        """See ``World``."""
        self.examined.append(function_name)
        return SimpleNamespace(findings=self._findings)

    def _findings(self) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)


class Called:
    """A handler, to be called with events; ``output`` is all that it has printed."""

    def __init__(
        self, name: str, memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch, read: Callable[[], str]
    ) -> None:
        self.name = name
        self.world = WorldInMemory(memory)
        self._module = importlib.import_module(f"functions.{name}.handler")
        self._read = read
        self.output = ""
        env = importlib.import_module(f"functions.{name}.env").Env
        filled = env(**{field.name: VALUES[field.name] for field in fields(env)})
        for variable, value in variables(filled).items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setattr(self._module, "World", self.world)

    def __call__(self, event: dict[str, Any]) -> Any:
        """One invocation, through JSON as in Lambda; also what it answers is JSON."""
        # A logger is made anew, so that it prints to the output of this test.
        logging.Logger.manager.loggerDict.pop(self.name, None)
        try:
            return json.loads(json.dumps(self._module.handler(json.loads(json.dumps(event)), CONTEXT)))
        finally:
            self.output += self._read()

    @property
    def logged(self) -> list[dict[str, Any]]:
        """The log lines."""
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        """The last log line."""
        return self.logged[-1]


@pytest.fixture
def memory() -> MemoryWorld:
    """The world in memory."""
    return MemoryWorld()


@pytest.fixture
def called(
    memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[str], Called]]:
    """Makes a handler callable, by the function's name."""
    made: list[Called] = []

    def read() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    def make(name: str) -> Called:
        made.append(Called(name, memory, monkeypatch, read))
        return made[-1]

    yield make
    for one in made:
        assert SECRET_TOKEN not in one.output
