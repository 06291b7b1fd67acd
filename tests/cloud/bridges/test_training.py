"""Training and tuning: real models where there is an equivalent, an honest note where there is none."""

from __future__ import annotations

import io
import json
import random
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, REGION, eventually, statement, unique
from tests.cloud.bridges.running import BUILT_IN, PULLS, Workplace, job_name, transform

pytestmark = pytest.mark.cloud

OTHER = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/tensorflow-training:2.13-cpu-py310"
LINEAR = f"382416733822.dkr.ecr.{REGION}.amazonaws.com/linear-learner:1"


@pytest.fixture
def place(cloud: EmbeddedCloud) -> Workplace:
    return Workplace(cloud)


def rows(count: int = 200, seed: int = 1) -> str:
    """Label, then two numbers; the label says whether the first is greater."""
    chance = random.Random(seed)  # noqa: S311 - data
    pairs = [(chance.random(), chance.random()) for _ in range(count)]
    return "".join(f"{int(one > two)},{one},{two}\n" for one, two in pairs)


def channel(name: str, uri: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}, **more}


def training(place: Workplace, **more: Any) -> dict[str, Any]:
    """Arguments of a training step."""
    return {
        "AlgorithmSpecification": {"TrainingImage": BUILT_IN, "TrainingInputMode": "File"},
        "HyperParameters": {"objective": "binary:logistic", "num_round": "20", "max_depth": "3", "subsample": "0.8"},
        "RoleArn": place.job_role,
        "InputDataConfig": [
            channel("train", place.put("data/train.csv", rows())),
            channel("validation", place.put("data/validation.csv", rows(80, 2))),
        ],
        "OutputDataConfig": {"S3OutputPath": place.uri("models")},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        "EnableManagedSpotTraining": True,
        **more,
    }


def step(arguments: dict[str, Any], kind: str = "Training") -> dict[str, Any]:
    return {"Name": "Train", "Type": kind, "Arguments": arguments}


def trained(place: Workplace, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a training: the job, and the step."""
    _, steps = place.run(step(training(place, **more)))
    return place.sagemaker.describe_training_job(TrainingJobName=job_name(steps[0])), steps[0]


def test_a_model_is_trained_measured_and_serves_predictions(place: Workplace) -> None:
    job, _ = trained(place)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:auc"] > 0.9
    assert metrics["train:error"] < metrics["validation:error"] < 0.2
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artefact == place.uri(f"models/{job['TrainingJobName']}/output/model.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(place.get(artefact))) as files:
        note = json.load(files.extractfile("training.json") or io.BytesIO())
    assert note["hyperparameters_without_equivalent"] == ["subsample"]
    assert [entry["Status"] for entry in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    model = unique("trained")
    place.sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=place.job_role,
        PrimaryContainer={"Image": BUILT_IN, "ModelDataUrl": artefact},
    )
    place.run(transform(model, place.put("new/rows.csv", "0.9,0.1\n0.1,0.9\n"), place.uri("out")))
    yes, no = map(float, place.get(place.uri("out/rows.csv.out")).split())
    assert yes > 0.9
    assert no < 0.1


def test_linear_learner_has_an_equivalent_too(place: Workplace) -> None:
    parameters = {"predictor_type": "binary_classifier", "epochs": "20"}
    image = {"TrainingImage": LINEAR, "TrainingInputMode": "File"}
    job, _ = trained(place, AlgorithmSpecification=image, HyperParameters=parameters)
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:binary_classification_accuracy"] > 0.9


def test_an_algorithm_without_equivalent_leaves_a_note_in_place_of_a_model(place: Workplace) -> None:
    job, _ = trained(place, AlgorithmSpecification={"TrainingImage": OTHER, "TrainingInputMode": "File"})
    assert job["TrainingJobStatus"] == "Completed"
    assert job["FinalMetricDataList"] == []
    with tarfile.open(fileobj=io.BytesIO(place.get(job["ModelArtifacts"]["S3ModelArtifacts"]))) as files:
        assert files.getnames() == ["NOT-TRAINED.txt"]
        assert b"does not run tensorflow-training" in (files.extractfile("NOT-TRAINED.txt") or io.BytesIO()).read()


FAILURES = [
    pytest.param({"HyperParameters": {"objective": "binary:logistic"}}, "num_round is required", id="no rounds"),
    pytest.param({"HyperParameters": {"num_round": "5", "eta": "7"}}, "eta: 7 is not between", id="out of range"),
    pytest.param(
        {"HyperParameters": {"num_round": "5", "objective": "rank:map"}}, "no equivalent of rank", id="ranking"
    ),
]


@pytest.mark.parametrize(("changes", "words"), FAILURES)
def test_hyperparameters_that_the_algorithm_refuses_fail_the_job(
    place: Workplace, changes: dict[str, Any], words: str
) -> None:
    job, failed = trained(place, **changes)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert words in job["FailureReason"]
    assert words in failed["FailureReason"]


def test_a_header_in_the_data_is_told(place: Workplace) -> None:
    uri = place.put("headed/train.csv", "label,one,two\n" + rows())
    job, _ = trained(place, InputDataConfig=[channel("train", uri)])
    assert "a header line is not allowed" in job["FailureReason"]


def test_every_channel_must_be_there(place: Workplace) -> None:
    job, _ = trained(place, InputDataConfig=[channel("train", place.uri("nowhere"))])
    assert f'No S3 objects found under S3 URL "{place.uri("nowhere")}"' in job["FailureReason"]


def test_the_role_must_be_allowed_to_pull_the_image_and_to_write(place: Workplace) -> None:
    reads, lists, _ = place.data_statements
    no_image, _ = trained(place, RoleArn=_passed(place, place.role(reads, lists)))
    assert "ecr:GetAuthorizationToken" in no_image["FailureReason"]
    arn = f"arn:aws:s3:::{place.bucket}"
    reader = place.role(statement("s3:GetObject", f"{arn}/*"), lists, statement(PULLS, "*"))
    no_output, _ = trained(place, RoleArn=_passed(place, reader))
    assert "Failed to upload data. Access denied" in no_output["FailureReason"]


def _passed(place: Workplace, role: str) -> str:
    """Let the pipelines' role pass another."""
    name = place.pipeline_role.rpartition("/")[2]
    document = json.dumps({"Statement": [statement("iam:PassRole", role)]})
    place.cloud.client("iam", DEV).put_role_policy(RoleName=name, PolicyName=unique("passes"), PolicyDocument=document)
    return role


def test_a_job_in_a_network_needs_to_make_its_interface(place: Workplace) -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    job, _ = trained(place, VpcConfig=network)
    assert "ec2:CreateNetworkInterface" in job["FailureReason"]
    allowed = place.role(*place.data_statements, statement("ec2:*", "*"))
    job, _ = trained(place, VpcConfig=network, RoleArn=_passed(place, allowed))
    assert job["TrainingJobStatus"] == "Completed"


def test_an_image_of_this_cloud_must_exist_in_its_repository(place: Workplace) -> None:
    repository = unique("algorithms")
    place.cloud.client("ecr", DEV).create_repository(repositoryName=repository)
    image = f"{DEV}.dkr.ecr.{REGION}.amazonaws.com/{repository}:3"
    job, _ = trained(place, AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})
    assert "imageTag:3} does not exist" in job["FailureReason"]


def test_output_under_a_key_needs_the_key(place: Workplace) -> None:
    key = place.cloud.client("kms", DEV).create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": place.uri("sealed"), "KmsKeyId": key}
    refused, _ = trained(place, OutputDataConfig=output)
    assert "kms:GenerateDataKey" in refused["FailureReason"]
    allowed = place.role(*place.data_statements, statement(["kms:GenerateDataKey", "kms:Decrypt"], key))
    job, _ = trained(place, OutputDataConfig=output, RoleArn=_passed(place, allowed))
    bucket, _, name = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    assert place.cloud.client("s3", DEV).head_object(Bucket=bucket, Key=name)["SSEKMSKeyId"] == key


WRONG = [
    pytest.param(
        {"StoppingCondition": {"MaxRuntimeInSeconds": 3600}}, "Invalid MaxWaitTimeInSeconds", id="spot, no wait"
    ),
    pytest.param(
        {"StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 60}},
        "greater than or equal to MaxRuntimeInSeconds",
        id="wait below runtime",
    ),
    pytest.param(
        {"EnableManagedSpotTraining": False}, "only supported when EnableManagedSpotTraining", id="wait, no spot"
    ),
    pytest.param(
        {"StoppingCondition": {"MaxRuntimeInSeconds": 9999999, "MaxWaitTimeInSeconds": 9999999}},
        "must not be above 2419200",
        id="runtime of months",
    ),
    pytest.param(
        {"InputDataConfig": [channel("train", "s3://a/b"), channel("train", "s3://a/c")]},
        "must be unique",
        id="channels",
    ),
    pytest.param({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "either AlgorithmName or", id="no image"),
    pytest.param({"HyperParameters": {"x" * 300: "1"}}, "length less than or equal to 256", id="long name"),
    pytest.param({"RoleArn": f"arn:aws:iam::{DEV}:role/absent"}, "Could not assume role", id="no such role"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_wrong_request_is_refused(place: Workplace, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        place.sagemaker.create_training_job(**training(place, TrainingJobName=unique("wrong"), **changes))


def tuning(place: Workplace, **config: Any) -> dict[str, Any]:
    """Arguments of a tuning step."""
    definition = training(place)
    definition["StaticHyperParameters"] = {"objective": "binary:logistic", "num_round": "10"}
    del definition["HyperParameters"]
    ranges = {
        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6"}],
        "ContinuousParameterRanges": [
            {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
        ],
    }
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": ranges,
            **config,
        },
        "TrainingJobDefinition": definition,
    }


def tuned(place: Workplace, arguments: dict[str, Any]) -> dict[str, Any]:
    _, steps = place.run(step(arguments, "Tuning"))
    found: dict[str, Any] = place.sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job_name(steps[0])
    )
    return found


def test_tuning_trains_as_often_as_asked_and_tells_the_best(place: Workplace) -> None:
    job = tuned(place, tuning(place))
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    name = job["HyperParameterTuningJobName"]
    assert len(name) <= 32
    children = place.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, SortBy="FinalObjectiveMetricValue"
    )["TrainingJobSummaries"]
    scores = [child["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for child in children]
    assert len(children) == 4
    best = job["BestTrainingJob"]
    assert best["TrainingJobName"] == children[0]["TrainingJobName"]
    assert scores == sorted(scores, reverse=True)
    found = place.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert found["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert found["HyperParameters"]["num_round"] == "10"
    assert found["HyperParameters"]["eta"] == best["TunedHyperParameters"]["eta"]
    assert 0.01 <= float(best["TunedHyperParameters"]["eta"]) <= 0.5
    assert place.get(found["ModelArtifacts"]["S3ModelArtifacts"])


def test_grid_tries_every_combination(place: Workplace) -> None:
    ranges = {
        "CategoricalParameterRanges": [{"Name": "max_depth", "Values": ["1", "2"]}, {"Name": "seed", "Values": ["7"]}]
    }
    arguments = tuning(place, Strategy="Grid", ParameterRanges=ranges)
    job = tuned(place, arguments)
    children = place.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job["HyperParameterTuningJobName"]
    )["TrainingJobSummaries"]
    assert sorted(child["TunedHyperParameters"]["max_depth"] for child in children) == ["1", "2"]


def test_an_objective_that_no_training_reports_fails_the_tuning(place: Workplace) -> None:
    objective = {"Type": "Minimize", "MetricName": "validation:rmse"}
    job = tuned(place, tuning(place, HyperParameterTuningJobObjective=objective))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "validation:rmse" in job["FailureReason"]


def test_tuning_of_what_is_not_trained_here_tells_no_objective(place: Workplace) -> None:
    arguments = tuning(place)
    arguments["TrainingJobDefinition"]["AlgorithmSpecification"]["TrainingImage"] = OTHER
    job = tuned(place, arguments)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert "FinalHyperParameterTuningJobObjectiveMetric" not in job["BestTrainingJob"]


WRONG_TUNING = [
    pytest.param(
        {"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 2}}, "Parallel", id="parallel"
    ),
    pytest.param({"ParameterRanges": {}}, "At least one", id="no ranges"),
    pytest.param({"Strategy": "Grid"}, "Grid strategy takes", id="grid of numbers"),
    pytest.param(
        {"ParameterRanges": {"IntegerParameterRanges": [{"Name": "a", "MinValue": "9", "MaxValue": "1"}]}},
        "MinValue 9 is greater than",
        id="upside down",
    ),
    pytest.param(
        {"ParameterRanges": {"CategoricalParameterRanges": [{"Name": "num_round", "Values": ["1"]}]}},
        "more than once: num_round",
        id="static and tuned",
    ),
]


@pytest.mark.parametrize(("config", "words"), WRONG_TUNING)
def test_a_wrong_tuning_is_refused(place: Workplace, config: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        place.sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=unique("wrong"), **tuning(place, **config)
        )


def test_a_tuning_is_stopped_with_its_trainings(place: Workplace) -> None:
    name = unique("stopped")
    place.cloud.jobs(hold=True)
    try:
        place.sagemaker.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **tuning(place))
        place.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    finally:
        place.cloud.jobs(hold=False)

    def status() -> str:
        found = place.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return str(found["HyperParameterTuningJobStatus"])

    assert eventually(lambda: status() == "Stopped")
