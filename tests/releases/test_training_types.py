"""Training, tuning, Autopilot and images: deployed once, run once by each release, and asked for what the file says.

What SageMaker, CodeBuild and ECR then have is read back and held against the configuration.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from local.settings import ORCHESTRATOR
from orchestrator.core.stack_names import workload_name
from orchestrator.core.workloads import shipped_templates
from tests.releases.team import Team, stage

ROWS = 700


def table() -> list[str]:
    """Lines of CSV, the class first: 1 where the two features are large together."""
    pairs = [(row * 37 % 101 / 101, row * 53 % 103 / 103) for row in range(ROWS)]
    return [f"{int(first + second > 1)},{first:.4f},{second:.4f}" for first, second in pairs]


def container(serve: str) -> bytes:
    """A zip with a Dockerfile and a program."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Dockerfile", "FROM public.ecr.aws/docker/library/python:3.12-slim\nCOPY serve /opt/serve\n")
        archive.writestr("serve", serve)
    return buffer.getvalue()


def upload_data(team: Team) -> Team:
    lines = table()
    team.upload_asset("fraud-detector/train.csv", "\n".join(lines[:500]).encode())
    team.upload_asset("fraud-detector/validation.csv", "\n".join(lines[500:]).encode())
    team.upload_asset("fraud-detector/train-with-header.csv", "\n".join(["is_fraud,a,b", *lines]).encode())
    return team


@pytest.fixture(scope="module", params=["multi", pytest.param("single", marks=pytest.mark.long)])
def team(request: pytest.FixtureRequest) -> Team:
    """An installation of each mode, with the data of the examples."""
    return upload_data(request.getfixturevalue(request.param))


def example(kind: str, **changes: Any) -> dict[str, Any]:
    """The folder's example, changed."""
    found: dict[str, Any] = json.loads((shipped_templates() / kind / "example.mlops-config.json").read_bytes())
    return found | changes


def released(team: Team, folder: str, configuration: dict[str, Any], workload: str) -> dict[str, Any]:
    """Upload, approve what is asked, follow to the end; the release as the API shows it."""
    known = frozenset(found["release_id"] for found in team.releases(workload))
    team.upload(folder, configuration)
    release_id = team.started(workload, known)
    team.follower.until_end(release_id, decide=team.approve)
    return team.show(release_id)


def succeeded(found: dict[str, Any]) -> dict[str, str]:
    """Outputs of the one stage's stack."""
    assert found["status"] == "succeeded", found["reason"]
    (only,) = found["stages"]
    outputs: dict[str, str] = stage(found, only["stage"])["outputs"]
    return outputs


def job_of(team: Team, pipeline: str, member: str) -> str:
    """Name of the one job of the pipeline's one execution."""
    client = team.client("sagemaker", ORCHESTRATOR)
    (execution,) = client.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])
    (step,) = steps["PipelineExecutionSteps"]
    return str(step["Metadata"][member]["Arn"].rpartition("/")[2])


def read(team: Team, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = team.client("s3", ORCHESTRATOR).get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def uris(channels: list[dict[str, Any]]) -> dict[str, str]:
    return {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in channels}


def test_a_model_is_trained_once(team: Team) -> None:
    configuration = example("model_training_builtin", model_name="trained-once")
    outputs = succeeded(released(team, "trained-once", configuration, "trained-once-training"))
    name = job_of(team, outputs["PipelineName"], "TrainingJob")
    job = team.client("sagemaker", ORCHESTRATOR).describe_training_job(TrainingJobName=name)
    assert name.startswith("trained-once-training-")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["RoleArn"] == outputs["ExecutionRoleArn"]
    assert job["HyperParameters"] == {key: str(value) for key, value in configuration["algo_hyperparamaters"].items()}
    assert job["ResourceConfig"] == {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 20}
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert (job["EnableManagedSpotTraining"], job["EnableInterContainerTrafficEncryption"]) == (True, True)
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/sagemaker-xgboost:1.7-1")
    for channel, key in (("train", "training_data"), ("validation", "validation_data")):
        uploaded = read(team, f"s3://{team.assets_bucket}/{configuration[key]}")
        assert read(team, uris(job["InputDataConfig"])[channel]) == uploaded
    assert job["OutputDataConfig"]["S3OutputPath"] == f"s3://{team.assets_bucket}/fraud-detector/training"
    assert read(team, job["ModelArtifacts"]["S3ModelArtifacts"])

    again = released(team, "trained-once", configuration, "trained-once-training")

    assert again["status"] == "unchanged"
    assert job_of(team, outputs["PipelineName"], "TrainingJob") == name


def test_hyperparameters_are_tuned(team: Team) -> None:
    configuration = example("model_tuner_builtin", model_name="tuned")
    configuration["tuner_configs"] |= {"max_jobs": 4}
    outputs = succeeded(released(team, "tuned", configuration, "tuned-tuner"))
    name = job_of(team, outputs["PipelineName"], "TuningJob")
    job = team.client("sagemaker", ORCHESTRATOR).describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    asked = job["HyperParameterTuningJobConfig"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert asked["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation:auc"}
    assert asked["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}
    assert asked["TrainingJobEarlyStoppingType"] == "Auto"
    ranges = asked["ParameterRanges"]
    assert ranges["ContinuousParameterRanges"] == [
        {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.3", "ScalingType": "Logarithmic"}
    ]
    assert ranges["IntegerParameterRanges"] == [
        {"Name": "max_depth", "MinValue": "3", "MaxValue": "10", "ScalingType": "Auto"}
    ]
    assert ranges["CategoricalParameterRanges"] == [{"Name": "booster", "Values": ["gbtree", "dart"]}]
    definition = job["TrainingJobDefinition"]
    fixed = {key: str(value) for key, value in configuration["algo_hyperparamaters"].items()}
    assert fixed.items() <= definition["StaticHyperParameters"].items()
    assert definition["RoleArn"] == outputs["ExecutionRoleArn"]
    assert job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "validation:auc"


def test_autopilot_searches(team: Team) -> None:
    configuration = example("model_autopilot_training", model_name="searched", job_max_candidates=3)
    outputs = succeeded(released(team, "searched", configuration, "searched-autopilot"))
    client = team.client("sagemaker", ORCHESTRATOR)
    names = [one["AutoMLJobName"] for one in client.list_auto_ml_jobs(NameContains="searched")["AutoMLJobSummaries"]]
    (name,) = names
    job = client.describe_auto_ml_job_v2(AutoMLJobName=name)
    assert job["AutoMLJobStatus"] == "Completed"
    assert job["RoleArn"] == outputs["ExecutionRoleArn"]
    assert job["AutoMLJobObjective"] == {"MetricName": "AUC"}
    tabular = job["AutoMLProblemTypeConfig"]["TabularJobConfig"]
    assert (tabular["TargetAttributeName"], tabular["ProblemType"]) == ("is_fraud", "BinaryClassification")
    assert tabular["CompletionCriteria"] == {
        "MaxCandidates": 3,
        "MaxRuntimePerTrainingJobInSeconds": 3600,
        "MaxAutoMLJobRuntimeInSeconds": 36000,
    }
    assert job["OutputDataConfig"]["S3OutputPath"] == f"s3://{team.assets_bucket}/fraud-detector/autopilot"
    assert job["BestCandidate"]["CandidateStatus"] == "Completed"


def test_a_job_that_fails_fails_its_release(team: Team) -> None:
    team.upload_asset("fraud-detector/short.csv", b"is_fraud,a\n1,2\n0,3\n")
    configuration = example("model_autopilot_training", model_name="short", training_data="fraud-detector/short.csv")
    found = released(team, "short", configuration, "short-autopilot")
    assert found["status"] == "failed"
    assert "at least 500 rows" in found["reason"]


def test_an_image_is_built_and_pushed_once(team: Team) -> None:
    """To a repository whose tags are immutable, as the installation's own is."""
    ecr = team.client("ecr", ORCHESTRATOR)
    ecr.create_repository(repositoryName="fraud/images", imageTagMutability="IMMUTABLE")
    source = container("#!/bin/sh\n")
    team.upload_asset("fraud-detector/container.zip", source)
    configuration = example("byom_image_builder", ecr_repo_name="fraud/images", image_tag="Fraud_1.0")
    workload = workload_name("Fraud_1.0", "image")

    outputs = succeeded(released(team, "image", configuration, workload))

    assert outputs["ImageUri"] == f"{ORCHESTRATOR}.dkr.ecr.us-east-1.amazonaws.com/fraud/images:Fraud_1.0"
    (image,) = ecr.describe_images(repositoryName="fraud/images")["imageDetails"]
    assert image["imageTags"] == ["Fraud_1.0"]
    client = team.client("codebuild", ORCHESTRATOR)
    (project,) = client.batch_get_projects(names=[outputs["ProjectName"]])["projects"]
    assert project["environment"]["privilegedMode"]
    assert project["source"]["type"] == "S3"
    assert read(team, f"s3://{project['source']['location']}") == source
    assert project["logsConfig"]["cloudWatchLogs"]["groupName"] == outputs["LogGroupName"]

    team.upload_asset("fraud-detector/changed.zip", container("#!/bin/sh\nexit 1\n"))
    changed = configuration | {"custom_algorithm_docker": "fraud-detector/changed.zip"}
    again = released(team, "image", changed, workload)

    assert again["status"] == "failed"
    assert "choose another image_tag" in again["reason"]
    assert ecr.describe_images(repositoryName="fraud/images")["imageDetails"] == [image]
