"""Monitoring job definitions and schedules of stacks: kept whole, read back, refused when wrong."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, REGION, make_role, service_trust, statement, unique
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons, resource

pytestmark = pytest.mark.cloud

ENDPOINT_INPUT = {"EndpointName": "wine", "LocalPath": "/opt/ml/processing/input", "S3InputMode": "File"}
OUTPUT = {
    "KmsKeyId": "arn:aws:kms:us-east-1:222222222222:key/1",
    "MonitoringOutputs": [
        {"S3Output": {"LocalPath": "/opt/ml/processing/output", "S3Uri": "s3://bucket/out", "S3UploadMode": "EndOfJob"}}
    ],
}
JOB: dict[str, Any] = {
    "JobResources": {
        "ClusterConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 20,
            "VolumeKmsKeyId": "arn:aws:kms:us-east-1:222222222222:key/1",
        }
    },
    "NetworkConfig": {
        "EnableInterContainerTrafficEncryption": True,
        "EnableNetworkIsolation": False,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]},
    },
    "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
}
TRUTH = {"GroundTruthS3Input": {"S3Uri": "s3://bucket/truth"}}

KINDS: dict[str, dict[str, Any]] = {
    "DataQuality": {
        "DataQualityAppSpecification": {"ImageUri": "monitor:1", "Environment": {"a": "b"}},
        "DataQualityBaselineConfig": {
            "ConstraintsResource": {"S3Uri": "s3://bucket/constraints.json"},
            "StatisticsResource": {"S3Uri": "s3://bucket/statistics.json"},
        },
        "DataQualityJobInput": {"EndpointInput": {**ENDPOINT_INPUT, "ExcludeFeaturesAttribute": "0,1"}},
        "DataQualityJobOutputConfig": OUTPUT,
    },
    "ModelQuality": {
        "ModelQualityAppSpecification": {"ImageUri": "monitor:1", "ProblemType": "Regression"},
        "ModelQualityBaselineConfig": {"ConstraintsResource": {"S3Uri": "s3://bucket/constraints.json"}},
        "ModelQualityJobInput": {"EndpointInput": {**ENDPOINT_INPUT, "InferenceAttribute": "prediction"}, **TRUTH},
        "ModelQualityJobOutputConfig": OUTPUT,
    },
    "ModelBias": {
        "ModelBiasAppSpecification": {"ImageUri": "clarify:1", "ConfigUri": "s3://bucket/analysis.json"},
        "ModelBiasBaselineConfig": {"ConstraintsResource": {"S3Uri": "s3://bucket/constraints.json"}},
        "ModelBiasJobInput": {
            "EndpointInput": {**ENDPOINT_INPUT, "ProbabilityAttribute": "p", "ProbabilityThresholdAttribute": 0.5},
            **TRUTH,
        },
        "ModelBiasJobOutputConfig": OUTPUT,
    },
    "ModelExplainability": {
        "ModelExplainabilityAppSpecification": {"ImageUri": "clarify:1", "ConfigUri": "s3://bucket/analysis.json"},
        "ModelExplainabilityJobInput": {
            "BatchTransformInput": {
                "DataCapturedDestinationS3Uri": "s3://bucket/captured",
                "DatasetFormat": {"Csv": {"Header": True}},
                "LocalPath": "/opt/ml/processing/input",
            }
        },
        "ModelExplainabilityJobOutputConfig": OUTPUT,
    },
}


def workload_role(cloud: EmbeddedCloud, account: str = DEV) -> str:
    return make_role(cloud, account, service_trust("sagemaker"), path="/mlops/workload/")


@pytest.mark.parametrize("noun", KINDS)
def test_a_job_definition_is_kept_whole_and_its_schedule_names_it(cloud: EmbeddedCloud, noun: str) -> None:
    role, stack = workload_role(cloud), unique("monitors")
    name = unique("hourly")
    properties = {**KINDS[noun], **JOB, "RoleArn": role, "Tags": [{"Key": "team", "Value": "wine"}]}
    schedule = {
        "MonitoringJobDefinitionName": {"Fn::GetAtt": ["D", "JobDefinitionName"]},
        "MonitoringType": noun,
        "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
    }
    made = make(
        cloud,
        {
            "D": resource(f"AWS::SageMaker::{noun}JobDefinition", **properties),
            "S": resource(
                "AWS::SageMaker::MonitoringSchedule", MonitoringScheduleName=name, MonitoringScheduleConfig=schedule
            ),
        },
        {"Definition": {"Ref": "D"}, "Name": {"Fn::GetAtt": ["D", "JobDefinitionName"]}, "Schedule": {"Ref": "S"}},
        stack=stack,
    )
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    outputs = outputs_of(made)
    sagemaker = cloud.client("sagemaker", DEV)
    snake = {"DataQuality": "data_quality", "ModelQuality": "model_quality", "ModelBias": "model_bias"}.get(
        noun, "model_explainability"
    )
    found = getattr(sagemaker, f"describe_{snake}_job_definition")(JobDefinitionName=outputs["Name"])
    assert {key: found.get(key) for key in properties if key != "Tags"} == {**KINDS[noun], **JOB, "RoleArn": role}
    assert found["JobDefinitionArn"] == outputs["Definition"]
    assert {"Key": "team", "Value": "wine"} in sagemaker.list_tags(ResourceArn=found["JobDefinitionArn"])["Tags"]
    described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    assert described["MonitoringScheduleConfig"] == {**schedule, "MonitoringJobDefinitionName": outputs["Name"]}
    assert (described["MonitoringScheduleStatus"], described["MonitoringType"]) == ("Scheduled", noun)
    assert described["MonitoringScheduleArn"] == outputs["Schedule"]
    listed = sagemaker.list_monitoring_schedules(MonitoringJobDefinitionName=outputs["Name"])
    assert [one["MonitoringScheduleName"] for one in listed["MonitoringScheduleSummaries"]] == [name]


def test_a_changed_job_definition_is_replaced_and_the_schedule_follows_in_place(cloud: EmbeddedCloud) -> None:
    role, stack, name = workload_role(cloud), unique("replaced"), unique("hourly")

    def resources(seconds: int) -> dict[str, Any]:
        properties = {**KINDS["DataQuality"], **JOB, "RoleArn": role}
        properties["StoppingCondition"] = {"MaxRuntimeInSeconds": seconds}
        config = {
            "MonitoringJobDefinitionName": {"Fn::GetAtt": ["D", "JobDefinitionName"]},
            "MonitoringType": "DataQuality",
            "ScheduleConfig": {"ScheduleExpression": "cron(0 6 ? * * *)"},
        }
        return {
            "D": resource("AWS::SageMaker::DataQualityJobDefinition", **properties),
            "S": resource(
                "AWS::SageMaker::MonitoringSchedule", MonitoringScheduleName=name, MonitoringScheduleConfig=config
            ),
        }

    outputs = {"Name": {"Fn::GetAtt": ["D", "JobDefinitionName"]}, "Schedule": {"Ref": "S"}}
    before = outputs_of(make(cloud, resources(600), outputs, stack=stack))
    after = outputs_of(make(cloud, resources(900), outputs, stack=stack, update=True))
    assert after["Name"] != before["Name"]
    assert after["Schedule"] == before["Schedule"]
    sagemaker = cloud.client("sagemaker", DEV)
    config = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)["MonitoringScheduleConfig"]
    assert config["MonitoringJobDefinitionName"] == after["Name"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_data_quality_job_definition(JobDefinitionName=before["Name"])


def data_quality(**more: Any) -> dict[str, Any]:
    properties = {**KINDS["DataQuality"], **JOB, "RoleArn": f"arn:aws:iam::{DEV}:role/any", **more}
    found = {name: value for name, value in properties.items() if value is not None}
    return resource("AWS::SageMaker::DataQualityJobDefinition", **found)


def schedule(expression: str = "cron(0 * ? * * *)", **config: Any) -> dict[str, Any]:
    found = {"ScheduleConfig": {"ScheduleExpression": expression}, "MonitoringType": "DataQuality", **config}
    found.setdefault("MonitoringJobDefinitionName", "there-is-none")
    return resource(
        "AWS::SageMaker::MonitoringSchedule", MonitoringScheduleName=unique("s"), MonitoringScheduleConfig=found
    )


WRONG_RESOURCES = [
    pytest.param(data_quality(Extra=1), "#: extraneous key [Extra] is not permitted", id="an unknown property"),
    pytest.param(data_quality(RoleArn=None), "#: required key [RoleArn] not found", id="a missing one"),
    pytest.param(
        data_quality(StoppingCondition={"MaxRuntimeInSeconds": "soon"}),
        "#/StoppingCondition/MaxRuntimeInSeconds: expected type: Integer, found: String",
        id="a wrong type",
    ),
    pytest.param(
        data_quality(StoppingCondition={"MaxRuntimeInSeconds": 0}), "0 is not greater or equal to 1", id="out of range"
    ),
    pytest.param(
        data_quality(DataQualityJobInput={"EndpointInput": {**ENDPOINT_INPUT, "S3InputMode": "Fast"}}),
        "#/DataQualityJobInput/EndpointInput/S3InputMode: Fast is not a valid enum value",
        id="an unknown choice, deep inside",
    ),
    pytest.param(data_quality(RoleArn="a-role"), "does not match pattern", id="a pattern"),
    pytest.param(data_quality(JobDefinitionArn="arn:aws:x"), "extraneous key [JobDefinitionArn]", id="a read-only one"),
    pytest.param(
        data_quality(EndpointName="another"), "EndpointName is another, the input's is wine", id="two endpoints"
    ),
    pytest.param(schedule(), "Could not find job definition there-is-none", id="no such job definition"),
    pytest.param(schedule("cron(30 8 * * ? *)"), "Invalid schedule expression", id="not hourly nor daily"),
    pytest.param(
        resource("AWS::SageMaker::Pipeline", PipelineName="p", RoleArn=f"arn:aws:iam::{DEV}:role/any"),
        "required key [PipelineDefinition] not found",
        id="a pipeline without a definition",
    ),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG_RESOURCES)
def test_properties_that_cloudformation_refuses_fail_the_resource(
    cloud: EmbeddedCloud, wrong: dict[str, Any], words: str
) -> None:
    if "Invalid schedule" in words:
        good = make(cloud, {"D": data_quality()}, {"Name": {"Fn::GetAtt": ["D", "JobDefinitionName"]}})
        wrong["Properties"]["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] = outputs_of(good)["Name"]
    made = make(cloud, {"R": wrong})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert words in reasons(cloud, made)


def test_a_service_role_needs_what_the_types_handlers_call(cloud: EmbeddedCloud) -> None:
    role = workload_role(cloud)
    arn = f"arn:aws:sagemaker:{REGION}:{DEV}:data-quality-job-definition/*"
    calls = ["Create", "Describe", "Delete"]
    rights = statement([f"sagemaker:{call}DataQualityJobDefinition" for call in calls] + ["sagemaker:ListTags"], arn)
    passing = statement("iam:PassRole", role)
    resources = {"D": data_quality(RoleArn=role)}

    def made(*statements: dict[str, Any]) -> dict[str, Any]:
        return make(cloud, resources, role=make_role(cloud, DEV, service_trust("cloudformation"), *statements))

    assert "sagemaker:CreateDataQualityJobDefinition" in reasons(cloud, made(passing))
    assert f"iam:PassRole on resource: {role}" in reasons(cloud, made(rights))
    assert made(rights, passing)["StackStatus"] == "CREATE_COMPLETE"
