"""Pipelines of stacks: kept whole, their definition read with the stack's role, and refused when it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, make_bucket, make_role, policy, service_trust, statement, unique
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
