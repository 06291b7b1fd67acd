"""Several releases of one workload at once, with people, deaths, late and forged events, and time: what always holds.

- A change set is executed only for the release that has its turn, and where a stage asks, only when the approvers that
  the policy wants have approved exactly this plan. No change set is executed twice.
- Releases take their turn in the order in which they were asked for: old content never follows new content.
- What has been decided stays decided, what has ended stays as it ended.
- Every release comes to an end, the turn is free then, and nothing waits.
- What a successful release has deployed is what was packaged.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.core.errors import NotAllowed, Refused
from orchestrator.core.events import StackChanged, Upload
from orchestrator.core.people import Identity, Person
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Plan,
    Release,
    StageRecord,
    StageStatus,
    Status,
    Verdict,
    Workload,
)
from orchestrator.core.steps.released import released_package
from tests.fakes.dying import dying_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import ANA, BEN, BY_ANA, CHLOE, DEV, PACKAGES, MemoryWorld, configuration
from tests.steps.journeys import STACK

STAGES = ("dev", "staging", "prod")
DEATHS = st.integers(0, 14)
"""After which call of a function it dies; 0: it lives."""

MOST_OF_A_KIND = 4
"""Uploads, and calls."""

ALLOWED = {"staging": {BEN.email, CHLOE.email, DEV.email}, "prod": {BEN.email, CHLOE.email}}
"""Who may approve: written again here, so that the policy's evaluation is not its own judge."""


class Releases(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.world = MemoryWorld()
        self.machines = Machines(self.world)
        self.uploads: list[Upload] = []
        self.requests: list[tuple[str, int]] = []
        self.decided: dict[str, ApprovalStatus] = {}
        self.ended: dict[str, Status] = {}
        self.deployed: list[str] = []
        self.by_hand: dict[str, str] = {}
        self.agree = False
        for stage in STAGES:
            stacks = self.world.stacks(stage)
            stacks.immediate = False
            stacks.before_execute = self._guard(stage)

    def _guard(self, stage: str) -> Callable[[Plan], None]:
        def check(plan: Plan) -> None:
            records = [row for row in self.world.memory.all(StageRecord) if row.stage == stage and row.plan == plan]
            (record,) = records
            release = self.world.of(record.release_id)
            assert self.world.workload().running_release == release.release_id
            assert not release.status.ended
            former = [self.world.of(name).created_at for name in self.deployed]
            assert all(moment <= release.created_at for moment in former), "old content follows new content"
            self.deployed.append(release.release_id)
            if stage in ALLOWED:
                self._is_approved(record, plan, release)

        return check

    def _is_approved(self, record: StageRecord, plan: Plan, release: Release) -> None:
        approval = self.world.memory.get(Approval, (f"APPROVAL#{record.approval_id}", "APPROVAL"))
        assert approval is not None
        assert (approval.status, approval.digest) == (ApprovalStatus.APPROVED, plan.digest)
        assert (approval.release_id, approval.stage) == (release.release_id, record.stage)
        approvers = {vote.person for vote in approval.votes if vote.verdict is Verdict.APPROVE}
        assert len(approvers & ALLOWED[record.stage]) >= (1 if release.requester.verified else 2)

    @initialize(agree=st.booleans())
    def people(self, agree: bool) -> None:
        """Whether, at the end of the day, people approve what is left, or let it expire."""
        self.agree = agree

    # What arrives.

    @precondition(lambda self: len(self.uploads) < MOST_OF_A_KIND)
    @rule(content=st.integers(1, 3), death=DEATHS)
    def upload(self, content: int, death: int) -> None:
        """A configuration is uploaded; its event may come later, or more than once."""
        self.uploads.append(self.world.put_configuration(_values(content)))
        self.deliver(len(self.uploads) - 1, death)

    @precondition(lambda self: len(self.uploads) < MOST_OF_A_KIND)
    @rule(content=st.integers(1, 3))
    def upload_whose_event_is_late(self, content: int) -> None:
        """Only the bytes are there yet."""
        self.uploads.append(self.world.put_configuration(_values(content)))

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 20), death=DEATHS)
    def deliver(self, which: int, death: int) -> None:
        """An upload's event, again or at last."""
        with suppress(Died), dying_after(self.world, death):
            self.world.receive(self.uploads[which % len(self.uploads)])

    @precondition(lambda self: len(self.requests) < MOST_OF_A_KIND)
    @rule(content=st.integers(1, 3), death=DEATHS, force=st.booleans())
    def call(self, content: int, death: int, force: bool) -> None:
        """Ana calls the API; her client tries again when it hears nothing."""
        request = f"call-{len(self.requests)}"
        self.requests.append((request, content))
        with suppress(Died), dying_after(self.world, death):
            self._call(request, content, BY_ANA, force=force)
        self._call(request, content, BY_ANA, force=force)

    def _call(self, request: str, content: int, who: Identity, *, force: bool) -> None:
        self.world.release(_values(content), who, request, force=force)

    # What the machines do.

    @precondition(lambda self: self.machines.running())
    @rule(which=st.integers(0, 20), steps=st.integers(1, 8), death=DEATHS)
    def step(self, which: int, steps: int, death: int) -> None:
        """One execution does what it can, as far as it comes."""
        running = self.machines.running()
        execution = running[which % len(running)]
        with dying_after(self.world, death):
            while steps and execution.status == "RUNNING" and self.machines.tick(execution):
                steps -= 1

    @rule()
    def all_is_well(self) -> None:
        """Stacks come to their end, the sweeper notices, executions go on."""
        for stage in STAGES:
            self.finish(stage, "")
        self.world.sweep()
        self.machines.settle()

    @precondition(lambda self: self.machines.running())
    @rule(which=st.integers(0, 20), really=st.integers(0, 9))
    def stop(self, which: int, really: int) -> None:
        """Now and then somebody stops an execution; the rule for stopped executions reports it."""
        running = self.machines.running()
        if really != 7:
            return
        execution = running[which % len(running)]
        self.machines.stop(execution)
        self.world.end(execution.name, Status.FAILED, "Execution ABORTED", "")

    @rule(death=DEATHS)
    def sweep(self, death: int) -> None:
        """The minute is over."""
        with suppress(Died), dying_after(self.world, death):
            self.world.sweep()

    # What people do.

    @precondition(lambda self: self.world.memory.all(Approval))
    @rule(
        which=st.integers(0, 20),
        who=st.sampled_from([ANA, BEN, CHLOE, DEV]),
        verdict=st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT]),
        death=DEATHS,
    )
    def vote(self, which: int, who: Person, verdict: Verdict, death: int) -> None:
        """Somebody clicks on a message, perhaps an old one."""
        approvals = self.world.memory.all(Approval)
        pending = tuple(approval for approval in approvals if approval.status is ApprovalStatus.PENDING)
        approvals = pending if pending and which < 15 else approvals
        with suppress(Died, NotAllowed, Refused), dying_after(self.world, death):
            self.world.vote(who, approvals[-1 - which % len(approvals)], verdict, "because")

    @rule(death=DEATHS)
    def all_agree(self, death: int) -> None:
        """Ben and Chloé approve whatever is asked."""
        for approval in self.world.memory.all(Approval):
            if approval.status is ApprovalStatus.PENDING:
                for who in (BEN, CHLOE):
                    with suppress(Died, Refused), dying_after(self.world, death):
                        self.world.vote(who, approval)

    @rule(hours=st.sampled_from([0.3, 0.3, 0.3, 1, 1, 13, 71.99, 73]))
    def pass_time(self, hours: float) -> None:
        """Time passes."""
        self.world.clock.pass_hours(hours)

    # What CloudFormation does.

    @rule(stage=st.sampled_from(STAGES), fails=st.sampled_from(["", "", "", "no capacity"]))
    def finish(self, stage: str, fails: str) -> None:
        """An operation ends."""
        stacks = self.world.stacks(stage)
        stacks.fails_with = fails
        for name in stacks.working():
            stacks.finish(name)
        stacks.fails_with = ""

    @rule(
        stage=st.sampled_from(STAGES),
        status=st.sampled_from(
            ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"]
        ),
        death=DEATHS,
    )
    def event(self, stage: str, status: str, death: int) -> None:
        """An event arrives: true, late, twice, or forged."""
        stack = self.world.stacks(stage).stacks.get(STACK)
        subject = stack.stack_id if stack else "arn:stack:nowhere"
        with suppress(Died), dying_after(self.world, death):
            self.world.happened(StackChanged(subject, status, stack.token if stack else ""))

    @precondition(lambda self: self.uploads or self.requests)
    @rule(stage=st.sampled_from(STAGES))
    def somebody_else_deploys(self, stage: str) -> None:
        """A deployment by hand, where CloudFormation lets it."""
        stacks = self.world.stacks(stage)
        if STACK in stacks.stacks and not stacks.working():
            if stacks.stacks[STACK].status in {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}:
                stacks.delete(STACK)
            else:
                stacks.somebody_else_deploys(STACK)
            self.by_hand[stage] = self.world.clock().isoformat()

    # What always holds.

    @invariant()
    def what_is_decided_stays_decided(self) -> None:
        """An approval leaves PENDING once; a release ends once."""
        for approval in self.world.memory.all(Approval):
            if approval.approval_id in self.decided:
                assert approval.status is self.decided[approval.approval_id]
            elif approval.status is not ApprovalStatus.PENDING:
                self.decided[approval.approval_id] = approval.status
        for release in self.world.memory.all(Release):
            if release.release_id in self.ended:
                assert release.status is self.ended[release.release_id]
            elif release.status.ended:
                self.ended[release.release_id] = release.status
                self._has_kept_its_word(release)

    @invariant()
    def one_at_a_time(self) -> None:
        """Of the releases under way only one deploys, and no operation began twice."""
        deploying = {
            record.release_id
            for record in self.world.memory.all(StageRecord)
            if record.status is StageStatus.DEPLOYING and not self.world.of(record.release_id).status.ended
        }
        assert len(deploying) <= 1
        for stage in STAGES:
            executed = self.world.stacks(stage).executed
            assert len(executed) == len(set(executed))

    def _has_kept_its_word(self, release: Release) -> None:
        if release.status is not Status.SUCCEEDED:
            return
        package = released_package(release, self.world.buckets, PACKAGES)
        for stage in STAGES:
            if self.by_hand.get(stage, "") < release.created_at.replace("Z", ""):
                assert self.world.stacks(stage).stacks[STACK].parameters == package.parameters(stage)

    def teardown(self) -> None:
        """Everything that is under way comes to its end, when nothing dies any more."""
        for upload in self.uploads:
            self.world.receive(upload)
        for rounds in range(40):
            for stage in STAGES:
                self.finish(stage, "")
            self.world.sweep()
            self.machines.settle()
            if self.agree:
                self.all_agree(0)
            self.what_is_decided_stays_decided()
            self.one_at_a_time()
            if not self.machines.running():
                break
            if rounds > 20:
                self.world.clock.pass_hours(73)
        assert not self.machines.running()
        self.world.sweep()
        assert [release for release in self.world.memory.all(Release) if not release.status.ended] == []
        for workload in self.world.memory.all(Workload):
            assert workload.running_release == ""
        assert self.world.waits() == ()
        assert self.world.sweep().answered == 0


def _values(content: int) -> dict[str, object]:
    """One of three contents; they differ in a parameter."""
    return configuration(inference_instance=f"ml.m5.{['large', 'xlarge', '2xlarge'][content - 1]}")


TestReleases = Releases.TestCase
