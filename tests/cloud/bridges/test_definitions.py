"""Pipelines, monitoring job definitions and schedules of stacks: kept whole, read back, refused when wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, REGION, make_bucket, make_role, policy, service_trust, statement, unique
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons, resource

pytestmark = pytest.mark.cloud

DEFINITION: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "RoleArn", "Type": "String"},
        {"Name": "Instances", "Type": "Integer", "DefaultValue": 1},
    ],
    "Steps": [
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {
                "TrainingJobName": "wine",
                "RoleArn": {"Get": "Parameters.RoleArn"},
                "AlgorithmSpecification": {"TrainingImage": "an-image:1", "TrainingInputMode": "File"},
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
                "ResourceConfig": {
                    "InstanceCount": {"Get": "Parameters.Instances"},
                    "InstanceType": "ml.m5.large",
                    "VolumeSizeInGB": 20,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            },
        }
    ],
}

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


def pipeline(role: str, **more: Any) -> dict[str, Any]:
    body = {"PipelineDefinitionBody": json.dumps(DEFINITION)}
    found: dict[str, Any] = {"PipelineName": unique("pipeline"), "PipelineDefinition": body, "RoleArn": role}
    return resource("AWS::SageMaker::Pipeline", **{**found, **more})


def test_a_pipeline_of_a_stack_is_kept_whole_changes_in_place_and_goes_with_the_stack(cloud: EmbeddedCloud) -> None:
    role, stack = workload_role(cloud), unique("pipelines")
    more = {
        "PipelineDescription": "Trains wine",
        "PipelineDisplayName": "wine-training",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": "2"},
        "Tags": [{"Key": "team", "Value": "wine"}],
    }
    first = pipeline(role, **more)
    made = make(cloud, {"P": first}, {"Name": {"Ref": "P"}}, stack=stack)
    assert made["StackStatus"] == "CREATE_COMPLETE"
    name = first["Properties"]["PipelineName"]
    assert outputs_of(made) == {"Name": name}
    sagemaker = cloud.client("sagemaker", DEV)
    found = sagemaker.describe_pipeline(PipelineName=name)
    assert json.loads(found["PipelineDefinition"]) == DEFINITION
    assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}, "text became a number"
    assert {key: found[key] for key in ("PipelineDescription", "PipelineDisplayName", "RoleArn", "PipelineStatus")} == {
        "PipelineDescription": "Trains wine",
        "PipelineDisplayName": "wine-training",
        "RoleArn": role,
        "PipelineStatus": "Active",
    }
    tags = sagemaker.list_tags(ResourceArn=found["PipelineArn"])["Tags"]
    assert {"Key": "team", "Value": "wine"} in tags

    changed = json.loads(json.dumps(DEFINITION))
    changed["Steps"][0]["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] = 60
    body = {"PipelineDefinitionBody": json.dumps(changed)}
    second = pipeline(role, PipelineName=name, PipelineDefinition=body, **more)
    assert make(cloud, {"P": second}, stack=stack, update=True)["StackStatus"] == "UPDATE_COMPLETE"
    assert json.loads(sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"]) == changed

    third = pipeline(role, PipelineName=unique("renamed"))
    assert make(cloud, {"P": third}, stack=stack, update=True)["StackStatus"] == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_pipeline(PipelineName=name)
    cloud.client("cloudformation", DEV).delete_stack(StackName=stack)
    cloud.client("cloudformation", DEV).get_waiter("stack_delete_complete").wait(
        StackName=made["StackId"], WaiterConfig={"Delay": 1}
    )
    listed = sagemaker.list_pipelines(PipelineNamePrefix=third["Properties"]["PipelineName"])
    assert listed["PipelineSummaries"] == []


def service_role(cloud: EmbeddedCloud, *more: dict[str, Any]) -> str:
    """CloudFormation's role: all of SageMaker, the passing of roles, and what a test adds."""
    return make_role(
        cloud,
        DEV,
        service_trust("cloudformation"),
        statement("sagemaker:*", "*"),
        statement("iam:PassRole", f"arn:aws:iam::{DEV}:role/mlops/workload/*"),
        *more,
        path="/mlops/",
    )


def test_a_definition_in_another_accounts_bucket_is_read_with_the_rights_of_the_stacks_role(
    cloud: EmbeddedCloud,
) -> None:
    role, s3 = workload_role(cloud), cloud.client("s3", HUB)
    bucket, key = make_bucket(cloud, HUB), "documents/pipeline.json"
    kms = cloud.client("kms", HUB)
    owner = statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
    key_arn = kms.create_key(Policy=policy(owner))["KeyMetadata"]["Arn"]
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=json.dumps(DEFINITION).encode(),
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key_arn,
    )
    reads = statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    decrypts = statement("kms:Decrypt", key_arn)
    location = {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": key}}

    def attempt(*rights: dict[str, Any]) -> dict[str, Any]:
        resources = {"P": pipeline(role, PipelineDefinition=location)}
        return make(cloud, resources, {"Name": {"Ref": "P"}}, role=service_role(cloud, *rights))

    refused = attempt(reads, decrypts)
    assert "is not authorized to perform: s3:GetObject" in reasons(cloud, refused), "the bucket's policy is asked too"
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/*"}}
    stages = {"Principal": {"AWS": f"arn:aws:iam::{DEV}:root"}, "Condition": condition}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*", **stages)))
    assert "is not authorized to perform: kms:Decrypt" in reasons(cloud, attempt(reads, decrypts))
    kms.put_key_policy(
        KeyId=key_arn, PolicyName="default", Policy=policy(owner, statement("kms:Decrypt", "*", **stages))
    )
    assert "is not authorized to perform: s3:GetObject" in reasons(cloud, attempt(decrypts))
    made = attempt(reads, decrypts)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    found = cloud.client("sagemaker", DEV).describe_pipeline(PipelineName=outputs_of(made)["Name"])
    assert json.loads(found["PipelineDefinition"]) == DEFINITION


def changed(**steps: Any) -> str:
    """The definition with members of its first step, or of itself, replaced."""
    document = json.loads(json.dumps(DEFINITION))
    for name, value in steps.items():
        target = document if name in {"Version", "Parameters", "Steps"} else document["Steps"][0]
        target[name] = value
    return json.dumps(document)


ARGUMENTS = DEFINITION["Steps"][0]["Arguments"]
WRONG_DEFINITIONS = [
    pytest.param("{", "Expecting valid JSON", id="not JSON"),
    pytest.param(changed(Version="2021-01-01"), "Version '2021-01-01' is not supported", id="another version"),
    pytest.param(changed(Type="Trainign"), "unknown type 'Trainign'", id="an unknown type of step"),
    pytest.param(changed(Name="a step"), "does not satisfy the pattern", id="a step's name"),
    pytest.param(changed(DependsOn=["Before"]), "unknown step 'Before'", id="an unknown dependency"),
    pytest.param(changed(Parameters=[]), "undeclared parameter 'RoleArn'", id="an undeclared parameter"),
    pytest.param(
        changed(Arguments={**ARGUMENTS, "HyperParamters": {}}),
        "Unknown Argument member 'HyperParamters'",
        id="misspelt",
    ),
    pytest.param(
        changed(Arguments={**ARGUMENTS, "StoppingCondition": {"MaxRuntimeInSeconds": 0}}),
        "greater than or equal to 1",
        id="a value out of range",
    ),
    pytest.param(
        changed(Arguments={name: value for name, value in ARGUMENTS.items() if name != "RoleArn"}),
        "Missing Argument member 'RoleArn'",
        id="a missing argument",
    ),
    pytest.param(
        changed(Arguments={**ARGUMENTS, "OutputDataConfig": {"S3OutputPath": {"Get": "Steps.Other.X"}}}),
        "there is no step 'Other'",
        id="a reference to no step",
    ),
]


@pytest.mark.parametrize(("body", "words"), WRONG_DEFINITIONS)
def test_a_wrong_definition_is_refused_with_the_reason(cloud: EmbeddedCloud, body: str, words: str) -> None:
    with pytest.raises(ClientError, match="Unable to parse pipeline definition") as refused:
        cloud.client("sagemaker", DEV).create_pipeline(
            PipelineName=unique("wrong"),
            PipelineDefinition=body,
            RoleArn=f"arn:aws:iam::{DEV}:role/any",
            ClientRequestToken="a-token-of-at-least-thirty-two-characters",
        )
    assert words in str(refused.value)


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


def test_a_caller_must_be_allowed_to_pass_a_pipelines_role(cloud: EmbeddedCloud) -> None:
    role = workload_role(cloud)
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": DEV}, "Action": "sts:AssumeRole"}]})
    maker = make_role(cloud, DEV, trusted, statement("sagemaker:CreatePipeline", "*"))
    with pytest.raises(ClientError, match="iam:PassRole"):
        cloud.client_as("sagemaker", maker, DEV).create_pipeline(
            PipelineName=unique("passed"),
            PipelineDefinition=json.dumps(DEFINITION),
            RoleArn=role,
            ClientRequestToken="a-token-of-at-least-thirty-two-characters",
        )
