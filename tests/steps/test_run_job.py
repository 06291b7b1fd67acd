"""Jobs that a release runs: started once, whatever happens to the function, and waited for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orchestrator.core.errors import JobFailed
from orchestrator.core.events import PipelineChanged
from orchestrator.core.records import Release, Status, WaitKind
from orchestrator.core.steps.run_job import request_token
from orchestrator.core.workloads import Catalogue, load_types
from tests.fakes.memory_world import TEMPLATES, MemoryWorld, configuration
from tests.steps.journeys import in_dev


def with_job(folder: Path, job: dict[str, object]) -> Catalogue:
    """The real-time type, with a job."""
    shutil.copytree(TEMPLATES / "byom_realtime_builtin", folder / "byom_realtime_builtin")
    file = folder / "byom_realtime_builtin" / "workload.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "job": job}))
    return load_types([TEMPLATES, folder])


@pytest.fixture
def world(tmp_path: Path) -> MemoryWorld:
    return MemoryWorld(catalogue=with_job(tmp_path, {"kind": "sagemaker_pipeline", "output": "PipelineName"}))


@pytest.fixture
def release(world: MemoryWorld) -> Release:
    return in_dev(world)


def test_a_workload_without_a_job_is_answered_at_once() -> None:
    world = MemoryWorld()
    release = in_dev(world)
    token = world.run_job(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "none"}
    assert world.fake_accounts.jobs("dev").states == {}


def test_the_pipeline_of_the_stack_is_started_and_waited_for(world: MemoryWorld, release: Release) -> None:
    token = world.run_job(release.release_id, "dev")
    (arn,) = world.fake_accounts.jobs("dev").states
    assert arn == f"arn:pipeline:{release.stack_name}-pipeline:{request_token(release.release_id, 'dev')}"
    (wait,) = world.waits()
    assert (wait.kind, wait.subject, wait.token) == (WaitKind.PIPELINE, arn, token)
    assert token.value not in world.fake_tasks.answers


@pytest.mark.parametrize(
    ("status", "reason", "failure"),
    [
        ("Succeeded", "", None),
        ("Failed", "Step Train: OutOfMemory", "Step Train: OutOfMemory"),
        ("Failed", "", "the pipeline execution ended Failed"),
        ("Stopped", "", "the pipeline execution ended Stopped"),
    ],
)
def test_its_end_answers(world: MemoryWorld, release: Release, status: str, reason: str, failure: str | None) -> None:
    token = world.run_job(release.release_id, "dev")
    (wait,) = world.waits()
    world.fake_accounts.jobs("dev").end(status, reason)
    assert world.happened(PipelineChanged(wait.subject, status)) == 1
    if failure is None:
        assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}
    else:
        assert world.fake_tasks.failures[token.value] == ("JobFailed", failure)
    assert world.waits() == ()


@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_a_forged_end_resumes_nothing(world: MemoryWorld, release: Release, status: str) -> None:
    token = world.run_job(release.release_id, "dev")
    (wait,) = world.waits()
    world.fake_accounts.jobs("dev").end(status)
    assert world.happened(PipelineChanged(wait.subject, "Succeeded")) == 0
    assert world.sweep().settled == 0
    assert token.value not in world.fake_tasks.answers


def test_a_repeated_step_starts_no_second_job(world: MemoryWorld, release: Release) -> None:
    dead = world.run_job(release.release_id, "dev")
    world.fake_tasks.retired.add(dead.value)
    token = world.run_job(release.release_id, "dev")
    assert len(world.fake_accounts.jobs("dev").states) == 1
    world.fake_accounts.jobs("dev").end("Succeeded")
    world.sweep()
    assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}


def test_a_job_that_ended_before_the_wait_was_stored_is_answered(world: MemoryWorld, release: Release) -> None:
    jobs = world.fake_accounts.jobs("dev")
    jobs.start_pipeline(f"{release.stack_name}-pipeline", request_token(release.release_id, "dev"), "x")
    jobs.end("Succeeded")
    token = world.run_job(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}


def test_a_stack_without_the_output_is_told(tmp_path: Path) -> None:
    world = MemoryWorld(catalogue=with_job(tmp_path, {"kind": "sagemaker_pipeline", "output": "Forgotten"}))
    release = in_dev(world)
    with pytest.raises(JobFailed, match="Forgotten"):
        world.run_job(release.release_id, "dev")


def test_a_kind_of_job_that_cannot_be_run_is_told_before_anything_is_deployed(tmp_path: Path) -> None:
    world = MemoryWorld(catalogue=with_job(tmp_path, {"kind": "codebuild", "output": "Project"}))
    release = world.release(configuration())
    world.package(release.release_id)
    with pytest.raises(JobFailed, match="codebuild"):
        world.plan(release.release_id, "dev")
    assert world.of(release.release_id).status is Status.PLANNING
    assert world.stacks("dev").stacks == {}


@pytest.mark.parametrize("release_id", ["a-0123456789", "m" * 51])
def test_the_request_token_is_one_that_sagemaker_takes(release_id: str) -> None:
    assert 32 <= len(request_token(release_id, "staging")) <= 128
    assert request_token(release_id, "dev") != request_token(release_id, "prod")
