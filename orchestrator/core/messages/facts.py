"""What a message is made from: the records of one release, read together, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.approvals import Rules, decide
from orchestrator.core.installation import Installation
from orchestrator.core.records import Approval, ApprovalStatus, Figure, Release, StageRecord, StageStatus, Status
from orchestrator.core.steps.progress import rules_for


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
        """The last stage that was deployed; empty when none was."""
        done = {StageStatus.DEPLOYED, StageStatus.VERIFIED, StageStatus.UNCHANGED}
        return next((name for name in reversed(self.release.stages) if self.stage_status(name) in done), "")

    @property
    def partial(self) -> bool:
        """Whether it ended badly after some stage had been deployed."""
        return self.release.status.ended and self.release.status is not Status.SUCCEEDED and bool(self.reached)
