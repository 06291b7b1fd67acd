"""CodePipeline in memory, over the stages' CloudFormation in memory: an execution goes on whenever it is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.core.errors import PlanFailed
from orchestrator.core.installation import StageSettings
from orchestrator.core.packaging import read_package
from orchestrator.core.pipelines.ports import Pipelines
from orchestrator.core.pipelines.progress import (
    ABANDONED,
    FAILED,
    IN_PROGRESS,
    STOPPED,
    SUCCEEDED,
    ActionRun,
    Progress,
    progress_of,
)
from orchestrator.core.pipelines.stacks import PipelineStacks
from orchestrator.core.pipelines.template import APPROVE, CHANGE_SET, EXECUTE, PLAN
from orchestrator.core.plans import PackageVersion, PipelineStage, Plan
from orchestrator.core.ports import PlanRequest, Stacks
from orchestrator.core.steps.released import template_key
from tests.fakes.memory_world import PACKAGES, MemoryWorld, installation
from tests.fakes.services import FakeAccounts
from tests.fakes.stacks import FakeStacks
from tests.fakes.storage import MemoryObjects

OURS = "arn:aws:sts::111111111111:assumed-role/mlops-function-deploy-stage/a-session"


@dataclass(eq=False)
class FakeExecution:
    """One execution: its package, and every run of an action, oldest first."""

    pipeline: str
    package: PackageVersion
    status: str = IN_PROGRESS
    runs: list[ActionRun] = field(default_factory=list)
    plans: dict[str, Plan] = field(default_factory=dict)
    """By stage, the newest."""


@dataclass
class FakePipelines:
    """``pipelines.ports.Pipelines``."""

    accounts: FakeAccounts
    objects: MemoryObjects
    bucket: str
    url: Callable[[str], str]
    """A package's key → the URL of its template."""
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    executions: dict[str, FakeExecution] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, bool, str]] = field(default_factory=list)
    """Stage, whether it was approved, and the comment."""
    by: str = OURS
    """Who answers."""
    execute_fails: str = ""
    """Why Execute fails before CloudFormation has begun anything."""
    unlisted: int = 0
    """How many more looks show an approval as open that has been answered."""
    _made: int = 0

    def provision(self, name: str, template: str) -> None:
        """See ``Pipelines``."""
        self.templates[name] = json.loads(template)["Resources"]["Pipeline"]["Properties"]

    def retire(self, name: str) -> None:
        """See ``Pipelines``."""
        self.templates.pop(name, None)

    def start(self, name: str, package: PackageVersion, request_token: str) -> str:
        """See ``Pipelines``."""
        if request_token not in self.tokens:
            self.tokens[request_token] = f"execution-{len(self.executions) + 1}"
            self.executions[self.tokens[request_token]] = FakeExecution(name, package)
        return self.tokens[request_token]

    def clear(self, name: str, keep: str, reason: str) -> int:
        """See ``Pipelines``."""
        others = [
            found
            for identity, found in self.executions.items()
            if found.pipeline == name and identity != keep and found.status == IN_PROGRESS
        ]
        for other in others:
            self._halt(other)
        return len(others)

    def progress(self, run: PipelineStage) -> Progress:
        """See ``Pipelines``."""
        found = self.executions[run.execution_id]
        if self.unlisted:
            self.unlisted -= 1
            runs = [replace(one, status=IN_PROGRESS) if one.action == APPROVE else one for one in found.runs]
            return progress_of(IN_PROGRESS, [one for one in runs if one.action != EXECUTE], run.stage)
        self._go_on(found)
        return progress_of(found.status, found.runs, run.stage)

    def answer(self, run: PipelineStage, *, approved: bool, comment: str) -> bool:
        """See ``Pipelines``."""
        found = self.executions[run.execution_id]
        asked = progress_of(found.status, found.runs, run.stage).approve
        if asked is None or asked.status != IN_PROGRESS or len(comment) > 512:
            return False
        self.answers.append((run.stage, approved, comment))
        self._set(found, asked, status=SUCCEEDED if approved else FAILED, by=self.by, summary=comment)
        if not approved:
            found.status = FAILED
        return True

    def retry(self, run: PipelineStage, *, everything: bool) -> None:
        """See ``Pipelines``: what is tried again is planned again, which is all that can fail before an approval."""
        found = self.executions[run.execution_id]
        if found.status in {FAILED, STOPPED}:
            found.status = IN_PROGRESS
            self._plan(found, run.stage)

    def stop(self, run: PipelineStage, reason: str) -> bool:
        """See ``Pipelines``."""
        found = self.executions[run.execution_id]
        return found.status == IN_PROGRESS and self._halt(found)

    def state(self, name: str) -> Mapping[str, Any]:
        """See ``Pipelines``."""
        if name not in self.templates:
            return {}
        started = [identity for identity, found in self.executions.items() if found.pipeline == name]
        states = [
            {
                "stageName": one["Name"],
                "actionStates": [],
                "latestExecution": {"pipelineExecutionId": started[-1], "status": self.executions[started[-1]].status},
            }
            for one in (self.templates[name]["Stages"] if started else ())
        ]
        return {"pipelineName": name, "stageStates": states}

    def _halt(self, found: FakeExecution) -> bool:
        found.status = STOPPED
        for run in [one for one in found.runs if one.status == IN_PROGRESS]:
            self._set(found, run, status=ABANDONED)
        return True

    def _go_on(self, found: FakeExecution) -> None:
        """As far as it comes without anybody's deed; one after the other, since executions are queued."""
        before = list(self.executions.values())
        before = before[: before.index(found)]
        if not found.runs and any(one.pipeline == found.pipeline and one.status == IN_PROGRESS for one in before):
            return
        for name in self._stages(found):
            stands = progress_of(found.status, found.runs, name)
            if found.status != IN_PROGRESS:
                return
            if stands.plan is None:
                self._plan(found, name)
                return
            if stands.execute is None and stands.approve is not None and stands.approve.status == SUCCEEDED:
                self._execute(found, name)
                stands = progress_of(found.status, found.runs, name)
            if stands.execute is None or not self._ended(found, name, stands.execute):
                return
        found.status = SUCCEEDED

    def _plan(self, found: FakeExecution, name: str) -> None:
        stage, stacks = self._stages(found)[name], self._stacks(found, name)
        package = read_package(self.objects.read(self.bucket, found.package.key, found.package.version_id))
        self._made += 1
        request = PlanRequest(
            stack_name=str(package.manifest["stack_name"]),
            template_url=self.url(found.package.key),
            parameters=package.parameters(stage),
            capabilities=package.manifest["capabilities"],
            tags=package.tags(stage),
            change_set_name=f"{CHANGE_SET}/{self._made}",
            content_digest="",
        )
        stack = stacks.stacks.get(request.stack_name)
        if stack is not None and stack.status == "ROLLBACK_COMPLETE":
            self._fail(found, name, PLAN, "Stack is in ROLLBACK_COMPLETE state and can not be updated.")
            return
        stacks.discard_made(request.stack_name, CHANGE_SET)
        try:
            found.plans[name] = stacks.plan(request)
        except PlanFailed as error:
            self._fail(found, name, PLAN, str(error))
            return
        found.runs.append(ActionRun(name, PLAN, SUCCEEDED, self._id(found)))
        found.runs.append(ActionRun(name, APPROVE, IN_PROGRESS, self._id(found)))

    def _execute(self, found: FakeExecution, name: str) -> None:
        plan = found.plans[name]
        run = ActionRun(name, EXECUTE, IN_PROGRESS, self._id(found))
        found.runs.append(run)
        if plan.empty:
            self._set(found, run, status=SUCCEEDED)
        elif self.execute_fails:
            self._set(found, run, status=FAILED, error=self.execute_fails)
            found.status = FAILED
        elif not self._stacks(found, name).execute(plan, f"codepipeline-{run.id}"):
            self._set(found, run, status=FAILED, error="ChangeSet does not exist")
            found.status = FAILED

    def _ended(self, found: FakeExecution, name: str, run: ActionRun) -> bool:
        """Whether the stage has ended well."""
        if run.status == IN_PROGRESS:
            state = self._stacks(found, name).state(found.plans[name].stack_id)
            if state.status.endswith("_IN_PROGRESS"):
                return False
            good = state.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
            self._set(found, run, status=SUCCEEDED if good else FAILED, error="" if good else "the stack failed")
            if not good:
                found.status = FAILED
            return good
        return run.status == SUCCEEDED

    def _fail(self, found: FakeExecution, stage: str, action: str, why: str) -> None:
        found.runs.append(ActionRun(stage, action, FAILED, self._id(found), error=why))
        found.status = FAILED

    def _set(self, found: FakeExecution, run: ActionRun, **changes: Any) -> None:
        found.runs = [replace(one, **changes) if one.id == run.id else one for one in found.runs]

    def _id(self, found: FakeExecution) -> str:
        return f"{found.pipeline}-{len(self.executions)}-{len(found.runs)}"

    def _stages(self, found: FakeExecution) -> dict[str, str]:
        """The pipeline's stages by name → ours, as its template has them."""
        declared = self.templates[found.pipeline]["Stages"][1:]
        files = {one["Name"]: one["Actions"][0]["Configuration"]["TemplateConfiguration"] for one in declared}
        return {name: file.rpartition("/")[2].removesuffix(".json") for name, file in files.items()}

    def _stacks(self, found: FakeExecution, name: str) -> FakeStacks:
        return self.accounts.by_stage[self._stages(found)[name]][0]


class PipedAccounts:
    """``ports.Accounts`` of an installation in which CodePipeline deploys. ``wrap`` stands between the two."""

    def __init__(self, accounts: FakeAccounts, pipelines: FakePipelines) -> None:
        self._accounts = accounts
        self.fake = pipelines
        self.wrap: Callable[[Any], Any] = lambda port: port

    def stacks(self, stage: str) -> Stacks:
        """See ``ports.Accounts``."""
        return PipelineStacks(
            self.wrap(self._accounts.stacks(stage)), self.wrap(self.fake), lambda seconds: None, looks=10
        )

    def pipelines(self) -> Pipelines:
        """See ``ports.Accounts``."""
        wrapped: Pipelines = self.wrap(self.fake)
        return wrapped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._accounts, name)


def piped(*stages: StageSettings) -> MemoryWorld:
    """A world in which CodePipeline deploys."""
    made = MemoryWorld(installation=installation(*stages, deploy_engine="codepipeline"))

    def url(key: str) -> str:
        return made.buckets.template_url(PACKAGES, template_key(key.rpartition("/")[2].removesuffix(".zip")))

    pipelines = FakePipelines(made.fake_accounts, made.buckets, PACKAGES, url)
    made.accounts = PipedAccounts(made.fake_accounts, pipelines)
    return made
