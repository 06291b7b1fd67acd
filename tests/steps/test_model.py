"""Several releases of several workloads at once, with people, deaths, functions that stand still while others run,
lost, late and forged events, executions that are gone without a word, and time: what always holds.

- A delivery is claimed once, and a release belongs to one claim.
- A change set is executed only for the release that has its turn, and where a stage asks, only when the approvers that
  the policy wants have approved exactly this plan. No change set is executed twice.
- Releases take their turn in the order in which they were asked for: old content never follows new content, and an
  older version of an object is never deployed after a newer one, whichever event came first.
- Deployments of one workload never overlap.
- What has been decided stays decided, what has ended stays as it ended.
- When events have stopped and the sweeper has run, every release has come to an end, the turns are free, and nothing
  waits.
- What a successful release has deployed is what was packaged.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.core.deliveries import Claim
from orchestrator.core.errors import NotAllowed, Refused
from orchestrator.core.events import JobChanged, StackChanged, Upload
from orchestrator.core.installation import ORCHESTRATOR
from orchestrator.core.jobs import JobStatus
from orchestrator.core.people import Person
from orchestrator.core.plans import Plan
from orchestrator.core.ports import JobState
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Release,
    StageRecord,
    StageStatus,
    Status,
    Verdict,
    Workload,
)
from orchestrator.core.steps.released import released_package
from tests.fakes.dying import dying_after, standing_still_after
from tests.fakes.machine import Died, Execution, Machines
from tests.fakes.memory_world import ANA, ASSETS, BEN, BY_ANA, CHLOE, DEV, PACKAGES, MemoryWorld, configuration

STAGES = ("dev", "staging", "prod")
DEATHS = st.integers(0, 14)
"""After which call of a function it dies; 0: it lives."""

MOST_OF_A_KIND = 4
"""Uploads of one workload, and calls."""

TRAINING = "training"
"""Name of the model whose workload runs a job, in the orchestrator's account."""

MODELS = ("fraud-detector", "churn", TRAINING)
EVERYWHERE = (*STAGES, ORCHESTRATOR)

ALLOWED = {"staging": {BEN.email, CHLOE.email, DEV.email}, "prod": {BEN.email, CHLOE.email}}
"""Who may approve: written again here, so that the policy's evaluation is not its own judge."""


class Releases(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.world = MemoryWorld()
        self.machines = Machines(self.world)
        self.uploads: list[Upload] = []
        self.delivered: set[str] = set()
        self.requests: list[tuple[str, str, int]] = []
        self.decided: dict[str, ApprovalStatus] = {}
        self.ended: dict[str, Status] = {}
        self.deployed: list[Release] = []
        self.by_hand: dict[tuple[str, str], str] = {}
        self.agree = False
        for name in ("train.csv", "validation.csv"):
            self.world.buckets.put(ASSETS, f"{TRAINING}/{name}", b"1,2,3")
        for stage in EVERYWHERE:
            stacks = self.world.stacks(stage)
            stacks.immediate = False
            stacks.before_execute = self._guard(stage)

    def _guard(self, stage: str) -> Callable[[Plan], None]:
        def check(plan: Plan) -> None:
            records = [row for row in self.world.memory.all(StageRecord) if row.stage == stage and row.plan == plan]
            (record,) = records
            release = self.world.of(record.release_id)
            holder = self.world.workload(release.workload)
            assert (holder.running_release, holder.generation) == (release.release_id, release.generation)
            assert not release.status.ended
            for former in self.deployed:
                if former.workload == release.workload:
                    assert former.order[0] <= release.order[0], "old content follows new content"
                    if former.source.version_id and release.source.version_id:
                        assert _number(former) <= _number(release), "an older version follows a newer one"
            self.deployed.append(release)
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

    @precondition(lambda self: len(self.uploads) < MOST_OF_A_KIND * len(MODELS))
    @rule(model=st.sampled_from(MODELS), content=st.integers(1, 3), death=DEATHS)
    def upload(self, model: str, content: int, death: int) -> None:
        """A configuration is uploaded; its event may come later, or more than once."""
        self.upload_whose_event_is_late(model, content)
        self.deliver(len(self.uploads) - 1, death)

    @precondition(lambda self: len(self.uploads) < MOST_OF_A_KIND * len(MODELS))
    @rule(model=st.sampled_from(MODELS), content=st.integers(1, 3))
    def upload_whose_event_is_late(self, model: str, content: int) -> None:
        """Only the bytes are there yet."""
        self.uploads.append(self.world.put_configuration(_values(model, content), f"{model}/mlops-config.json"))

    @precondition(lambda self: self.uploads)
    @rule(which=st.integers(0, 20), death=DEATHS)
    def deliver(self, which: int, death: int) -> None:
        """An upload's event, again or at last."""
        with suppress(Died), dying_after(self.world, death):
            self._receive(which)

    @precondition(lambda self: len(self.uploads) > 1)
    @rule(which=st.integers(0, 20), other=st.integers(0, 20), stands_still=st.integers(1, 12))
    def deliver_at_once(self, which: int, other: int, stands_still: int) -> None:
        """While the function that received one event stands still, another one receives another event."""
        with standing_still_after(self.world, stands_still, lambda: self._receive(other)):
            self._receive(which)

    def _receive(self, which: int) -> None:
        upload = self.uploads[which % len(self.uploads)]
        self.delivered.add(f"{upload.key} {upload.version_id}")
        self.world.receive(upload)

    @precondition(lambda self: len(self.requests) < MOST_OF_A_KIND)
    @rule(model=st.sampled_from(MODELS), content=st.integers(1, 3), death=DEATHS, force=st.booleans())
    def call(self, model: str, content: int, death: int, force: bool) -> None:
        """Ana calls the API; her client tries again when it hears nothing."""
        request = f"call-{len(self.requests)}"
        self.requests.append((request, model, content))
        self.delivered.add(request)
        with suppress(Died), dying_after(self.world, death):
            self.world.release(_values(model, content), BY_ANA, request, force=force)
        self.world.release(_values(model, content), BY_ANA, request, force=force)

    # What the machines do.

    @precondition(lambda self: self.machines.running())
    @rule(which=st.integers(0, 20), steps=st.integers(1, 8), death=DEATHS)
    def step(self, which: int, steps: int, death: int) -> None:
        """One execution does what it can, as far as it comes."""
        execution = self._running(which)
        with dying_after(self.world, death):
            while steps and execution.status == "RUNNING" and self.machines.tick(execution):
                steps -= 1

    @precondition(lambda self: len(self.machines.running()) > 1)
    @rule(which=st.integers(0, 20), other=st.integers(0, 20), stands_still=st.integers(1, 14))
    def steps_at_once(self, which: int, other: int, stands_still: int) -> None:
        """While a step of one execution stands still, another execution goes on."""
        execution, rival = self._running(which), self._running(other)
        if execution is rival:
            return
        with standing_still_after(self.world, stands_still, lambda: self.machines.tick(rival)):
            self.machines.tick(execution)

    @precondition(lambda self: self.machines.running())
    @rule(which=st.integers(0, 20), really=st.integers(0, 5), stands_still=st.integers(1, 14))
    def stop_in_the_middle(self, which: int, really: int, stands_still: int) -> None:
        """Somebody stops an execution while its function runs; the function does not hear of it."""
        execution = self._running(which)
        if really != 3 or execution.token is not None:
            return

        def stopped() -> None:
            self.machines.stop(execution)
            self.world.end(execution.name, Status.FAILED, "Execution ABORTED", "")
            self.machines.settle()

        with standing_still_after(self.world, stands_still, stopped):
            self.machines.tick(execution)

    @rule()
    def all_is_well(self) -> None:
        """Stacks and jobs come to their end, the sweeper notices, executions go on."""
        for stage in EVERYWHERE:
            self.finish(stage, "")
        self.jobs_end(JobStatus.SUCCEEDED, tell=False)
        self.world.sweep()
        self.machines.settle()

    @precondition(lambda self: self.machines.running())
    @rule(which=st.integers(0, 20), really=st.integers(0, 9), told=st.booleans())
    def stop(self, which: int, really: int, told: bool) -> None:
        """Now and then somebody stops an execution; the rule for stopped executions reports it, if the event comes."""
        if really != 7:
            return
        execution = self._running(which)
        self.machines.stop(execution)
        self.world.fake_tasks.statuses[execution.name] = "ABORTED"
        if told:
            self.world.end(execution.name, Status.FAILED, "Execution ABORTED", "")

    @rule(death=DEATHS)
    def sweep(self, death: int) -> None:
        """The minute is over."""
        with suppress(Died), dying_after(self.world, death):
            self.world.sweep()

    def _running(self, which: int) -> Execution:
        running = self.machines.running()
        return running[which % len(running)]

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

    # What CloudFormation and SageMaker do.

    @rule(stage=st.sampled_from(EVERYWHERE), fails=st.sampled_from(["", "", "", "no capacity"]))
    def finish(self, stage: str, fails: str) -> None:
        """Operations end."""
        stacks = self.world.stacks(stage)
        stacks.fails_with = fails
        for name in stacks.working():
            stacks.finish(name)
        stacks.fails_with = ""

    @rule(
        stage=st.sampled_from(EVERYWHERE),
        which=st.integers(0, 20),
        status=st.sampled_from(
            ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"]
        ),
        death=DEATHS,
    )
    def event(self, stage: str, which: int, status: str, death: int) -> None:
        """An event arrives: true, late, twice, or forged."""
        stacks = list(self.world.stacks(stage).stacks.values())
        stack = stacks[which % len(stacks)] if stacks else None
        subject = stack.stack_id if stack else "arn:stack:nowhere"
        with suppress(Died), dying_after(self.world, death):
            self.world.happened(StackChanged(subject, status, stack.token if stack else ""))

    @rule(status=st.sampled_from([JobStatus.SUCCEEDED, JobStatus.SUCCEEDED, JobStatus.FAILED]), tell=st.booleans())
    def jobs_end(self, status: JobStatus, tell: bool) -> None:
        """Jobs end; their events may be lost."""
        jobs = self.world.fake_accounts.jobs(ORCHESTRATOR)
        running = [arn for arn, state in jobs.states.items() if state.status is JobStatus.RUNNING]
        for arn in running:
            jobs.states[arn] = JobState(status, "" if status is JobStatus.SUCCEEDED else "out of memory")
        for arn in running if tell else ():
            self.world.happened(JobChanged(arn, "Succeeded"))

    @precondition(lambda self: self.uploads or self.requests)
    @rule(stage=st.sampled_from(EVERYWHERE), which=st.integers(0, 20))
    def somebody_else_deploys(self, stage: str, which: int) -> None:
        """A deployment by hand, where CloudFormation lets it."""
        stacks = self.world.stacks(stage)
        names = sorted(stacks.stacks)
        name = names[which % len(names)] if names else ""
        if name and name not in stacks.working():
            if stacks.stacks[name].status in {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}:
                stacks.delete(name)
            else:
                stacks.somebody_else_deploys(name)
            self.by_hand[(stage, name)] = self.world.clock().isoformat()

    # What always holds.

    @invariant()
    def every_delivery_is_claimed_once(self) -> None:
        """And no two claims share a release."""
        claims = self.world.memory.all(Claim)
        assert len(claims) <= len(self.delivered)
        claimed = [name for claim in claims for name in claim.releases]
        assert len(claimed) == len(set(claimed))
        assert {release.release_id for release in self.world.memory.all(Release)} <= set(claimed)

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
        """Of a workload's releases under way only one deploys, and no operation or job began twice."""
        deploying: dict[str, set[str]] = {}
        for record in self.world.memory.all(StageRecord):
            release = self.world.of(record.release_id)
            if record.status is StageStatus.DEPLOYING and not release.status.ended:
                deploying.setdefault(release.workload, set()).add(release.release_id)
        assert all(len(releases) == 1 for releases in deploying.values())
        for stage in EVERYWHERE:
            executed = self.world.stacks(stage).executed
            assert len(executed) == len(set(executed))
        titles = [request.title for request in self.world.fake_accounts.jobs(ORCHESTRATOR).requests.values()]
        assert len(titles) == len(set(titles))

    def _has_kept_its_word(self, release: Release) -> None:
        if release.status is not Status.SUCCEEDED:
            return
        package = released_package(release, self.world.buckets, PACKAGES)
        for stage in release.stages:
            if self.by_hand.get((stage, release.stack_name), "") < release.created_at.replace("Z", ""):
                stack = self.world.stacks(stage).stacks[release.stack_name]
                assert stack.parameters == package.parameters(stage)

    def teardown(self) -> None:
        """Everything that is under way comes to its end, when nothing dies any more.

        EventBridge delivers an event until a function has taken it; whatever came after that, it does not come again.
        """
        for upload in self.uploads:
            if self._not_taken(upload):
                self._receive(self.uploads.index(upload))
        for rounds in range(60):
            for stage in EVERYWHERE:
                self.finish(stage, "")
            self.jobs_end(JobStatus.SUCCEEDED, tell=False)
            self.world.sweep()
            self.machines.settle()
            if self.agree:
                self.all_agree(0)
            self.what_is_decided_stays_decided()
            self.one_at_a_time()
            self.world.clock.pass_hours(73 if rounds > 20 else 0.3)
            if not self._open() and not self.machines.running():
                break
        assert not self.machines.running()
        self.world.sweep()
        assert self._open() == []
        assert len(self.world.memory.all(Claim)) == len(self.delivered)
        for workload in self.world.memory.all(Workload):
            assert workload.running_release == ""
        assert self.world.waits() == ()
        assert self.world.sweep().answered == 0

    def _not_taken(self, upload: Upload) -> bool:
        sources = {(one.source.key, one.source.version_id) for one in self.world.memory.all(Release)}
        return (upload.key, upload.version_id) not in sources

    def _open(self) -> list[Release]:
        """Releases under way, and ended ones that still hold a turn."""
        holders = {workload.running_release for workload in self.world.memory.all(Workload)}
        found = self.world.memory.all(Release)
        return [one for one in found if not one.status.ended or one.release_id in holders]


def _values(model: str, content: int) -> dict[str, object]:
    """One of three contents; they differ in a parameter."""
    instance = f"ml.m5.{['large', 'xlarge', '2xlarge'][content - 1]}"
    if model != TRAINING:
        return configuration(model_name=model, inference_instance=instance)
    return {
        "pipeline_type": "model_training_builtin",
        "model_name": model,
        "model_framework": "xgboost",
        "model_framework_version": "1.7-1",
        "training_data": f"{TRAINING}/train.csv",
        "validation_data": f"{TRAINING}/validation.csv",
        "job_output_location": f"{TRAINING}/output",
        "algo_hyperparamaters": {"objective": "binary:logistic", "num_round": 100},
        "instance_type": instance,
    }


def _number(release: Release) -> int:
    """Which version of its object a release came from."""
    return int(release.source.version_id.split("-")[0].removeprefix("v"))


TestReleases = Releases.TestCase
