"""Executions of pipelines: started once, steps in order, roles asked, events sent, stopped and held."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, eventually, receive, statement, unique
from tests.cloud.bridges.running import BUILT_IN, CREATES, Workplace, job_name, transform

pytestmark = pytest.mark.cloud

TOKEN = "a" * 32


@pytest.fixture
def place(cloud: EmbeddedCloud) -> Iterator[Workplace]:
    yield Workplace(cloud)
    cloud.jobs(hold=False, events=True, fail=[])


def simple(place: Workplace, name: str = "Transform", **more: Any) -> dict[str, Any]:
    """A step that succeeds."""
    step = transform(place.model(), place.put(f"data/{name}.csv", "1\n"), place.uri(f"out-{name}"))
    return {**step, "Name": name, **more}


def test_a_token_starts_one_execution_however_often_it_is_sent(place: Workplace) -> None:
    name = place.pipeline(simple(place))
    first = place.start(name, ClientRequestToken=TOKEN, PipelineExecutionDisplayName="release-1")
    assert place.start(name, ClientRequestToken=TOKEN, PipelineExecutionDisplayName="release-1") == first
    with pytest.raises(ClientError, match="used with other parameters"):
        place.start(name, ClientRequestToken=TOKEN, PipelineExecutionDisplayName="release-2")
    assert place.start(name, ClientRequestToken="b" * 32) != first
    place.ended(first)
    found = place.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert len(found) == 2
    assert found[-1]["PipelineExecutionDisplayName"] == "release-1"
    assert place.sagemaker.describe_pipeline(PipelineName=name)["LastRunTime"]


def test_parameters_are_resolved_into_the_steps(place: Workplace) -> None:
    step = transform(
        {"Get": "Parameters.Model"},
        {"Std:Join": {"On": "/", "Values": [{"Get": "Parameters.Data"}, "x.csv"]}},
        {"Get": "Parameters.Out"},
    )
    step["Arguments"]["TransformResources"]["InstanceCount"] = {"Get": "Parameters.Count"}
    declared: list[dict[str, Any]] = [
        {"Name": "Model", "Type": "String"},
        {"Name": "Data", "Type": "String"},
        {"Name": "Out", "Type": "String", "DefaultValue": place.uri("elsewhere")},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 2},
    ]
    place.put("data/x.csv", "7\n")
    given = {"Model": place.model(), "Data": place.uri("data"), "Out": place.uri("out")}
    pairs = [{"Name": name, "Value": value} for name, value in given.items()]
    execution = place.start(place.pipeline(step, parameters=declared), PipelineParameters=pairs)
    assert place.ended(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert place.get(place.uri("out/x.csv.out")) == b"21.0\n"
    job = place.sagemaker.describe_transform_job(TransformJobName=job_name(place.steps(execution)[0]))
    assert job["TransformResources"]["InstanceCount"] == 2
    shown = place.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)["PipelineParameters"]
    assert {"Name": "Count", "Value": "2"} in shown


WRONG = [
    pytest.param([], r"without a default value: \[Model\]", id="missing"),
    pytest.param([("Model", "m"), ("Modell", "m")], r"\[Modell\] are not defined", id="unknown"),
    pytest.param([("Model", "m"), ("Count", "two")], "Value two of parameter Count is no Integer", id="no number"),
    pytest.param([("Model", "m"), ("Kind", "c")], r"Value c of parameter Kind is not one of \['a', 'b'\]", id="enum"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_wrong_parameters_start_nothing(place: Workplace, given: list[tuple[str, str]], words: str) -> None:
    declared: list[dict[str, Any]] = [
        {"Name": "Model", "Type": "String"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Kind", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
    name = place.pipeline(simple(place), parameters=declared)
    with pytest.raises(ClientError, match=words):
        place.start(name, PipelineParameters=[{"Name": key, "Value": value} for key, value in given])
    assert place.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []


def test_a_pipeline_that_is_not_there_is_told(place: Workplace) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        place.start("absent")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        place.sagemaker.describe_pipeline_execution(
            PipelineExecutionArn=f"arn:aws:sagemaker:us-east-1:{DEV}:pipeline/x/execution/abcdefghijkl"
        )


def test_steps_run_in_order_of_dependency_and_one_reads_what_another_made(place: Workplace) -> None:
    first = simple(place, "First")
    second = transform(place.model(), {"Get": "Steps.First.TransformOutput.S3OutputPath"}, place.uri("again"))
    third = simple(place, "Third", DependsOn=["Second"])
    execution, steps = place.run(third, {**second, "Name": "Second"}, first)
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert [step["StepName"] for step in steps] == ["First", "Second", "Third"]
    assert place.keys("again/") == ["again/out-First/First.csv.out.out"]


def test_no_step_starts_after_one_that_failed(place: Workplace) -> None:
    broken = transform(place.model(), place.uri("absent/"), place.uri("out"))
    execution, steps = place.run(broken, simple(place, "After", DependsOn=["Transform"]))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    assert [(step["StepName"], step["StepStatus"]) for step in steps] == [("Transform", "Failed")]


def test_a_jobs_name_has_the_prefix_of_the_step_or_the_services_own(place: Workplace) -> None:
    prefixed = simple(place, "Prefixed")
    prefixed["Arguments"]["TransformJobName"] = "churn-" + "x" * 50
    execution, steps = place.run(prefixed, simple(place, "Plain", DependsOn=["Prefixed"]))
    identity = execution["PipelineExecutionArn"].rpartition("/")[2]
    mine, plain = (job_name(step) for step in steps)
    assert mine.startswith("churn-xxx")
    assert identity in mine
    assert len(mine) == 63
    assert plain.startswith(f"pipelines-{identity}-plain-")


ROLES = [
    pytest.param(["sagemaker:CreateTrainingJob"], True, "sagemaker:CreateTrainingJob", id="may not create"),
    pytest.param([], False, "iam:PassRole", id="may not pass the role"),
]


@pytest.mark.parametrize(("without", "passes", "denied"), ROLES)
def test_the_pipelines_role_must_be_allowed_to_make_the_job_and_pass_its_role(
    place: Workplace, without: list[str], passes: bool, denied: str
) -> None:
    allowed = [statement([action for action in CREATES if action not in without], "*")]
    if passes:
        allowed.append(statement("iam:PassRole", place.job_role))
    elsewhere = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    allowed.append(statement("iam:PassRole", place.job_role, Condition=elsewhere))
    training = {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": BUILT_IN, "TrainingInputMode": "File"},
            "RoleArn": place.job_role,
            "OutputDataConfig": {"S3OutputPath": place.uri("out")},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    }
    execution, steps = place.run(training, role=place.role(*allowed))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "Failed to invoke sagemaker:CreateTrainingJob" in steps[0]["FailureReason"]
    assert f"not authorized to perform: {denied}" in steps[0]["FailureReason"]
    assert "Metadata" not in steps[0], "no job was made"


def test_an_execution_and_its_steps_send_the_documented_events(place: Workplace) -> None:
    executions = place.watch("SageMaker Model Building Pipeline Execution Status Change")
    steps = place.watch("SageMaker Model Building Pipeline Execution Step Status Change")
    execution, _ = place.run(simple(place))
    arn, pipeline = execution["PipelineExecutionArn"], execution["PipelineArn"]
    began, over = place.event(executions), place.event(executions)
    assert began["detail"]["currentPipelineExecutionStatus"] == "Executing"
    assert over["resources"] == [pipeline, arn]
    assert (
        over["detail"].items()
        >= {
            "currentPipelineExecutionStatus": "Succeeded",
            "previousPipelineExecutionStatus": "Executing",
            "pipelineArn": pipeline,
            "pipelineExecutionArn": arn,
        }.items()
    )
    assert over["detail"]["executionEndTime"].endswith("Z")
    found = [place.event(steps)["detail"] for _ in range(3)]
    assert [detail["currentStepStatus"] for detail in found] == ["Starting", "Executing", "Succeeded"]
    assert found[-1]["metadata"]["transformJob"]["arn"].startswith(f"arn:aws:sagemaker:us-east-1:{DEV}:transform-job/")
    assert (found[-1]["stepName"], found[-1]["stepType"]) == ("Transform", "Transform")


def test_events_can_be_lost_while_the_execution_goes_on(place: Workplace) -> None:
    executions = place.watch("SageMaker Model Building Pipeline Execution Status Change")
    place.cloud.jobs(events=False)
    place.run(simple(place))
    place.cloud.jobs(events=True)
    later, _ = place.run(simple(place))
    assert place.event(executions)["detail"]["pipelineExecutionArn"] == later["PipelineExecutionArn"]


def test_a_held_execution_waits_until_it_is_released(place: Workplace) -> None:
    place.cloud.jobs(hold=True)
    execution = place.start(place.pipeline(simple(place)))
    eventually(lambda: place.steps(execution))
    assert (
        place.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
        == "Executing"
    )
    assert place.keys("out") == []
    place.cloud.jobs(hold=False)
    assert place.ended(execution)["PipelineExecutionStatus"] == "Succeeded"


def test_a_held_execution_can_be_stopped(place: Workplace) -> None:
    place.cloud.jobs(hold=True)
    execution = place.start(place.pipeline(simple(place)))
    eventually(lambda: place.steps(execution))
    request = {"PipelineExecutionArn": execution, "ClientRequestToken": TOKEN}
    assert place.sagemaker.stop_pipeline_execution(**request)["PipelineExecutionArn"] == execution
    assert place.ended(execution)["PipelineExecutionStatus"] == "Stopped"
    with pytest.raises(ClientError, match="only Executing can be stopped"):
        place.sagemaker.stop_pipeline_execution(**request)


def test_the_next_job_fails_with_the_reason_that_a_test_gives(place: Workplace) -> None:
    place.cloud.jobs(fail=["CapacityError: Unable to provision requested ML compute capacity."])
    execution, steps = place.run(simple(place))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert steps[0]["FailureReason"] == "CapacityError: Unable to provision requested ML compute capacity."
    assert place.run(simple(place))[0]["PipelineExecutionStatus"] == "Succeeded"


def test_iam_decides_who_may_start_and_describe(place: Workplace) -> None:
    name = place.pipeline(simple(place))
    arn = f"arn:aws:sagemaker:us-east-1:{DEV}:pipeline/{name}"
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}]})
    iam = place.cloud.client("iam", DEV)

    def role(actions: list[str], resource: str) -> Any:
        made = iam.create_role(RoleName=unique("runner"), AssumeRolePolicyDocument=trusted)["Role"]
        document = json.dumps({"Statement": [statement(actions, resource)]})
        iam.put_role_policy(RoleName=made["RoleName"], PolicyName="inline", PolicyDocument=document)
        return place.cloud.client_as("sagemaker", made["Arn"], HUB)

    runner = role(["sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution"], f"{arn}*")
    started = runner.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert runner.describe_pipeline_execution(PipelineExecutionArn=started)["PipelineArn"] == arn
    with pytest.raises(ClientError, match="AccessDenied"):
        role(["sagemaker:StartPipelineExecution"], f"{arn}-other").start_pipeline_execution(PipelineName=name)
    with pytest.raises(ClientError, match="AccessDenied"):
        runner.stop_pipeline_execution(PipelineExecutionArn=started, ClientRequestToken=TOKEN)


def test_a_reset_ends_what_runs_and_forgets_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with EmbeddedCloud(data_dir=tmp_path_factory.mktemp("reset")) as cloud:
        place = Workplace(cloud)
        cloud.jobs(hold=True)
        execution = place.start(place.pipeline(simple(place)))
        eventually(lambda: place.steps(execution))
        url = f"{cloud.endpoint_url}/_ministack/reset"
        request = urllib.request.Request(url, method="POST")  # noqa: S310 - our own server
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()
        with pytest.raises(ClientError, match="ResourceNotFound"):
            place.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        cloud.jobs(hold=False)
        again = Workplace(cloud)
        assert again.run(simple(again))[0]["PipelineExecutionStatus"] == "Succeeded"


def test_a_job_sends_its_own_events_to_its_accounts_bus(place: Workplace) -> None:
    url = place.watch("SageMaker Transform Job State Change")
    place.run(simple(place))
    detail = json.loads(receive(place.cloud, DEV, url)["Body"])
    assert detail["account"] == DEV
    assert detail["detail"]["TransformJobStatus"] == "InProgress"
    ended = place.event(url)
    assert ended["detail"]["TransformJobStatus"] == "Completed"
    assert isinstance(ended["detail"]["CreationTime"], int)
