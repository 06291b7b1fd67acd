"""What the steps need from the world, as protocols.

``orchestrator/aws`` fulfils them with boto3, ``tests/fakes`` in memory; one behaviour suite runs on both. Every method
may raise ``Throttled``, ``AccessDenied`` and ``CallRefused``; others are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from orchestrator.core.facts import ModelContainer
from orchestrator.core.jobs import JobKind, JobStatus
from orchestrator.core.plans import PipelineStage, Plan
from orchestrator.core.records import Record, TaskToken

if TYPE_CHECKING:
    from orchestrator.core.pipelines.ports import Pipelines

R = TypeVar("R", bound=Record)


class Clock(Protocol):
    """The time, passed in."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
        ...


class Store(Protocol):
    """The table. The conditional write is the only arbiter of races."""

    def get(self, cls: type[R], key: tuple[str, str]) -> R | None:
        """The record under this key (strongly consistent), or None."""
        ...

    def insert(self, record: Record) -> None:
        """Write a record that must not exist yet; raises ``Conflict`` when it does."""
        ...

    def update(self, cls: type[R], key: tuple[str, str], change: Callable[[R], R]) -> R:
        """Read, change, write if nobody wrote between; repeated until it holds. Returns what now stands.

        ``change`` may raise to refuse; nothing is written then. Returning the record unchanged writes nothing.
        Raises ``KeyError`` when there is no such record and ``Conflict`` when twenty attempts lost the race.
        """
        ...

    def delete(self, record: Record) -> bool:
        """Delete the record if it still is exactly this one; whether it was."""
        ...

    def under(self, cls: type[R], partition: str) -> tuple[R, ...]:
        """All records of this kind in a partition."""
        ...

    def listed(self, cls: type[R], listing: str, *, limit: int = 100, newest_first: bool = False) -> tuple[R, ...]:
        """Records of this kind in a list (eventually consistent), in the list's order."""
        ...

    def listed_together(self, kinds: Sequence[type[Record]], listing: str, *, limit: int = 100) -> tuple[Record, ...]:
        """Records of several kinds in a list, read once, at most so many together."""
        ...


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one S3 object."""

    bucket: str
    key: str
    version_id: str
    size: int
    """Bytes."""
    sha256: str = ""
    """Hex SHA-256 that S3 computed; a composite one carries the suffix ``-<parts>``. Empty where S3 has none."""
    metadata: tuple[tuple[str, str], ...] = ()


MOST_LISTED = 20_000
"""Objects of a prefix that are looked at: listing them takes some four seconds, by 1,000 a call."""


@dataclass(frozen=True)
class StoredVersion:
    """One version among those of an object."""

    version_id: str
    written_at: str
    """ISO 8601, UTC."""


class Objects(Protocol):
    """The S3 buckets of the orchestrator's own account."""

    def read(self, bucket: str, key: str, version_id: str = "") -> bytes:
        """The object's bytes; raises ``SourceGone`` when this version does not exist."""
        ...

    def describe(self, bucket: str, key: str, version_id: str = "") -> ObjectVersion:
        """The object version (the latest when no id is given); raises ``SourceGone``, ``UnversionedObject``."""
        ...

    def copy_once(self, source: ObjectVersion, bucket: str, key: str) -> ObjectVersion:
        """Copy server-side unless the target exists; the checksum is S3's own over the copy."""
        ...

    def write_once(self, bucket: str, key: str, data: bytes, content_type: str) -> ObjectVersion:
        """Write an object that is never overwritten; the existing one is returned when its bytes are the same.

        Raises ``Conflict`` when other bytes stand there already.
        """
        ...

    def history(self, bucket: str, key: str, *, limit: int) -> Sequence[StoredVersion]:
        """The newest versions of an object, the newest first; deleted ones are not among them."""
        ...

    def any_under(self, bucket: str, prefix: str) -> bool:
        """Whether any object's key starts with this prefix."""
        ...

    def fingerprint(self, bucket: str, prefix: str, without: Sequence[str] = ()) -> str:
        """One word for what stands below a prefix: another one after any object there was written, added or deleted.

        Of the first objects in the order of their keys, as many as ``MOST_LISTED``; those below the prefixes
        ``without`` do not count.
        """
        ...

    def newest(self, bucket: str, key: str) -> ObjectVersion:
        """The latest version of an object, with an empty id where its bucket keeps none; raises ``SourceGone``."""
        ...

    def part(self, bucket: str, key: str, version_id: str, first: int, length: int) -> bytes:
        """``length`` bytes of an object version from byte ``first`` on, fewer at its end; raises ``SourceGone``."""
        ...

    def template_url(self, bucket: str, key: str) -> str:
        """Path-style HTTPS URL of an object, as CloudFormation's TemplateURL takes it."""
        ...


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model package, as the SageMaker Model Registry describes it."""

    arn: str
    approval: str
    """ModelApprovalStatus: Approved, Rejected or PendingManualApproval; empty for a package without versions."""
    status: str
    """ModelPackageStatus: Completed where it can be used."""
    containers: tuple[ModelContainer, ...]
    metrics: str = ""
    """``s3://`` URI of the statistics of its model quality; empty where it has none."""
    modified: str = ""
    """When it was changed last (ISO 8601); empty where it never was."""
    modified_by: str = ""
    """ARN of whoever changed it last, or name of his user profile; empty where SageMaker does not tell."""


class ModelRegistry(Protocol):
    """The SageMaker Model Registry of the orchestrator's own account."""

    def version(self, arn: str) -> ModelVersion | None:
        """The version, or None where there is none of this ARN."""
        ...

    def latest_approved(self, group: str) -> str:
        """ARN of the group's newest version that is approved and complete; empty where there is none."""
        ...


@dataclass(frozen=True)
class PlanRequest:
    """A change set to be made."""

    stack_name: str
    template_url: str
    """Path-style S3 URL of the template."""
    parameters: Mapping[str, str]
    capabilities: Sequence[str]
    tags: Mapping[str, str]
    change_set_name: str
    """``r-<release id>-<attempt>``: a repeated call finds the change set of the first."""
    content_digest: str
    """Bound into the plan's digest."""
    pipeline: PipelineStage | None = None
    """The stage of a CodePipeline that makes the change set; None where we make it ourselves."""


@dataclass(frozen=True)
class StackState:
    """A stack as CloudFormation describes it."""

    stack_id: str
    status: str
    """CloudFormation's StackStatus, or ``ABSENT``."""
    last_request_token: str = ""
    """Client request token of the stack's latest operation."""
    reason: str = ""
    """Why the latest operation failed: the first failed resource's own reason, with its logical id and type."""
    outputs: tuple[tuple[str, str], ...] = ()


class Stacks(Protocol):
    """CloudFormation in one stage's account, through the stage's deploy and observe roles."""

    def plan(self, request: PlanRequest) -> Plan:
        """Create (or find) the change set and describe it.

        An empty one is deleted and returned as ``Plan(empty=True)``. A stack in ROLLBACK_COMPLETE that has no resources
        left is deleted first. Raises ``ChangeSetPending``, ``StackBusy``, ``PlanFailed``.
        """
        ...

    def described(self, request: PlanRequest) -> Plan:
        """Describe the change set of the request's name, which somebody else has made of the same package.

        Raises ``ChangeSetPending`` where there is none that can be executed, ``PlanFailed`` where it is of something
        else.
        """
        ...

    def prepare(self, stack_name: str) -> None:
        """Delete what a failed first creation left of the stack; raises ``StackBusy``, ``PlanFailed``."""
        ...

    def plan_removal(self, stack_name: str, content_digest: str) -> Plan:
        """Describe what deleting the stack would remove; empty where there is no stack.

        Raises ``StackBusy``, and ``PlanFailed`` where the stack is protected from deletion.
        """
        ...

    def still_valid(self, plan: Plan, content_digest: str) -> bool:
        """Whether executing the plan would do what was shown: its change set exists, is AVAILABLE, the recomputed
        digest is the plan's, and the stack has not moved since. Raises ``StackBusy`` while an operation goes on."""
        ...

    def execute(self, plan: Plan, request_token: str, comment: str = "") -> bool:
        """Execute the change set, or delete the stack; False when a change set has become stale. A repeated call with
        the same token adopts the first one's operation. ``comment``: who has approved it, where that can be said."""
        ...

    def progress(self, plan: Plan, request_token: str) -> StackState:
        """How the plan's stack stands, as far as the plan's execution goes: with this token as its last once it has
        begun."""
        ...

    def state(self, stack: str) -> StackState:
        """The stack by name or ARN (by ARN also after its deletion)."""
        ...

    def moved(self, plan: Plan) -> bool:
        """Whether the stack has changed since the plan was made, or a new one was begun."""
        ...

    def execution(self, plan: Plan) -> tuple[str, str]:
        """The change set's ExecutionStatus (``ABSENT`` for one that is gone) and what CloudFormation says of it."""
        ...

    def discard(self, plan: Plan, *, rejected: str = "") -> None:
        """Delete the change set, and the stack if it is still in REVIEW_IN_PROGRESS and has no resources; a planned
        removal has neither. ``rejected``: the words of whoever has decided against it."""
        ...

    def discard_made(self, stack_name: str, change_set_name: str) -> None:
        """The same with a change set that somebody else has made; harmless where there is none."""
        ...


class Tasks(Protocol):
    """Step Functions: executions and task tokens."""

    def start(self, machine_arn: str, name: str, payload: Mapping[str, object]) -> str:
        """Start the execution of this name and return its ARN; an execution of that name that already exists is
        adopted."""
        ...

    def status(self, execution_arn: str) -> str:
        """How an execution stands, in Step Functions' own word (``RUNNING``); empty where there is none (any more)."""
        ...

    def succeed(self, token: TaskToken, output: Mapping[str, object]) -> bool:
        """Answer a waiting task; False when the task was closed already."""
        ...

    def fail(self, token: TaskToken, error: str, cause: str) -> bool:
        """Fail a waiting task; False when the task was closed already."""
        ...


class Outcomes(Protocol):
    """The function that ends releases, for those who have no right to tidy up in the stages' accounts."""

    def report(self, release_id: str, error: str, cause: str) -> None:
        """Have the release ended as failed, as its state machine would have it ended; harmless for one that has ended,
        and answered before it is done."""
        ...


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered."""

    status: int
    body: bytes
    content_type: str


class Endpoints(Protocol):
    """SageMaker endpoints in one stage's account, through the stage's observe role."""

    def status(self, endpoint: str) -> tuple[str, str]:
        """EndpointStatus and FailureReason (empty when there is none); status ``Absent`` when there is no endpoint."""
        ...

    def invoke(self, endpoint: str, body: bytes, content_type: str, timeout_seconds: int) -> Answer | None:
        """One InvokeEndpoint call, never repeated; a model error comes back as its HTTP status.

        None when the endpoint has not answered after ``timeout_seconds``.
        """
        ...


@dataclass(frozen=True)
class JobRequest:
    """A job to be started."""

    kind: JobKind
    target: str
    """Name of the pipeline or build project; empty for an AutoML job."""
    request_token: str
    """The same for every attempt to start this job; 32 to 64 characters."""
    title: str
    """What people see in the service's own console: the release's id."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Pipeline parameters, or environment variables of the build."""
    document: Mapping[str, object] = field(default_factory=dict)
    """The whole request of CreateAutoMLJobV2, with the job's name and tags."""


@dataclass(frozen=True)
class JobState:
    """A job as its service describes it."""

    status: JobStatus
    reason: str = ""
    """Why it did not succeed: the service's own words, down to the step or phase that failed, and where its log is."""


class Jobs(Protocol):
    """Jobs in one stage's account, through the stage's run-job role."""

    def start(self, request: JobRequest) -> str:
        """Start the job and return its ARN; a repeated call finds the job of the first one and starts no second.

        Raises ``JobFailed`` where an AutoML job of the name exists that this release has not made.
        """
        ...

    def state(self, kind: JobKind, arn: str) -> JobState:
        """How the job stands."""
        ...


class Accounts(Protocol):
    """The stages' accounts: sessions are made per call group, since a chained role session lives an hour at most."""

    def stacks(self, stage: str) -> Stacks:
        """CloudFormation in that stage."""
        ...

    def endpoints(self, stage: str) -> Endpoints:
        """SageMaker endpoints in that stage."""
        ...

    def jobs(self, stage: str) -> Jobs:
        """Jobs in that stage."""
        ...

    def pipelines(self) -> Pipelines:
        """The pipelines of workloads, in the orchestrator's own account."""
        ...


class Mail(Protocol):
    """The notification topic."""

    def send(self, subject: str, text: str) -> None:
        """Publish a notice; the subject is cut to SNS's 100 ASCII characters."""
        ...
