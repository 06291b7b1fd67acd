"""What a CodePipeline does with a release in memory, as tests look at it."""

from __future__ import annotations

from orchestrator.core.events import PipelineChanged
from orchestrator.core.pipelines.template import pipeline_name
from orchestrator.core.plans import PipelineStage
from orchestrator.core.records import Release
from orchestrator.core.steps.resume_deployment import Resumed, resume_deployment
from tests.fakes.memory_world import (
    MemoryWorld,
)
from tests.fakes.pipelines import FakeExecution, FakePipelines, PipedAccounts

NAME = pipeline_name("fraud-detector-realtime")
STRANGER = "arn:aws:iam::111111111111:user/mallory"


def pipelines(world: MemoryWorld) -> FakePipelines:
    assert isinstance(world.accounts, PipedAccounts)
    return world.accounts.fake


def execution(world: MemoryWorld, release: Release) -> FakeExecution:
    return pipelines(world).executions[world.of(release.release_id).pipeline_execution]


def runs(world: MemoryWorld, release: Release) -> list[tuple[str, str, str]]:
    return [(run.stage, run.action, run.status) for run in execution(world, release).runs]


def stage_run(world: MemoryWorld, release: Release, stage: str) -> PipelineStage:
    return PipelineStage(NAME, world.of(release.release_id).pipeline_execution, stage)


def resumed(world: MemoryWorld, event: PipelineChanged) -> Resumed:
    return resume_deployment(event, store=world.store, accounts=world.accounts, tasks=world.tasks, now=world.clock)


def changed(world: MemoryWorld, release: Release) -> int:
    return world.happened(PipelineChanged(NAME, world.of(release.release_id).pipeline_execution))
