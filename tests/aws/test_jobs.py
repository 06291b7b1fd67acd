"""What is sent to start each kind of job, and what is told of one that failed."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.aws.builds import TOKEN_VARIABLE, CodeBuilds
from orchestrator.aws.sagemaker_jobs import SageMakerJobs
from orchestrator.core.errors import AccessDenied, CallRefused, JobFailed, Throttled
from orchestrator.core.jobs import JobKind, JobStatus
from orchestrator.core.ports import JobState
from tests.aws.jobs_double import CodeBuildDouble, SageMakerDouble
from tests.aws.service_double import Refusal
from tests.aws.test_jobs_behaviour import TOKEN, a_request

PIPELINE, AUTOML, BUILD = JobKind.SAGEMAKER_PIPELINE, JobKind.AUTOML_JOB, JobKind.CODEBUILD


@pytest.fixture
def sagemaker() -> SageMakerDouble:
    """SageMaker in a stage's account."""
    return SageMakerDouble()


@pytest.fixture
def jobs(sagemaker: SageMakerDouble) -> SageMakerJobs:
    """The adapter."""
    return SageMakerJobs(sagemaker.client(), "arn:run-job")


@pytest.fixture
def codebuild() -> CodeBuildDouble:
    """CodeBuild in a stage's account."""
    return CodeBuildDouble()


@pytest.fixture
def builds(codebuild: CodeBuildDouble) -> CodeBuilds:
    """The adapter."""
    return CodeBuilds(codebuild.client(), "arn:run-job")


def test_a_pipeline_is_started_with_its_parameters(sagemaker: SageMakerDouble, jobs: SageMakerJobs) -> None:
    jobs.start_pipeline(a_request(PIPELINE))
    assert sagemaker.made("start_pipeline_execution") == [
        {
            "PipelineName": "fraud",
            "ClientRequestToken": TOKEN,
            "PipelineExecutionDisplayName": "fraud-0001",
            "PipelineParameters": [
                {"Name": "Release", "Value": "fraud-0001"},
                {"Name": "Rounds", "Value": "100"},
            ],
        }
    ]


def test_a_display_name_fits(sagemaker: SageMakerDouble, jobs: SageMakerJobs) -> None:
    jobs.start_pipeline(a_request(PIPELINE, "n" * 81 + "-more"))
    (call,) = sagemaker.made("start_pipeline_execution")
    assert call["PipelineExecutionDisplayName"] == "n" * 81


def step(name: str, status: str = "Failed", **more: Any) -> dict[str, Any]:
    """A step of an execution, as ListPipelineExecutionSteps has it."""
    return {"StepName": name, "StepStatus": status, **more}


TRAINING = {"TrainingJob": {"Arn": "arn:aws:sagemaker:us-east-1:222222222222:training-job/pipelines-abc-Train"}}
CLARIFY = {"ClarifyCheck": {"CheckJobArn": "arn:aws:sagemaker:us-east-1:222222222222:processing-job/check-1"}}


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (
            [
                step("Prepare", "Succeeded"),
                step("Train", FailureReason="ClientError: out of memory.", Metadata=TRAINING),
            ],
            "step Train failed: ClientError: out of memory. Its log: /aws/sagemaker/TrainingJobs, "
            "streams pipelines-abc-Train…",
        ),
        (
            [step("Bias", FailureReason="drift", Metadata=CLARIFY), step("Register", FailureReason="no group")],
            "step Bias failed: drift. Its log: /aws/sagemaker/ProcessingJobs, streams check-1…; "
            "step Register failed: no group.",
        ),
        ([step("Train")], "step Train failed: SageMaker gives no reason."),
        (
            [step(f"S{index}", FailureReason="x") for index in range(5)],
            "; ".join(f"step S{i} failed: x." for i in range(3)),
        ),
        ([], "Step failure: One or multiple steps failed."),
    ],
    ids=["one", "two", "without a reason", "many", "none"],
)
def test_a_failed_pipeline_tells_of_its_failed_steps(
    sagemaker: SageMakerDouble, jobs: SageMakerJobs, steps: list[dict[str, Any]], reason: str
) -> None:
    arn = jobs.start_pipeline(a_request(PIPELINE))
    sagemaker.executions[arn] |= {
        "PipelineExecutionStatus": "Failed",
        "FailureReason": "Step failure: One or multiple steps failed.",
    }
    sagemaker.steps = steps
    assert jobs.pipeline(arn) == JobState(JobStatus.FAILED, reason)


@pytest.mark.parametrize("status", ["Executing", "Stopping", "SomethingNew"])
def test_what_has_not_ended_runs(sagemaker: SageMakerDouble, jobs: SageMakerJobs, status: str) -> None:
    arn = jobs.start_pipeline(a_request(PIPELINE))
    sagemaker.executions[arn]["PipelineExecutionStatus"] = status
    assert jobs.pipeline(arn) == JobState(JobStatus.RUNNING)


def test_an_automl_job_is_made_of_its_document(sagemaker: SageMakerDouble, jobs: SageMakerJobs) -> None:
    request = a_request(AUTOML)
    jobs.start_automl(request)
    assert sagemaker.made("create_auto_ml_job_v2") == [request.document]


def test_a_lost_answer_makes_no_second_automl_job(sagemaker: SageMakerDouble, jobs: SageMakerJobs) -> None:
    sagemaker.lost["create_auto_ml_job_v2"] = [Refusal("ServiceUnavailable", "", 503)] * 9
    with pytest.raises(Throttled):
        jobs.start_automl(a_request(AUTOML))
    sagemaker.lost.clear()
    assert jobs.start_automl(a_request(AUTOML)).endswith("/" + str(a_request(AUTOML).document["AutoMLJobName"]))
    assert len(sagemaker.automl) == 1


def test_a_job_without_our_tag_is_somebody_elses(sagemaker: SageMakerDouble, jobs: SageMakerJobs) -> None:
    arn = jobs.start_automl(a_request(AUTOML))
    sagemaker.tags[arn] = []
    with pytest.raises(JobFailed, match="is not this release's"):
        jobs.start_automl(a_request(AUTOML))


@pytest.mark.parametrize(
    ("about", "state"),
    [
        ({"AutoMLJobStatus": "Completed"}, JobState(JobStatus.SUCCEEDED)),
        ({"AutoMLJobStatus": "Stopping"}, JobState(JobStatus.RUNNING)),
        ({"AutoMLJobStatus": "Failed", "FailureReason": "too few rows"}, JobState(JobStatus.FAILED, "too few rows")),
        (
            {"AutoMLJobStatus": "Failed", "PartialFailureReasons": [{"PartialFailureMessage": "no candidate"}]},
            JobState(JobStatus.FAILED, "no candidate"),
        ),
    ],
    ids=["completed", "stopping", "failed", "partly"],
)
def test_an_automl_job_tells_how_it_stands(
    sagemaker: SageMakerDouble, jobs: SageMakerJobs, about: dict[str, Any], state: JobState
) -> None:
    arn = jobs.start_automl(a_request(AUTOML))
    sagemaker.automl[arn.rpartition("/")[2]] |= about
    assert jobs.automl(arn) == state


def test_a_build_carries_its_variables_and_the_releases_token(codebuild: CodeBuildDouble, builds: CodeBuilds) -> None:
    builds.start(a_request(BUILD))
    (call,) = codebuild.made("start_build")
    assert call["projectName"] == "fraud"
    assert call["idempotencyToken"] == TOKEN
    assert {one["name"]: one["value"] for one in call["environmentVariablesOverride"]} == {
        "Release": "fraud-0001",
        "Rounds": "100",
        TOKEN_VARIABLE: TOKEN,
    }
    assert {one["type"] for one in call["environmentVariablesOverride"]} == {"PLAINTEXT"}


def test_a_build_that_the_list_does_not_show_yet_is_found_by_its_token(
    codebuild: CodeBuildDouble, builds: CodeBuilds
) -> None:
    codebuild.lagging = True
    assert builds.start(a_request(BUILD)) == builds.start(a_request(BUILD))
    assert len(codebuild.builds) == 1


def test_another_build_of_the_project_is_not_ours(codebuild: CodeBuildDouble, builds: CodeBuilds) -> None:
    codebuild.start_build(projectName="fraud", idempotencyToken="by hand", environmentVariablesOverride=[])
    builds.start(a_request(BUILD))
    assert len(codebuild.builds) == 2


@pytest.mark.parametrize(
    ("status", "phases", "reason"),
    [
        (
            "FAILED",
            [
                {"phaseType": "INSTALL", "phaseStatus": "SUCCEEDED"},
                {
                    "phaseType": "BUILD",
                    "phaseStatus": "FAILED",
                    "contexts": [
                        {"statusCode": "COMMAND_EXECUTION_ERROR", "message": "docker build . Reason: exit status 1"}
                    ],
                },
            ],
            "phase BUILD failed: COMMAND_EXECUTION_ERROR: docker build . Reason: exit status 1. "
            "Its log: https://console.aws.amazon.com/log/1",
        ),
        (
            "FAILED",
            [{"phaseType": "DOWNLOAD_SOURCE", "phaseStatus": "CLIENT_ERROR"}],
            "phase DOWNLOAD_SOURCE failed: CLIENT_ERROR. Its log: https://console.aws.amazon.com/log/1",
        ),
        (
            "TIMED_OUT",
            [],
            "the build took longer than its project allows. Its log: https://console.aws.amazon.com/log/1",
        ),
        ("STOPPED", [], "the build was stopped. Its log: https://console.aws.amazon.com/log/1"),
    ],
    ids=["command", "source", "too long", "stopped"],
)
def test_a_failed_build_tells_of_its_phase(
    codebuild: CodeBuildDouble, builds: CodeBuilds, status: str, phases: list[dict[str, Any]], reason: str
) -> None:
    arn = builds.start(a_request(BUILD))
    codebuild.builds[0].status, codebuild.builds[0].phases = status, phases
    assert builds.state(arn).reason == reason


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("AccessDeniedException", "not authorized to perform: codebuild:StartBuild", 403), AccessDenied),
        (Refusal("ResourceNotFoundException", "Project cannot be found"), CallRefused),
        (Refusal("AccountLimitExceededException", "too many builds"), CallRefused),
    ],
)
def test_what_codebuild_refuses_is_a_core_error(
    codebuild: CodeBuildDouble, builds: CodeBuilds, refusal: Refusal, error: type[Exception]
) -> None:
    codebuild.refusals["start_build"] = [refusal]
    with pytest.raises(error):
        builds.start(a_request(BUILD))


def test_what_sagemaker_refuses_is_a_core_error(sagemaker: SageMakerDouble, jobs: SageMakerJobs) -> None:
    sagemaker.refusals["start_pipeline_execution"] = [Refusal("ResourceNotFound", "Pipeline does not exist")]
    with pytest.raises(CallRefused, match="Pipeline does not exist"):
        jobs.start_pipeline(a_request(PIPELINE))
    sagemaker.refusals["create_auto_ml_job_v2"] = [Refusal("ValidationException", "no such column")]
    with pytest.raises(CallRefused, match="no such column"):
        jobs.start_automl(a_request(AUTOML))
