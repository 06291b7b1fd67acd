"""What a message is made from: the records of one release, read together, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.approvals import Rules, decide
from orchestrator.core.installation import ORCHESTRATOR, Installation
from orchestrator.core.jobs import JobRun, JobStatus
from orchestrator.core.notices import Notice
from orchestrator.core.records import Approval, ApprovalStatus, Figure, Release, StageRecord, StageStatus, Status
from orchestrator.core.steps.progress import rules_for


def place(stage: str) -> str:
    """A stage as people call it inside a sentence."""
    return "the orchestrator's account" if stage == ORCHESTRATOR else stage


@dataclass(frozen=True)
class Waiting:
    """A question that people can still answer."""

    record: StageRecord
    approval: Approval


@dataclass(frozen=True)
class Facts:
    """The records of one release. ``approvals`` by approval id; ``stages`` by name."""

    release: Release
    installation: Installation
    stages: Mapping[str, StageRecord] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    live: tuple[Figure, ...] = ()
    """Of the release that is live, see ``progress.live_figures``."""
    notices: tuple[Notice, ...] = ()
    """What has happened to it while it was live."""
    live_since: Mapping[str, str] = field(default_factory=dict)
    """Stage → since when it has what this release deploys (ISO 8601), see ``progress.live_since``."""
    back_to: str = ""
    """What a click on its message would go back to, see ``way_back.offered``."""

    @property
    def waiting(self) -> Waiting | None:
        """The question that waits for people, if one does."""
        if self.release.status.ended:
            return None
        for name in self.release.stages:
            record = self.stages.get(name)
            approval = self.approvals.get(record.approval_id) if record and record.approval_id else None
            if (
                record is not None
                and record.plan is not None
                and approval is not None
                and approval.status is ApprovalStatus.PENDING
                and approval.digest == record.plan.digest
            ):
                return Waiting(record, approval)
        return None

    @property
    def last_approval(self) -> Approval | None:
        """The approval of the stage being worked on, whatever its status."""
        record = self.stages.get(self.release.stage)
        return self.approvals.get(record.approval_id) if record and record.approval_id else None

    def stage_status(self, name: str) -> StageStatus:
        """How far a stage has come."""
        record = self.stages.get(name)
        return record.status if record else StageStatus.PENDING

    @property
    def jobs(self) -> tuple[tuple[str, JobRun], ...]:
        """Stage and job of each job that this release has started, in the order of the stages."""
        records = [(name, self.stages.get(name)) for name in self.release.stages]
        return tuple((name, record.job) for name, record in records if record is not None and record.job is not None)

    @property
    def job_status(self) -> JobStatus | None:
        """How the job of the stage being worked on stands; None before it is started, and where there is none."""
        return dict(self.jobs)[self.release.stage].status if self.release.stage in dict(self.jobs) else None

    @property
    def job_failed(self) -> bool:
        """Whether the job of the stage being worked on has ended, and not well."""
        return self.job_status not in {None, JobStatus.RUNNING, JobStatus.SUCCEEDED}

    def rules(self, stage: str) -> Rules | None:
        """The policies of the stage's approval; None when it needs none, or is no stage of the installation (any
        more)."""
        if not self.installation.has_stage(stage):
            return None
        return rules_for(self.installation, self.release, stage)

    def needed(self, approval: Approval) -> str:
        """What is still missing, in words."""
        rules = self.rules(approval.stage)
        return decide(rules, self.release.requester, approval.votes).missing if rules else ""

    @property
    def reached(self) -> str:
        """The last stage that was deployed; empty when none was, as by a removal."""
        if self.release.removes:
            return ""
        done = {StageStatus.DEPLOYED, StageStatus.VERIFIED, StageStatus.UNCHANGED}
        return next((name for name in reversed(self.release.stages) if self.stage_status(name) in done), "")

    @property
    def stage_before(self) -> str:
        """The stage before the one that waits for people, if this release runs there; else empty."""
        waiting, stages = self.waiting, self.release.stages
        if waiting is None or self.release.removes or waiting.record.stage not in stages[1:]:
            return ""
        before = stages[stages.index(waiting.record.stage) - 1]
        return before if before in self.live_since else ""

    @property
    def partial(self) -> bool:
        """Whether it ended badly after some stage had been deployed."""
        return self.release.status.ended and self.release.status is not Status.SUCCEEDED and bool(self.reached)
