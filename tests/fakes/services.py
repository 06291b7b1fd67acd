"""Step Functions' tasks, SageMaker and mail in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.errors import JobFailed
from orchestrator.core.jobs import JobKind, JobStatus
from orchestrator.core.pipelines.ports import Pipelines
from orchestrator.core.ports import Answer, JobRequest, JobState, ModelVersion
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
    statuses: dict[str, str] = field(default_factory=dict)
    """By name, of executions that do not run (any more)."""

    def start(self, machine_arn: str, name: str, payload: Mapping[str, object]) -> str:
        """See ``ports.Tasks``."""
        self.started.setdefault(name, (machine_arn, payload))
        return f"arn:execution:{name}"

    def status(self, execution_arn: str) -> str:
        """See ``ports.Tasks``."""
        name = execution_arn.rsplit(":", 1)[-1]
        return self.statuses.get(name, "RUNNING") if name in self.started else ""

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
    """``ports.Jobs``: one job for each request token, whatever its kind."""

    requests: dict[str, JobRequest] = field(default_factory=dict)
    """By ARN, in the order in which they were started."""
    states: dict[str, JobState] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    """Names of AutoML jobs that somebody else has made."""

    def start(self, request: JobRequest) -> str:
        """See ``ports.Jobs``."""
        name = str(request.document.get("AutoMLJobName", ""))
        if name in self.taken:
            raise JobFailed(f"an AutoML job of the name {name} exists already, and is not this release's")
        arn = f"arn:aws:{_SERVICES[request.kind]}/{name or f'{request.target}:{request.request_token}'}"
        self.requests.setdefault(arn, request)
        self.states.setdefault(arn, JobState(JobStatus.RUNNING))
        return arn

    def state(self, kind: JobKind, arn: str) -> JobState:
        """See ``ports.Jobs``."""
        return self.states.get(arn, JobState(JobStatus.ABSENT))

    def end(self, status: JobStatus, reason: str = "") -> None:
        """End every job."""
        self.states = dict.fromkeys(self.states, JobState(status, reason))

    def forget(self) -> None:
        """Somebody deletes every job."""
        self.states.clear()


_SERVICES = {
    JobKind.SAGEMAKER_PIPELINE: "sagemaker:us-east-1:222222222222:pipeline",
    JobKind.AUTOML_JOB: "sagemaker:us-east-1:222222222222:automl-job",
    JobKind.CODEBUILD: "codebuild:us-east-1:222222222222:build",
}


@dataclass
class FakeModelRegistry:
    """``ports.ModelRegistry``: versions by ARN, in the order in which they were registered."""

    versions: dict[str, ModelVersion] = field(default_factory=dict)

    def add(self, version: ModelVersion) -> None:
        """Register a version, or change one."""
        self.versions[version.arn] = version

    def version(self, arn: str) -> ModelVersion | None:
        """See ``ports.ModelRegistry``."""
        return self.versions.get(arn)

    def latest_approved(self, group: str) -> str:
        """See ``ports.ModelRegistry``."""
        found = [
            arn
            for arn, version in self.versions.items()
            if f":model-package/{group}/" in arn and (version.approval, version.status) == ("Approved", "Completed")
        ]
        return found[-1] if found else ""


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

    def pipelines(self) -> Pipelines:
        """See ``ports.Accounts``: no CodePipeline is there, unless a test brings one."""
        raise NotImplementedError("this world has no CodePipeline")


@dataclass
class FakeMail:
    """``ports.Mail``: remembers what was sent."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, text: str) -> None:
        """See ``ports.Mail``."""
        self.sent.append((subject, text))
