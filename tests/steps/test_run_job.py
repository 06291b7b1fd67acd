"""Jobs that a release runs: started once, whatever happens to the function, and waited for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import views
from orchestrator.core.errors import JobFailed, StepFailed
from orchestrator.core.events import JobChanged
from orchestrator.core.jobs import JobKind, JobStatus, automl_name
from orchestrator.core.messages.mail import question_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import Release, Status, WaitKind, Workload
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.workloads import Catalogue
from tests.fakes.dying import dying_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import CHLOE, MemoryWorld, configuration
from tests.fakes.workload_types import BASE, own_type, with_own
from tests.steps.journeys import asked, in_dev

ROLE = "arn:aws:iam::222222222222:role/mlops/workload/fraud"

INPUT = {
    "Release": {"from": "$release"},
    "RoleArn": {"from": "$output:ExecutionRoleArn"},
    "Instance": {"from": "inference_instance"},
    "Stage": {"from": "$stage"},
    "Nothing": {"from": "endpoint_name"},
}

JOBS: dict[JobKind, dict[str, Any]] = {
    JobKind.SAGEMAKER_PIPELINE: {"kind": "sagemaker_pipeline", "output": "PipelineName", "input": INPUT},
    JobKind.CODEBUILD: {"kind": "codebuild", "output": "ProjectName", "input": INPUT},
    JobKind.AUTOML_JOB: {
        "kind": "automl_job",
        "request": "automl.json",
        "input": {"RoleArn": {"from": "$output:ExecutionRoleArn"}},
    },
}

DOCUMENT = {
    "AutoMLJobName": {"$source": {"from": "model_name"}},
    "OutputDataConfig": {"S3OutputPath": {"$source": {"from": "model_artifact_location", "as": "assets_uri"}}},
    "Tags": [{"Key": "team", "Value": "fraud"}],
}


def with_job(folder: Path, job: dict[str, Any]) -> Catalogue:
    """The real-time type, with a job."""
    documents = {job["request"]: DOCUMENT} if job.get("request") else None
    own_type(folder, BASE, documents, job=job)
    return with_own(folder)


def world_with(folder: Path, job: dict[str, Any]) -> MemoryWorld:
    """A world whose stacks have the outputs that jobs need."""
    world = MemoryWorld(catalogue=with_job(folder, job))
    for stage in world.installation.stage_names:
        world.stacks(stage).outputs |= {"ProjectName": "mlops-pipeline-fraud", "ExecutionRoleArn": ROLE}
    return world


SERVICES = {
    JobKind.SAGEMAKER_PIPELINE: "a SageMaker pipeline",
    JobKind.AUTOML_JOB: "a SageMaker Autopilot job",
    JobKind.CODEBUILD: "a CodeBuild build",
}


@pytest.fixture(params=JobKind)
def kind(request: pytest.FixtureRequest) -> JobKind:
    """What runs the job."""
    found: JobKind = request.param
    return found


@pytest.fixture
def world(tmp_path: Path, kind: JobKind) -> MemoryWorld:
    return world_with(tmp_path, JOBS[kind])


@pytest.fixture
def pipelines(tmp_path: Path) -> MemoryWorld:
    """A world whose workload runs a SageMaker Pipeline."""
    return world_with(tmp_path, JOBS[JobKind.SAGEMAKER_PIPELINE])


@pytest.fixture
def release(world: MemoryWorld) -> Release:
    return in_dev(world)


def test_a_workload_without_a_job_is_answered_at_once() -> None:
    world = MemoryWorld()
    release = in_dev(world)
    token = world.run_job(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "none"}
    assert world.fake_accounts.jobs("dev").states == {}
    assert world.stage(release.release_id, "dev").job is None


def test_the_job_is_started_noted_and_waited_for(world: MemoryWorld, release: Release, kind: JobKind) -> None:
    token = world.run_job(release.release_id, "dev")
    (arn,) = world.fake_accounts.jobs("dev").states
    (wait,) = world.waits()
    assert (wait.kind, wait.subject, wait.token) == (WaitKind.JOB, arn, token)
    assert token.value not in world.fake_tasks.answers
    job = world.stage(release.release_id, "dev").job
    assert job is not None
    assert (job.kind, job.arn, job.status) == (kind, arn, JobStatus.RUNNING)


def test_people_are_told_what_will_run_before_they_approve(world: MemoryWorld, kind: JobKind) -> None:
    release = asked(world)
    facts = gather(release.release_id, world.store, world.installation)
    assert facts.waiting is not None
    told = f"Once it is deployed, its job runs in staging: {SERVICES[kind]}."
    message = release_message(facts)
    assert f":gear: {told}" in json.dumps(message.blocks)
    assert told in message.text
    assert told in question_letter(facts, facts.waiting, "Slack cannot be reached.").text
    record = facts.waiting.record
    assert views.detail(release, [record], {}, world.installation)["stages"][0]["plan"]["job"] == kind.value


def test_nothing_is_said_of_a_job_that_there_is_not() -> None:
    world = MemoryWorld()
    release = asked(world)
    facts = gather(release.release_id, world.store, world.installation)
    assert "its job" not in json.dumps(release_message(facts).blocks)
    record = world.stage(release.release_id, "staging")
    assert views.detail(release, [record], {}, world.installation)["stages"][0]["plan"]["job"] == ""


def test_a_pipeline_gets_its_parameters(pipelines: MemoryWorld) -> None:
    release = in_dev(pipelines)
    pipelines.run_job(release.release_id, "dev")
    (request,) = pipelines.fake_accounts.jobs("dev").requests.values()
    assert request.target == f"{release.stack_name}-pipeline"
    assert request.title == release.release_id
    assert request.inputs == {
        "Release": release.release_id,
        "RoleArn": ROLE,
        "Instance": "ml.t2.medium",
        "Stage": "dev",
    }


def test_a_build_gets_its_variables(tmp_path: Path) -> None:
    world = world_with(tmp_path, JOBS[JobKind.CODEBUILD])
    release = in_dev(world)
    world.run_job(release.release_id, "dev")
    (request,) = world.fake_accounts.jobs("dev").requests.values()
    assert (request.target, request.inputs["Release"]) == ("mlops-pipeline-fraud", release.release_id)


def test_an_automl_job_gets_its_whole_request(tmp_path: Path) -> None:
    world = world_with(tmp_path, JOBS[JobKind.AUTOML_JOB])
    release = in_dev(world, configuration(tags={"cost": "7"}))
    world.run_job(release.release_id, "dev")
    (request,) = world.fake_accounts.jobs("dev").requests.values()
    assert request.target == ""
    assert {**request.document, "Tags": None} == {
        "AutoMLJobName": automl_name("fraud-detector", release.release_id, "dev"),
        "OutputDataConfig": {"S3OutputPath": "s3://mlops-assets/fraud/model.tar.gz"},
        "RoleArn": ROLE,
        "Tags": None,
    }
    tags = request.document["Tags"]
    assert isinstance(tags, list)
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "cost": "7",
        "mlops:release": release.release_id,
        "mlops:stage": "dev",
        "mlops:type": "byom_realtime_builtin",
        "mlops:workload": release.workload,
        "team": "fraud",
    }


@pytest.mark.parametrize(
    ("status", "reason", "failure"),
    [
        (JobStatus.SUCCEEDED, "", None),
        (JobStatus.FAILED, "step Train failed: OutOfMemory", "step Train failed: OutOfMemory"),
        (JobStatus.FAILED, "", "the job failed, and its service says no reason"),
        (JobStatus.STOPPED, "", "the job was stopped"),
        (JobStatus.STOPPED, "by ana", "by ana"),
    ],
)
def test_its_end_answers(
    world: MemoryWorld, release: Release, status: JobStatus, reason: str, failure: str | None
) -> None:
    token = world.run_job(release.release_id, "dev")
    (wait,) = world.waits()
    world.fake_accounts.jobs("dev").end(status, reason)
    assert world.happened(JobChanged(wait.subject, "whatever it says")) == 1
    if failure is None:
        assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}
    else:
        assert world.fake_tasks.failures[token.value] == ("JobFailed", failure)
    assert world.waits() == ()
    job = world.stage(release.release_id, "dev").job
    assert job is not None
    assert (job.status, job.reason) == (status, failure or "")
    assert job.ended_at > job.started_at


def test_a_forged_end_resumes_nothing(world: MemoryWorld, release: Release) -> None:
    token = world.run_job(release.release_id, "dev")
    (wait,) = world.waits()
    assert world.happened(JobChanged(wait.subject, "Succeeded")) == 0
    assert world.happened(JobChanged("arn:of:somebody:else", "Succeeded")) == 0
    assert world.sweep().settled == 0
    assert token.value not in world.fake_tasks.answers


def test_an_event_that_comes_twice_or_late_resumes_nothing_more(world: MemoryWorld, release: Release) -> None:
    token = world.run_job(release.release_id, "dev")
    (wait,) = world.waits()
    world.fake_accounts.jobs("dev").end(JobStatus.SUCCEEDED)
    assert [world.happened(JobChanged(wait.subject, "Succeeded")) for _ in range(3)] == [1, 0, 0]
    assert list(world.fake_tasks.answers)[-1] == token.value


def test_a_lost_event_is_made_good_by_the_sweeper(world: MemoryWorld, release: Release) -> None:
    """As always for an AutoML job, of which AWS documents no event."""
    token = world.run_job(release.release_id, "dev")
    assert world.sweep().settled == 0
    world.fake_accounts.jobs("dev").end(JobStatus.SUCCEEDED)
    assert world.sweep().settled == 1
    assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}


def test_a_repeated_step_starts_no_second_job(world: MemoryWorld, release: Release) -> None:
    dead = world.run_job(release.release_id, "dev")
    world.fake_tasks.retired.add(dead.value)
    token = world.run_job(release.release_id, "dev")
    assert len(world.fake_accounts.jobs("dev").states) == 1
    world.fake_accounts.jobs("dev").end(JobStatus.SUCCEEDED)
    world.sweep()
    assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}


@pytest.mark.parametrize("calls", range(1, 16))
def test_a_function_that_dies_after_any_call_starts_no_second_job(tmp_path: Path, calls: int) -> None:
    world = world_with(tmp_path, JOBS[JobKind.SAGEMAKER_PIPELINE])
    release = in_dev(world)
    try:
        with dying_after(world, calls):
            dead = world.token()
            world.run_job(release.release_id, "dev", dead)
    except Died:
        world.fake_tasks.retired.add(dead.value)
    token = world.run_job(release.release_id, "dev")
    assert len(world.fake_accounts.jobs("dev").states) == 1
    assert len(world.waits()) == 1
    world.fake_accounts.jobs("dev").end(JobStatus.SUCCEEDED)
    world.sweep()
    assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}


def test_a_job_that_ended_before_the_wait_was_stored_is_answered(world: MemoryWorld, release: Release) -> None:
    jobs = world.fake_accounts.jobs("dev")
    dead = world.run_job(release.release_id, "dev")
    world.fake_tasks.retired.add(dead.value)
    for wait in world.waits():
        world.memory.delete(wait)
    jobs.end(JobStatus.SUCCEEDED)
    token = world.run_job(release.release_id, "dev")
    assert world.fake_tasks.answers[token.value] == {"outcome": "completed"}
    assert len(jobs.states) == 1


def test_a_new_job_may_take_a_while_to_show_and_a_deleted_one_fails(world: MemoryWorld, release: Release) -> None:
    token = world.run_job(release.release_id, "dev")
    world.fake_accounts.jobs("dev").forget()
    assert world.sweep().settled == 0
    world.clock.pass_hours(0.3)
    assert world.sweep().settled == 1
    assert world.fake_tasks.failures[token.value] == ("JobFailed", "the job was deleted while it ran")


def test_a_name_that_somebody_else_has_taken_is_told(tmp_path: Path) -> None:
    world = world_with(tmp_path, JOBS[JobKind.AUTOML_JOB])
    release = in_dev(world)
    world.fake_accounts.jobs("dev").taken.add(automl_name("fraud-detector", release.release_id, "dev"))
    with pytest.raises(JobFailed, match="is not this release's"):
        world.run_job(release.release_id, "dev")


@pytest.mark.parametrize(
    "job",
    [
        {"kind": "sagemaker_pipeline", "output": "Forgotten"},
        {"kind": "codebuild", "output": "ProjectName", "input": {"Role": {"from": "$output:Forgotten"}}},
    ],
    ids=["of the pipeline", "in the input"],
)
def test_a_stack_without_the_output_is_told(tmp_path: Path, job: dict[str, Any]) -> None:
    world = world_with(tmp_path, job)
    release = in_dev(world)
    with pytest.raises(JobFailed, match="the stack in dev has no output 'Forgotten'"):
        world.run_job(release.release_id, "dev")
    assert world.fake_accounts.jobs("dev").requests == {}


def _whole(world: MemoryWorld, values: dict[str, Any] | None = None) -> Machines:
    """Upload the configuration and let its machine run; jobs end well, and people agree."""
    machines = Machines(world)
    world.release(values)
    machines.settle()
    for stage in ("dev", "staging", "prod"):
        world.fake_accounts.jobs(stage).end(JobStatus.SUCCEEDED)
        world.sweep()
        machines.settle()
        for record_stage in ("staging", "prod"):
            _agree(world, machines, record_stage)
    return machines


def _agree(world: MemoryWorld, machines: Machines, stage: str) -> None:
    for name in machines.executions:
        release = world.of(name)
        if release.status is Status.AWAITING_APPROVAL and release.stage == stage:
            world.vote(CHLOE, world.approval(name, stage))
            machines.settle()


def test_the_same_file_again_starts_no_second_job(pipelines: MemoryWorld) -> None:
    """Its content is live: the second release ends Unchanged before it comes to a job."""
    machines = _whole(pipelines)
    (first,) = machines.executions
    assert pipelines.of(first).status is Status.SUCCEEDED
    again = pipelines.release()
    machines.settle()
    assert again.release_id != first
    assert pipelines.of(again.release_id).status is Status.UNCHANGED
    assert len(pipelines.fake_accounts.jobs("dev").requests) == 1


def test_a_whole_release_runs_its_job_in_every_stage(world: MemoryWorld) -> None:
    machines = _whole(world)
    (execution,) = machines.executions.values()
    assert execution.status == "SUCCEEDED"
    assert [len(world.fake_accounts.jobs(stage).requests) for stage in world.installation.stage_names] == [1, 1, 1]


def test_a_failed_job_fails_the_release_and_no_later_stage_is_asked_about(pipelines: MemoryWorld) -> None:
    machines = Machines(pipelines)
    release = pipelines.release()
    machines.settle()
    pipelines.fake_accounts.jobs("dev").end(JobStatus.FAILED, "step Train failed: out of memory")
    pipelines.sweep()
    machines.settle()
    ended = pipelines.of(release.release_id)
    assert (ended.status, ended.reason) == (Status.FAILED, "step Train failed: out of memory")
    assert pipelines.stacks("staging").stacks == {}


def test_a_release_that_has_ended_starts_no_job(world: MemoryWorld, release: Release) -> None:
    """An execution is stopped, or gives up waiting, while the function is on its way."""
    world.end(release.release_id, Status.FAILED)
    with pytest.raises(StepFailed, match="no longer has its turn"):
        world.run_job(release.release_id, "dev")
    assert world.fake_accounts.jobs("dev").states == {}
    assert world.waits() == ()


def test_a_release_that_was_overtaken_starts_no_job(world: MemoryWorld, release: Release) -> None:
    """What is deployed is another's by now: the job would run that with the inputs of this one."""
    key = Workload.named(release.workload).key()
    world.store.update(Workload, key, lambda found: replace(found, running_release="fraud-newer"))
    with pytest.raises(StepFailed, match="fraud-newer has it"):
        world.run_job(release.release_id, "dev")
    assert world.fake_accounts.jobs("dev").states == {}


def test_a_job_that_runs_is_waited_for_to_its_end_all_the_same(world: MemoryWorld, release: Release) -> None:
    world.run_job(release.release_id, "dev")
    key = Workload.named(release.workload).key()
    world.store.update(Workload, key, lambda found: replace(found, running_release="fraud-newer"))
    world.run_job(release.release_id, "dev")
    assert len(world.waits()) == 1
    assert len(world.fake_accounts.jobs("dev").states) == 1
