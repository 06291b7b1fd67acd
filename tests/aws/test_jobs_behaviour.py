"""One suite for both: what the steps rely on holds for the adapter of jobs as for its fake.

The adapter runs on ``jobs_double``, behind real clients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from orchestrator.aws.jobs import StageJobs
from orchestrator.core.errors import JobFailed
from orchestrator.core.jobs import JobKind, JobStatus, automl_request
from orchestrator.core.ports import JobRequest, Jobs, JobState
from tests.aws.jobs_double import CodeBuildDouble, SageMakerDouble
from tests.fakes.services import FakeJobs

TOKEN = "fraud-0001-dev-job00000000000000"
OTHER = "fraud-0002-dev-job00000000000000"
WORDS = {
    JobStatus.SUCCEEDED: ("Succeeded", "Completed", "SUCCEEDED"),
    JobStatus.FAILED: ("Failed", "Failed", "FAILED"),
    JobStatus.STOPPED: ("Stopped", "Stopped", "STOPPED"),
}


def a_request(kind: JobKind, release: str = "fraud-0001", token: str = TOKEN) -> JobRequest:
    """A job of this kind."""
    if kind is JobKind.AUTOML_JOB:
        given = {
            "AutoMLJobName": "churn",
            "AutoMLJobInputDataConfig": [
                {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}}}
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "churned"}},
            "RoleArn": "arn:aws:iam::222222222222:role/mlops/workload/churn",
        }
        return JobRequest(kind, "", token, release, document=automl_request(given, {}, {}, release, "dev"))
    return JobRequest(kind, "fraud", token, release, inputs={"Release": release, "Rounds": "100"})


@dataclass
class Cloud:
    """One of the two, as the steps see it and from outside."""

    jobs: Jobs
    fake: FakeJobs | None
    sagemaker: SageMakerDouble
    builds: CodeBuildDouble

    def started(self) -> int:
        """How many jobs were started."""
        if self.fake is not None:
            return len(self.fake.states)
        return len(self.sagemaker.executions) + len(self.sagemaker.automl) + len(self.builds.builds)

    def end(self, status: JobStatus) -> None:
        """Every job ends."""
        if self.fake is not None:
            self.fake.end(status, "" if status is JobStatus.SUCCEEDED else "because")
            return
        pipeline, automl, build = WORDS[status]
        for execution in self.sagemaker.executions.values():
            execution |= {"PipelineExecutionStatus": pipeline, "FailureReason": "because"}
        for job in self.sagemaker.automl.values():
            job |= {"AutoMLJobStatus": automl, "FailureReason": "because"}
        for one in self.builds.builds:
            one.status = build
            one.phases = [{"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "because"}]}]

    def forget(self) -> None:
        """Every job is deleted."""
        if self.fake is not None:
            self.fake.forget()
        self.sagemaker.executions.clear()
        self.sagemaker.automl.clear()
        self.builds.builds.clear()


def in_memory() -> Cloud:
    """The fake."""
    fake = FakeJobs()
    return Cloud(fake, fake, SageMakerDouble(), CodeBuildDouble())


def behind_clients() -> Cloud:
    """The adapter."""
    sagemaker, builds = SageMakerDouble(), CodeBuildDouble()
    return Cloud(StageJobs(sagemaker.client, builds.client, "arn:run-job"), None, sagemaker, builds)


@pytest.fixture(params=[in_memory, behind_clients], ids=["fake", "adapter"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    make: Callable[[], Cloud] = request.param
    return make()


@pytest.fixture(params=JobKind)
def kind(request: pytest.FixtureRequest) -> JobKind:
    found: JobKind = request.param
    return found


def test_a_started_job_runs(cloud: Cloud, kind: JobKind) -> None:
    arn = cloud.jobs.start(a_request(kind))
    assert arn.startswith("arn:aws:")
    assert cloud.jobs.state(kind, arn) == JobState(JobStatus.RUNNING)


def test_the_same_request_again_finds_the_same_job(cloud: Cloud, kind: JobKind) -> None:
    first = cloud.jobs.start(a_request(kind))
    cloud.builds.five_minutes_pass()
    assert cloud.jobs.start(a_request(kind)) == first
    assert cloud.started() == 1


def test_the_same_request_finds_a_job_that_has_ended(cloud: Cloud, kind: JobKind) -> None:
    first = cloud.jobs.start(a_request(kind))
    cloud.end(JobStatus.FAILED)
    cloud.builds.five_minutes_pass()
    assert cloud.jobs.start(a_request(kind)) == first
    assert cloud.started() == 1


def test_another_release_starts_another_job(cloud: Cloud, kind: JobKind) -> None:
    first = cloud.jobs.start(a_request(kind))
    assert cloud.jobs.start(a_request(kind, "fraud-0002", OTHER)) != first
    assert cloud.started() == 2


@pytest.mark.parametrize("status", WORDS)
def test_an_end_is_told(cloud: Cloud, kind: JobKind, status: JobStatus) -> None:
    arn = cloud.jobs.start(a_request(kind))
    cloud.end(status)
    state = cloud.jobs.state(kind, arn)
    assert state.status is status
    assert ("because" in state.reason) is (status is not JobStatus.SUCCEEDED)


def test_a_deleted_job_is_absent(cloud: Cloud, kind: JobKind) -> None:
    arn = cloud.jobs.start(a_request(kind))
    cloud.forget()
    assert cloud.jobs.state(kind, arn).status is JobStatus.ABSENT


def test_an_automl_job_of_somebody_else_is_not_adopted(cloud: Cloud) -> None:
    request = a_request(JobKind.AUTOML_JOB)
    name = str(request.document["AutoMLJobName"])
    if cloud.fake is not None:
        cloud.fake.taken.add(name)
    else:
        document = {**request.document, "Tags": [{"Key": "mlops:release", "Value": "other"}]}
        cloud.jobs.start(replace(request, document=document))
    with pytest.raises(JobFailed, match=name):
        cloud.jobs.start(request)
