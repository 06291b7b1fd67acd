"""A world in memory: every port of the steps, wired together, good enough to take whole releases through it.

``MemoryWorld`` calls the steps as the functions' handlers do. The parts can be used alone: ``storage`` (table,
buckets), ``stacks`` (CloudFormation), ``services`` (task tokens, SageMaker, mail), ``machine`` (the state machines).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.core.events import ModelPackageChanged, StatusEvent, Upload
from orchestrator.core.installation import ORCHESTRATOR, ApprovalPolicy, Installation, StageSettings
from orchestrator.core.ledger.changes import Change
from orchestrator.core.model_versions import group_of
from orchestrator.core.people import Identity, IdentityKind, People, Person
from orchestrator.core.pipelines.ports import Pipelines
from orchestrator.core.plans import ArtifactStore
from orchestrator.core.ports import Accounts, Clock, Objects, Outcomes, Store, Tasks
from orchestrator.core.records import Approval, Release, StageRecord, Status, TaskToken, Verdict, Wait, Workload
from orchestrator.core.steps.append_ledger import Noted, append_ledger
from orchestrator.core.steps.decide_approval import Ballot, BallotResult, vote
from orchestrator.core.steps.deploy_stage import deploy_stage
from orchestrator.core.steps.executions import Machines
from orchestrator.core.steps.package import package
from orchestrator.core.steps.plan_stage import plan_stage
from orchestrator.core.steps.progress import approval_of, release_of
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.receive_model_package import receive_model_package
from orchestrator.core.steps.receive_object import receive_object
from orchestrator.core.steps.receive_request import receive_body, receive_upload
from orchestrator.core.steps.reception import Places, Reception
from orchestrator.core.steps.record_outcome import record_outcome
from orchestrator.core.steps.request_approval import request_approval
from orchestrator.core.steps.resume_deployment import resume_deployment
from orchestrator.core.steps.run_job import run_job
from orchestrator.core.steps.sweep_waits import Swept, sweep_waits
from orchestrator.core.steps.verify_stage import verify_stage
from orchestrator.core.steps.withdraw_vote import Wish, withdraw
from orchestrator.core.uses import users_of_group
from orchestrator.core.workloads import Catalogue, load_types
from tests.events.samples import object_created
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import MemoryLedgers
from tests.fakes.model_cards import FakeModelCards
from tests.fakes.services import FakeAccounts, FakeEndpoints, FakeJobs, FakeMail, FakeModelRegistry, FakeTasks
from tests.fakes.stacks import FakeStack, FakeStacks
from tests.fakes.storage import MemoryObjects, MemoryStore
from tests.fakes.user_groups import FakeUserGroups

TEMPLATES = Path(__file__).parents[2] / "templates"

ASSETS = "mlops-assets"
PACKAGES = "mlops-packages"
PACKAGES_KEY = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d"
MULTI_MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:MultiAccount"
SINGLE_MACHINE = "arn:aws:states:us-east-1:111111111111:stateMachine:SingleAccount"
PLACES = Places(ASSETS, PACKAGES, Machines(MULTI_MACHINE, SINGLE_MACHINE))

ANA = Person("ana@example.com", "Ana Silva", ("U0ANA",), ("ana",), ("ana@home.example",))
BEN = Person("ben@example.com", "Ben Okafor", ("U0BEN",), ("ben",))
CHLOE = Person("chloe@example.com", "Chloé Martin", ("U0CHLOE",), ("chloe",))
DEV = Person("dev@example.com", "Dev Patel", ("U0DEV",), ("dev",))
ROLES = {
    "ml-owner": ("ben@example.com", "chloe@example.com", "dev@example.com"),
    "risk": ("ben@example.com", "chloe@example.com"),
}
OWNER = ApprovalPolicy(((("ml-owner", 1),),))
RISK = ApprovalPolicy(((("risk", 1),),))

BY_ANA = Identity(
    IdentityKind.IAM,
    "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/ana",
    verified=True,
)
"""Ana, through the API: known for certain."""


@cache
def catalogue() -> Catalogue:
    """The product's own workload types."""
    return load_types([TEMPLATES])


def installation(*stages: StageSettings, **changes: Any) -> Installation:
    """An installation of four accounts; dev is deployed without asking, staging and prod ask."""
    settings = stages or (
        StageSettings("dev", "222222222222"),
        StageSettings("staging", "333333333333", OWNER),
        StageSettings("prod", "444444444444", RISK),
    )
    known = Installation(
        mode="multi",
        region="us-east-1",
        partition="aws",
        account="111111111111",
        external_id="mlops-orchestrator-test",
        stages=settings,
        roles=ROLES,
        people=People((ANA, BEN, CHLOE, DEV)),
        slack_channel="ml-releases",
    )
    return replace(known, **changes)


def configuration(**changes: Any) -> dict[str, Any]:
    """A real-time workload's configuration; a value of None drops its key."""
    whole = {
        "pipeline_type": "byom_realtime_builtin",
        "model_name": "fraud-detector",
        "model_framework": "sklearn",
        "model_framework_version": "1.2-1",
        "model_artifact_location": "fraud/model.tar.gz",
        "inference_instance": {"dev": "ml.t2.medium", "staging": "ml.m5.large", "prod": "ml.m5.xlarge"},
        "data_capture_location": "capture-bucket/fraud",
        "verify": {"sample": "fraud/sample.csv", "content_type": "text/csv"},
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def evaluation(**figures: float) -> bytes:
    """An evaluation file as SageMaker's model-quality reports have it."""
    matrix = {"0": {"0": 90, "1": 0}, "1": {"0": 4, "1": 49}}
    scalars = {name: {"value": value, "standard_deviation": "NaN"} for name, value in figures.items()}
    return json.dumps({"binary_classification_metrics": {"confusion_matrix": matrix, **scalars}}).encode()


def slack(person: Person) -> Identity:
    """The person, as Slack knows him."""
    return Identity(IdentityKind.SLACK, person.slack_ids[0], verified=True)


@dataclass
class MemoryWorld:
    """The collaborators of every step. ``store``, ``objects``, ``accounts`` and ``tasks`` may be wrapped."""

    installation: Installation = field(default_factory=installation)
    catalogue: Catalogue = field(default_factory=catalogue)
    clock: FakeClock = field(default_factory=FakeClock)
    memory: MemoryStore = field(default_factory=MemoryStore)
    buckets: MemoryObjects = field(default_factory=MemoryObjects)
    fake_tasks: FakeTasks = field(default_factory=FakeTasks)
    mail: FakeMail = field(default_factory=FakeMail)
    registry: FakeModelRegistry = field(default_factory=FakeModelRegistry)
    cards: FakeModelCards = field(default_factory=FakeModelCards)
    user_groups: FakeUserGroups = field(default_factory=FakeUserGroups)
    fake_ledgers: MemoryLedgers = field(default_factory=MemoryLedgers)
    ledger_clock: FakeClock = field(default_factory=FakeClock)
    """The appending function's own: who looks at a ledger moves no other clock."""

    def __post_init__(self) -> None:
        own = (ORCHESTRATOR,) if self.installation.mode == "multi" else ()
        self.fake_accounts = FakeAccounts(*self.installation.stage_names, *own)
        for stage in self.fake_accounts.by_stage:
            self.stacks(stage).read_template = self.buckets.at_url
        self.store: Store = self.memory
        self.objects: Objects = self.buckets
        self.accounts: Accounts = self.fake_accounts
        self.tasks: Tasks = self.fake_tasks
        self._tokens = 0
        self._told = 0
        self.buckets.put(ASSETS, "fraud/model.tar.gz", b"a model")
        self.buckets.put(ASSETS, "fraud/sample.csv", b"1,2,3")

    @property
    def ledgers(self) -> MemoryLedgers:
        """The audit ledgers, once the table's stream has told all that has happened by now."""
        changes, self._told = self.memory.changes[self._told :], len(self.memory.changes)
        for change in changes:
            if change.told:
                self.append(change)
        return self.fake_ledgers

    def append(self, change: Change) -> Noted:
        """The function AppendLedger is given a change."""
        return append_ledger(
            change,
            store=self.memory,
            ledgers=self.fake_ledgers,
            installation=self.installation,
            now=self.ledger_clock,
            pause=lambda seconds: None,
        )

    def stacks(self, stage: str) -> FakeStacks:
        """CloudFormation of a stage, for a test's own hands."""
        return self.fake_accounts.stacks(stage)

    def token(self) -> TaskToken:
        """A new task token."""
        self._tokens += 1
        return TaskToken(f"token-{self._tokens}")

    # What arrives.

    def put_configuration(
        self, values: Any, key: str = "fraud/mlops-config.json", metadata: Mapping[str, str] | None = None
    ) -> Upload:
        """Upload a configuration; the event that tells of it."""
        data = values if isinstance(values, bytes) else json.dumps(values).encode()
        version = self.buckets.put(ASSETS, key, data, metadata)
        return Upload(ASSETS, key, version, f"{len(self.buckets.versions[(ASSETS, key)]):016X}")

    def receive(self, upload: Upload) -> Receipt:
        """The upload's event is delivered."""
        return receive_upload(upload, self.reception)

    def put_asset(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Upload something else; EventBridge's event of it."""
        version = self.buckets.put(ASSETS, key, data, metadata)
        return object_created(ASSETS, key, version, f"{len(self.buckets.versions[(ASSETS, key)]):016X}")

    def deliver(self, event: Mapping[str, Any]) -> Receipt:
        """An event of the assets bucket is delivered."""
        return receive_object(event, self.reception)

    def assess(self, arn: str, approval: str, *changed: str) -> Receipt:
        """Somebody changes the approval of a model package's version; the event is delivered."""
        known = self.registry.versions[arn]
        self.registry.add(replace(known, approval=approval, modified=self.clock().isoformat()))
        return self.registry_event(arn, *(changed or ("ModelApprovalStatus",)))

    def registry_event(self, arn: str, *changed: str) -> Receipt:
        """An event of a model package's version is delivered; without names of what has changed it tells of none."""
        event = ModelPackageChanged(arn, changed or None)
        return receive_model_package(event, users_of_group(self.store, group_of(arn)), self.reception)

    def release(self, values: Any = None, requester: Identity = BY_ANA, request: str = "", **options: Any) -> Release:
        """Ask for a release through the API; its record."""
        data = json.dumps(configuration() if values is None else values).encode()
        self._tokens += 1
        receipt = receive_body(data, requester, request or f"request-{self._tokens}", self.reception, **options)
        return receipt.releases[0]

    def uploaded(self, values: Any = None) -> Release:
        """Ask for a release by an upload; its record."""
        return self.receive(self.put_configuration(configuration() if values is None else values)).releases[0]

    @property
    def reception(self) -> Reception:
        """The collaborators of the way in."""
        return Reception(self, PLACES)

    @property
    def workload_pipelines(self) -> Pipelines:
        """The pipelines that deploy workloads, where a test brings them."""
        return self.accounts.pipelines()

    @property
    def now(self) -> Clock:
        """The time."""
        return self.clock

    # The steps, as their handlers call them.

    def package(self, release_id: str) -> dict[str, object]:
        """State Package."""
        return package(
            release_id,
            store=self.store,
            objects=self.objects,
            tasks=self.tasks,
            registry=lambda: self.registry,
            catalogue=self.catalogue,
            installation=self.installation,
            assets_bucket=ASSETS,
            packages_bucket=PACKAGES,
            packages_key_arn=PACKAGES_KEY,
            pipelines=lambda: self.workload_pipelines,
            artifacts=ArtifactStore("mlops-artifacts", PACKAGES_KEY),
            now=self.clock,
        )

    def plan(self, release_id: str, stage: str) -> dict[str, object]:
        """State Plan…."""
        return plan_stage(
            release_id,
            stage,
            store=self.store,
            objects=self.objects,
            accounts=self.accounts,
            registry=lambda: self.registry,
            installation=self.installation,
            packages_bucket=PACKAGES,
            now=self.clock,
        )

    def ask(self, release_id: str, stage: str, token: TaskToken | None = None) -> TaskToken:
        """State WaitFor…Approval; the token that waits."""
        token = token or self.token()
        request_approval(
            release_id,
            stage,
            token,
            store=self.store,
            tasks=self.tasks,
            installation=self.installation,
            now=self.clock,
        )
        return token

    def deploy(self, release_id: str, stage: str, token: TaskToken | None = None) -> TaskToken:
        """State Deploy…; the token that waits."""
        token = token or self.token()
        deploy_stage(
            release_id,
            stage,
            token,
            store=self.store,
            objects=self.objects,
            accounts=self.accounts,
            tasks=self.tasks,
            registry=lambda: self.registry,
            installation=self.installation,
            packages_bucket=PACKAGES,
            now=self.clock,
        )
        return token

    def run_job(self, release_id: str, stage: str, token: TaskToken | None = None) -> TaskToken:
        """State RunJob…; the token that waits."""
        token = token or self.token()
        run_job(
            release_id,
            stage,
            token,
            store=self.store,
            objects=self.objects,
            accounts=self.accounts,
            tasks=self.tasks,
            packages_bucket=PACKAGES,
            now=self.clock,
        )
        return token

    def verify(self, release_id: str, stage: str) -> dict[str, object]:
        """State Verify…."""
        return verify_stage(
            release_id,
            stage,
            store=self.store,
            objects=self.objects,
            accounts=self.accounts,
            packages_bucket=PACKAGES,
            now=self.clock,
        )

    def end(self, release_id: str, outcome: Status, error: str = "", cause: str = "") -> dict[str, object]:
        """The named ends."""
        return record_outcome(
            release_id,
            outcome,
            error=error,
            cause=cause,
            store=self.store,
            accounts=self.accounts,
            now=self.clock,
        )

    # People, events, the schedule.

    def vote(
        self, who: Identity | Person, approval: Approval, verdict: Verdict = Verdict.APPROVE, reason: str = ""
    ) -> BallotResult:
        """Somebody says something about an approval that he was shown."""
        voter = slack(who) if isinstance(who, Person) else who
        clicked = voter.value if voter.kind is IdentityKind.SLACK else ""
        ballot = Ballot(approval.approval_id, approval.digest[:16], voter, verdict, reason, slack_id=clicked)
        return vote(
            ballot,
            store=self.store,
            tasks=self.tasks,
            installation=self.installation,
            now=self.clock,
            groups=self.user_groups,
        )

    def withdraw(self, who: Identity | Person, approval: Approval) -> BallotResult:
        """Somebody takes back what he has said about an approval."""
        voter = slack(who) if isinstance(who, Person) else who
        wish = Wish(approval.approval_id, approval.digest[:16], voter)
        return withdraw(wish, store=self.store, installation=self.installation, now=self.clock)

    def happened(self, event: StatusEvent) -> int:
        """A status event is delivered."""
        return resume_deployment(
            event, store=self.store, accounts=self.accounts, tasks=self.tasks, now=self.clock
        ).ended

    def sweep(self) -> Swept:
        """The schedule's minute is over."""
        return sweep_waits(
            store=self.store,
            accounts=self.accounts,
            tasks=self.tasks,
            outcomes=self.outcomes(),
            machines=PLACES.machines,
            now=self.clock,
        )

    def outcomes(self, function_name: str = "") -> Outcomes:
        """The function RecordOutcome, which is called in a process of its own."""
        return _RecordOutcome(self)

    # What stands in the records.

    def of(self, release_id: str) -> Release:
        """The release's record."""
        return release_of(self.memory, release_id)

    def stage(self, release_id: str, stage: str) -> StageRecord:
        """The stage's record."""
        found = self.memory.get(StageRecord, (f"RELEASE#{release_id}", f"STAGE#{stage}"))
        assert found is not None, f"{release_id} has no record of {stage}"
        return found

    def approval(self, release_id: str, stage: str) -> Approval:
        """The approval that the stage asked for last."""
        found = approval_of(self.memory, self.stage(release_id, stage).approval_id)
        assert found is not None, f"{stage} of {release_id} has asked for no approval"
        return found

    def workload(self, name: str = "fraud-detector-realtime") -> Workload:
        """The workload's record."""
        return self.memory.get(Workload, Workload.named(name).key()) or Workload.named(name)

    def waits(self) -> tuple[Wait, ...]:
        """Every open wait."""
        return self.memory.all(Wait)


@dataclass(frozen=True)
class _RecordOutcome:
    world: MemoryWorld

    def report(self, release_id: str, error: str, cause: str) -> None:
        """See ``ports.Outcomes``."""
        self.world.end(release_id, Status.FAILED, error, cause)


def digest_of(rows: Mapping[tuple[str, str], object]) -> str:
    """One word for the table's whole content, to see whether anything has changed."""
    return hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest()


__all__ = [
    "ANA",
    "ASSETS",
    "BEN",
    "BY_ANA",
    "CHLOE",
    "DEV",
    "PACKAGES",
    "FakeAccounts",
    "FakeClock",
    "FakeEndpoints",
    "FakeJobs",
    "FakeMail",
    "FakeStack",
    "FakeStacks",
    "FakeTasks",
    "MemoryObjects",
    "MemoryStore",
    "MemoryWorld",
    "catalogue",
    "configuration",
    "digest_of",
    "installation",
    "slack",
]
