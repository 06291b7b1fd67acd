"""What the table holds: one frozen dataclass per kind of row, and their keys.

A record knows its own key, so that the store can stay ignorant of what it keeps. Times are ISO 8601 in UTC with
seconds; no floats (DynamoDB has none). A change is made by reading a record, computing the next one with a pure
function, and writing it on the condition that the row's ``revision`` has not moved (see ``ports.Store``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, Self, runtime_checkable

from orchestrator.core.gate_results import GateResult as GateResult
from orchestrator.core.installation import ApprovalPolicy, Reminders
from orchestrator.core.jobs import JobKind, JobRun
from orchestrator.core.origins import Commit, Source
from orchestrator.core.people import Identity
from orchestrator.core.plans import Plan
from orchestrator.core.withdrawals import Withdrawal


@runtime_checkable
class Record(Protocol):
    """A row of the table."""

    KIND: ClassVar[str]

    def key(self) -> tuple[str, str]:
        """Partition key and sort key."""
        ...

    def listing(self) -> tuple[str, str] | None:
        """The list this record appears in, and its sort key there; None when it appears in none."""
        ...


class Status(StrEnum):
    """Where a release stands. The last seven are ends."""

    REQUESTED = "requested"
    PACKAGING = "packaging"
    DEPLOYING = "deploying"
    VERIFYING = "verifying"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    REFUSED = "refused"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to a release in this status."""
        return self in _ENDS


_ENDS = frozenset(
    {
        Status.SUCCEEDED,
        Status.UNCHANGED,
        Status.REJECTED,
        Status.EXPIRED,
        Status.SUPERSEDED,
        Status.FAILED,
        Status.REFUSED,
    }
)


@dataclass(frozen=True)
class StagePolicy:
    """What a configuration demands of one stage's approval, beside the installation's own policy."""

    stage: str
    policy: ApprovalPolicy


@dataclass(frozen=True)
class Figure:
    """One number of a model's evaluation."""

    name: str
    value: str
    """As JSON writes it: the table has no floating-point numbers."""


@dataclass(frozen=True)
class Release:
    """One release of one workload."""

    KIND: ClassVar[str] = "release"
    release_id: str
    workload: str
    workload_type: str
    status: Status
    source: Source
    requester: Identity
    created_at: str
    updated_at: str
    stages: tuple[str, ...] = ()
    stage: str = ""
    """The stage being worked on, or worked on last; empty before the first."""
    stack_name: str = ""
    digest: str = ""
    """Content digest: SHA-256 over configuration, pinned assets and template."""
    package_key: str = ""
    package_version: str = ""
    description: str = ""
    channel: str = ""
    reason: str = ""
    """Why it ended as it did, in a sentence: CloudFormation's reason, the rejecter's words, the problems found."""
    failure: str = ""
    """Class of the error that it failed with (``errors``), or Step Functions' own; empty for every other end."""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    execution_arn: str = ""
    ended_by: str = ""
    """Display name of who rejected it, or the id of the release that superseded it."""
    generation: int = 0
    """The workload's generation since this release has had its turn: the fencing token of its steps; 0 before."""
    force: bool = False
    """Release even when the content is live already."""
    removes: bool = False
    """Whether it takes the workload's stacks away instead of deploying something, see ``steps.remove_workload``."""
    goes_back_to: str = ""
    """The earlier release whose package it deploys, see ``steps.roll_back``; empty for every release with one of its
    own."""
    instead_of: str = ""
    """What was live when somebody wanted to go back."""
    asked_because: str = ""
    """Why somebody wants to go back, in his own words."""
    policies: tuple[StagePolicy, ...] = ()
    metrics: tuple[Figure, ...] = ()
    """Figures of the model's evaluation, in its file's order, and after them those that only gates name."""
    commit: Commit | None = None
    """Where the configuration came by Git."""
    configured_by: Source | None = None
    """What brought the configuration, where this release was started by something that it uses."""
    follows: str = ""
    """The release whose configuration it has, where this one was started by something that it uses."""
    pins: tuple[tuple[str, str], ...] = ()
    """What started this release decides these versions: key in the assets bucket → S3 version, ARN of a model package
    group → ARN of its version. Package takes the latest of everything else."""
    models: tuple[str, ...] = ()
    """ARNs of the versions of model packages that it deploys."""
    before: str = ""
    """The release that was live when this one had its turn."""
    job: JobKind | None = None
    """What each stage runs once it is deployed; None where nothing."""
    pipeline: str = ""
    """Name of the CodePipeline that deploys it; empty where we deploy it ourselves."""
    pipeline_execution: str = ""
    """Id of its execution there, once it is started."""
    rank: str = ""
    """Its place among the workload's releases, a time; empty for when it was asked for (see ``releases_by_use``)."""

    @property
    def is_of_nothing(self) -> bool:
        """Whether it only tells that a configuration was deleted in a repository: nothing was started."""
        return self.status is Status.UNCHANGED and not self.workload_type

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"RELEASE#{self.release_id}", "RELEASE"

    @property
    def order(self) -> tuple[str, str]:
        """Of two releases of a workload, the greater stands."""
        return self.rank or self.created_at, self.release_id

    def listing(self) -> tuple[str, str] | None:
        """All releases, newest last; the id makes the sort key unique."""
        return "RELEASES", f"{self.created_at}#{self.release_id}"


class StageStatus(StrEnum):
    """Where one stage of a release stands."""

    PENDING = "pending"
    PLANNED = "planned"
    AWAITING_APPROVAL = "awaiting_approval"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    VERIFIED = "verified"
    FAILED = "failed"
    DISCARDED = "discarded"
    REMOVED = "removed"


@dataclass(frozen=True)
class StageRecord:
    """One stage of one release: its plan, its deployment and what came of it."""

    KIND: ClassVar[str] = "stage"
    release_id: str
    stage: str
    status: StageStatus
    updated_at: str
    attempt: int = 0
    """Number of the current plan; a stale plan is made anew, at most three times."""
    plan: Plan | None = None
    approval_id: str = ""
    outputs: tuple[tuple[str, str], ...] = ()
    note: str = ""
    job: JobRun | None = None
    """None where the workload has no job, and before it is started."""
    gates: tuple[GateResult, ...] = ()
    """What the quality gates of this stage had come to when it was planned last; part of the plan's digest."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"RELEASE#{self.release_id}", f"STAGE#{self.stage}"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class TaskToken:
    """A Step Functions task token: a bearer credential. It prints as nothing."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "(task token)"


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Verdict(StrEnum):
    """What a person said."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True)
class Vote:
    """One person's word on one approval."""

    person: str
    """Comparable key of the human (``People.key``)."""
    display: str
    verdict: Verdict
    at: str
    reason: str = ""
    via: str = "slack"
    groups: tuple[str, ...] = ()
    """Slack user groups that the voter was seen in when somebody voted last: see ``user_groups``."""
    slack_id: str = ""
    """The account that clicked: by it the membership of groups is looked up again."""


@dataclass(frozen=True)
class Approval:
    """A question to people: may this plan be executed?"""

    KIND: ClassVar[str] = "approval"
    approval_id: str
    release_id: str
    stage: str
    digest: str
    """The plan's digest: what the approvers are shown, and what is deployed."""
    status: ApprovalStatus
    asked_at: str
    expires_at: str
    token: TaskToken | None
    """None once the state machine has been answered."""
    votes: tuple[Vote, ...] = ()
    settled_at: str = ""
    reminders: Reminders | None = None
    """As the policies had it when the question was put."""
    reminded_at: tuple[str, ...] = ()
    """When each reminder was claimed, see ``reminders``."""
    withdrawals: tuple[Withdrawal, ...] = ()
    """Votes that do not stand any more, oldest first."""
    in_pipeline: bool = False
    """Whether a CodePipeline waits for the answer too, where somebody could give it past us."""

    def vote_of(self, person: str) -> Vote | None:
        """The vote of this person that stands."""
        return next((vote for vote in self.votes if vote.person == person), None)

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"APPROVAL#{self.approval_id}", "APPROVAL"

    def listing(self) -> tuple[str, str] | None:
        """Approvals whose state machine still waits for its answer; the sweeper looks here."""
        return ("WAITING", f"APPROVAL#{self.approval_id}") if self.token else None


class WaitKind(StrEnum):
    """What a step waits for."""

    STACK = "stack"
    JOB = "job"


@dataclass(frozen=True)
class Wait:
    """A state-machine task that waits for something in a stage account to end."""

    KIND: ClassVar[str] = "wait"
    kind: WaitKind
    subject: str
    """ARN of the stack or job."""
    request_token: str
    """Client request token of the operation: tells our operation from somebody else's on the same stack."""
    release_id: str
    stage: str
    token: TaskToken
    stored_at: str

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"WAIT#{self.subject}", self.request_token

    def listing(self) -> tuple[str, str] | None:
        """Open waits; the sweeper looks here."""
        return "WAITING", f"WAIT#{self.stored_at}#{self.subject}"


@dataclass(frozen=True)
class LiveStage:
    """What is live of a workload in one stage."""

    stage: str
    release_id: str
    digest: str
    """Content digest of that release."""
    since: str


@dataclass(frozen=True)
class Workload:
    """What is live of a workload, and which release has its turn."""

    KIND: ClassVar[str] = "workload"
    workload: str
    live_release: str = ""
    """The last release that went all the way; empty once the workload is removed."""
    live_digest: str = ""
    running_release: str = ""
    running_digest: str = ""
    generation: int = 0
    """Grows with every release that takes its turn."""
    newest_release: str = ""
    """The newest release that has ever wanted its turn; an older one that still waits for its own gives way to it."""
    newest_at: str = ""
    """When that release was asked for."""
    workload_type: str = ""
    live: tuple[LiveStage, ...] = ()
    """By stage, in the order of the first deployments: the stages differ while a release is on its way, and after one
    that ended half way."""
    removed_by: str = ""
    """The release that has removed every stack of the workload, until something is released of it again."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"WORKLOAD#{self.workload}", "WORKLOAD"

    def listing(self) -> tuple[str, str] | None:
        """Workloads that are not removed, by name."""
        return None if self.removed_by else ("WORKLOADS", self.workload)

    @classmethod
    def named(cls, name: str) -> Self:
        """A workload that has never been released."""
        return cls(workload=name)
