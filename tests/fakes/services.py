"""Step Functions' tasks, SageMaker and mail in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.core.ports import Answer, JobState
from orchestrator.core.records import TaskToken
from tests.fakes.stacks import FakeStacks


@dataclass
class FakeTasks:
    """``ports.Tasks``: remembers what was started and answered. A token takes one answer; a retired one takes none."""

    started: dict[str, tuple[str, Mapping[str, object]]] = field(default_factory=dict)
    answers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    """Tokens whose task has ended without an answer: timed out, or tried again under another token."""

    def start(self, machine_arn: str, name: str, payload: Mapping[str, object]) -> str:
        """See ``ports.Tasks``."""
        self.started.setdefault(name, (machine_arn, payload))
        return f"arn:execution:{name}"

    def succeed(self, token: TaskToken, output: Mapping[str, object]) -> bool:
        """See ``ports.Tasks``."""
        if self._closed(token):
            return False
        self.answers[token.value] = output
        return True

    def fail(self, token: TaskToken, error: str, cause: str) -> bool:
        """See ``ports.Tasks``."""
        if self._closed(token):
            return False
        self.failures[token.value] = (error, cause)
        return True

    def _closed(self, token: TaskToken) -> bool:
        return token.value in self.answers or token.value in self.failures or token.value in self.retired


@dataclass
class FakeEndpoints:
    """``ports.Endpoints``: every endpoint is in service and answers what it is told to."""

    answer: Answer = field(default_factory=lambda: Answer(200, b"[1]", "application/json"))
    status_of: tuple[str, str] = ("InService", "")
    asked: list[tuple[str, bytes, str]] = field(default_factory=list)
    seconds: float = 0
    """How long the model works on its answer."""

    def status(self, endpoint: str) -> tuple[str, str]:
        """See ``ports.Endpoints``."""
        return self.status_of

    def invoke(self, endpoint: str, body: bytes, content_type: str, timeout_seconds: int) -> Answer | None:
        """See ``ports.Endpoints``."""
        self.asked.append((endpoint, body, content_type))
        return self.answer if self.seconds <= timeout_seconds else None


@dataclass
class FakeJobs:
    """``ports.Jobs``: one execution for each request token."""

    states: dict[str, JobState] = field(default_factory=dict)

    def start_pipeline(self, pipeline: str, request_token: str, display_name: str) -> str:
        """See ``ports.Jobs``."""
        arn = f"arn:pipeline:{pipeline}:{request_token}"
        self.states.setdefault(arn, JobState(arn, "Executing"))
        return arn

    def pipeline(self, execution_arn: str) -> JobState:
        """See ``ports.Jobs``."""
        return self.states[execution_arn]

    def end(self, status: str, reason: str = "") -> None:
        """End every execution."""
        self.states = {arn: replace(state, status=status, reason=reason) for arn, state in self.states.items()}


class FakeAccounts:
    """``ports.Accounts``: the same fakes at every call."""

    def __init__(self, *stages: str) -> None:
        self.by_stage = {stage: (FakeStacks(stage), FakeEndpoints(), FakeJobs()) for stage in stages}

    def stacks(self, stage: str) -> FakeStacks:
        """See ``ports.Accounts``."""
        return self.by_stage[stage][0]

    def endpoints(self, stage: str) -> FakeEndpoints:
        """See ``ports.Accounts``."""
        return self.by_stage[stage][1]

    def jobs(self, stage: str) -> FakeJobs:
        """See ``ports.Accounts``."""
        return self.by_stage[stage][2]


@dataclass
class FakeMail:
    """``ports.Mail``: remembers what was sent."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, text: str) -> None:
        """See ``ports.Mail``."""
        self.sent.append((subject, text))
