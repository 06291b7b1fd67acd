"""Autopilot: a real, small search on the data of the request, told by its status, its reasons and its event."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, eventually, make_role, statement, trust, unique
from tests.cloud.bridges.running import BUILT_IN, Workplace, transform

pytestmark = pytest.mark.cloud


@pytest.fixture
def place(cloud: EmbeddedCloud) -> Iterator[Workplace]:
    yield Workplace(cloud)
    cloud.jobs(hold=False, events=True, fail=[])


def customers(count: int = 600) -> str:
    """Customers whose town and age say whether they leave."""
    chance = random.Random(1)  # noqa: S311 - data
    lines = ["age,town,spent,left"]
    for _ in range(count):
        age, town = chance.randint(18, 80), chance.choice(["Ulm", "Bonn"])
        leaves = "yes" if (age < 40) == (town == "Ulm") else "no"
        lines.append(f"{age},{town},{chance.random():.3f},{leaves}")
    return "\n".join(lines) + "\n"


def request(place: Workplace, data: str = "", **more: Any) -> dict[str, Any]:
    """A CreateAutoMLJobV2 request."""
    uri = place.put("data/customers.csv", data or customers())
    table = {"TargetAttributeName": "left", "CompletionCriteria": {"MaxCandidates": 3}, **more.pop("table", {})}
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    return {
        "AutoMLJobName": unique("autopilot"),
        "AutoMLJobInputDataConfig": [
            {"ChannelType": "training", "ContentType": "text/csv;header=present", "DataSource": source}
        ],
        "OutputDataConfig": {"S3OutputPath": place.uri("automl")},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": table},
        "RoleArn": place.job_role,
        **more,
    }


def described(place: Workplace, name: str) -> dict[str, Any]:
    found: dict[str, Any] = place.sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)
    return found


def ended(place: Workplace, asked: dict[str, Any]) -> dict[str, Any]:
    """Create the job; its description once it has ended."""
    place.sagemaker.create_auto_ml_job_v2(**asked)

    def over() -> dict[str, Any]:
        job = described(place, asked["AutoMLJobName"])
        return {} if job["AutoMLJobStatus"] in {"InProgress", "Stopping"} else job

    return eventually(over, 90)


def test_the_best_candidate_is_found_written_and_serves_predictions(place: Workplace) -> None:
    asked = request(place, table={"ProblemType": "BinaryClassification"}, AutoMLJobObjective={"MetricName": "F1"})
    job = ended(place, asked)
    assert job["AutoMLJobStatus"] == "Completed", job.get("FailureReason")
    assert job["AutoMLJobSecondaryStatus"] == "Completed"
    assert job["AutoMLProblemTypeConfigName"] == "Tabular"
    best = job["BestCandidate"]
    figure = best["FinalAutoMLJobObjectiveMetric"]
    assert (figure["StandardMetricName"], figure["Type"]) == ("F1", "Maximize")
    assert figure["Value"] > 0.9
    candidates = place.sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName=asked["AutoMLJobName"])["Candidates"]
    assert len(candidates) == 3
    assert figure["Value"] == max(each["FinalAutoMLJobObjectiveMetric"]["Value"] for each in candidates)
    model = unique("autopilot-model")
    url = best["InferenceContainers"][0]["ModelDataUrl"]
    container = {"Image": BUILT_IN, "ModelDataUrl": url}
    place.sagemaker.create_model(ModelName=model, ExecutionRoleArn=place.job_role, PrimaryContainer=container)
    place.run(transform(model, place.put("new/rows.csv", "20,Ulm,0.5\n20,Bonn,0.5\n"), place.uri("out")))
    assert place.get(place.uri("out/rows.csv.out")).split() == [b"yes", b"no"]


def test_the_problem_is_told_from_the_target(place: Workplace) -> None:
    job = ended(place, request(place, table={"TargetAttributeName": "spent"}))
    resolved = job["ResolvedAttributes"]
    found = resolved["AutoMLProblemTypeResolvedAttributes"]["TabularResolvedAttributes"]["ProblemType"]
    assert (found, resolved["AutoMLJobObjective"]["MetricName"]) == ("Regression", "MSE")


def test_definitions_only_ends_without_a_candidate(place: Workplace) -> None:
    job = ended(place, request(place, table={"GenerateCandidateDefinitionsOnly": True}))
    assert job["AutoMLJobStatus"] == "Completed"
    assert "BestCandidate" not in job
    assert place.get(job["AutoMLJobArtifacts"]["CandidateDefinitionNotebookLocation"])


FAILURES = [
    pytest.param(customers(), {"TargetAttributeName": "gone"}, "gone is not a column", id="no such column"),
    pytest.param(customers(100), {}, "at least 500 rows are required", id="too few rows"),
    pytest.param("no header\n", {}, "left is not a column", id="no header"),
]


@pytest.mark.parametrize(("data", "table", "words"), FAILURES)
def test_data_that_does_not_do_fails_the_job(place: Workplace, data: str, table: dict[str, Any], words: str) -> None:
    job = ended(place, request(place, data, table=table))
    assert (job["AutoMLJobStatus"], job["AutoMLJobSecondaryStatus"]) == ("Failed", "Failed")
    assert words in job["FailureReason"]


def test_missing_data_and_a_role_that_may_not_write_fail_the_job(place: Workplace) -> None:
    asked = request(place)
    asked["AutoMLJobInputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = place.uri("nowhere/")
    assert "No S3 objects found" in ended(place, asked)["FailureReason"]
    arn = f"arn:aws:s3:::{place.bucket}"
    reader = place.role(statement("s3:GetObject", f"{arn}/*"), statement("s3:ListBucket", arn))
    assert "Access denied" in ended(place, request(place, RoleArn=reader))["FailureReason"]


WRONG = [
    pytest.param({"table": {"ProblemType": "Regression"}}, "given both, or neither", id="problem, no objective"),
    pytest.param({"AutoMLJobObjective": {"MetricName": "Speed"}}, "enum value set", id="objective"),
    pytest.param({"AutoMLJobName": "x" * 33}, "length less than or equal to 32", id="long name"),
    pytest.param(
        {
            "table": {
                "CompletionCriteria": {"MaxAutoMLJobRuntimeInSeconds": 60, "MaxRuntimePerTrainingJobInSeconds": 90}
            }
        },
        "must not be greater than MaxAutoMLJobRuntimeInSeconds",
        id="longer than the whole",
    ),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_wrong_request_is_refused(place: Workplace, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        place.sagemaker.create_auto_ml_job_v2(**request(place, **changes))


def test_a_name_is_taken_once_and_a_held_job_can_be_stopped(place: Workplace) -> None:
    asked = request(place)
    place.cloud.jobs(hold=True)
    place.sagemaker.create_auto_ml_job_v2(**asked)
    with pytest.raises(ClientError, match="ResourceInUse"):
        place.sagemaker.create_auto_ml_job_v2(**asked)
    assert described(place, asked["AutoMLJobName"])["AutoMLJobStatus"] == "InProgress"
    place.sagemaker.stop_auto_ml_job(AutoMLJobName=asked["AutoMLJobName"])
    assert eventually(lambda: described(place, asked["AutoMLJobName"])["AutoMLJobStatus"] == "Stopped")
    found = place.sagemaker.list_auto_ml_jobs(NameContains=asked["AutoMLJobName"])["AutoMLJobSummaries"]
    assert [job["AutoMLJobStatus"] for job in found] == ["Stopped"]


def test_the_caller_must_be_allowed_to_pass_the_role(place: Workplace) -> None:
    creator = make_role(
        place.cloud,
        DEV,
        trust({"AWS": HUB}),
        statement(["sagemaker:CreateAutoMLJob", "sagemaker:CreateAutoMLJobV2"], "*"),
    )
    client = place.cloud.client_as("sagemaker", creator, HUB)
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_auto_ml_job_v2(**request(place))


def test_the_end_of_a_job_is_told_by_an_event(place: Workplace) -> None:
    url = place.watch("SageMaker AutoML Job State Change")
    job = ended(place, request(place, customers(10)))
    began, over = place.event(url), place.event(url)
    assert began["detail"]["AutoMLJobStatus"] == "InProgress"
    assert over["resources"] == [job["AutoMLJobArn"]]
    assert over["detail"]["AutoMLJobStatus"] == "Failed"
    assert over["detail"]["FailureReason"] == job["FailureReason"]
