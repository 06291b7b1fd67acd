"""Endpoints that scale, serverless ones, and what is read back of a model and a configuration."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, REGION, unique
from tests.cloud.bridges.serving import NAME, ask, make_execution_role, make_models, serving
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons, resource

pytestmark = pytest.mark.cloud

DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def bucket(cloud: EmbeddedCloud) -> str:
    """The bucket of the models."""
    return make_models(cloud)


@pytest.fixture(scope="module")
def role(cloud: EmbeddedCloud, bucket: str) -> str:
    """The models' execution role."""
    return make_execution_role(cloud, bucket)


def target(**more: Any) -> dict[str, Any]:
    properties = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/all"},
        "ScalableDimension": DIMENSION,
        "MinCapacity": "1",
        "MaxCapacity": 4,
        **more,
    }
    return resource("AWS::ApplicationAutoScaling::ScalableTarget", **properties)


TRACKING = {
    "TargetValue": 70,
    "ScaleInCooldown": 300,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


def policy(**more: Any) -> dict[str, Any]:
    properties = {
        "PolicyName": "invocations",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": {"Ref": "Target"},
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
        **more,
    }
    return resource("AWS::ApplicationAutoScaling::ScalingPolicy", **properties)


def test_a_scaled_endpoint_has_its_target_its_policy_and_the_policys_alarms(
    cloud: EmbeddedCloud, role: str, bucket: str
) -> None:
    stack = unique("scaled")
    made = make(
        cloud,
        {**serving(role, bucket), "Target": target(), "Policy": policy()},
        {**NAME, "Target": {"Ref": "Target"}, "Policy": {"Ref": "Policy"}},
        stack=stack,
    )
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    outputs = outputs_of(made)
    variant = f"endpoint/{outputs['Name']}/variant/all"
    assert outputs["Target"] == f"{variant}|{DIMENSION}|sagemaker"
    scaling = cloud.client("application-autoscaling", DEV)
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[variant])["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"], found["ScalableDimension"]) == (1, 4, DIMENSION)
    (tracked,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=variant)["ScalingPolicies"]
    assert tracked["PolicyARN"] == outputs["Policy"]
    assert tracked["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    names = [alarm["AlarmName"] for alarm in tracked["Alarms"]]
    cloudwatch = cloud.client("cloudwatch", DEV)
    alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert {alarm["Threshold"] for alarm in alarms} == {70.0, 63.0}

    # A variant that is scaled keeps its instances until it is deregistered.
    larger = {"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    refused = make(
        cloud,
        {**serving(role, bucket, variant=larger), "Target": target(), "Policy": policy()},
        NAME,
        stack=stack,
        update=True,
    )
    assert refused["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "must be deregistered as a scalable target" in reasons(cloud, refused)

    client = cloud.client("cloudformation", DEV)
    client.delete_stack(StackName=stack)
    client.get_waiter("stack_delete_complete").wait(StackName=made["StackId"], WaiterConfig={"Delay": 1})
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []
    assert (
        scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[variant])["ScalableTargets"] == []
    )


WRONG_TARGETS = [
    pytest.param({"Target": target(MaxCapacity=0)}, "cannot be less than minimum", id="maximum below minimum"),
    pytest.param(
        {"Target": target(ResourceId="endpoint/none/variant/all")},
        "endpoint or variant does not exist",
        id="no endpoint",
    ),
    pytest.param(
        {"Target": target(ResourceId={"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/x"})},
        "endpoint or variant does not exist",
        id="no variant",
    ),
    pytest.param({"Target": target(MinCapacity=None)}, "required key [MinCapacity] not found", id="no minimum"),
    pytest.param(
        {"Target": target(), "Policy": policy(PolicyType="StepScaling")},
        "StepScalingPolicyConfiguration is required",
        id="another type of policy",
    ),
    pytest.param(
        {
            "Target": target(),
            "Policy": policy(
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": 1,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                }
            ),
        },
        "is not one of service namespace sagemaker",
        id="another service's metric",
    ),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG_TARGETS)
def test_a_target_or_policy_that_aws_refuses_fails_the_stack(
    cloud: EmbeddedCloud, role: str, bucket: str, wrong: dict[str, Any], words: str
) -> None:
    for found in wrong.values():
        found["Properties"] = {name: value for name, value in found["Properties"].items() if value is not None}
    made = make(cloud, {**serving(role, bucket), **wrong})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert words in reasons(cloud, made)


def test_burstable_instances_do_not_scale(cloud: EmbeddedCloud, role: str, bucket: str) -> None:
    variant = {"InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    made = make(cloud, {**serving(role, bucket, variant=variant), "Target": target()})
    assert "not supported for ml.t2.medium" in reasons(cloud, made)


SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


def test_a_serverless_endpoint_serves_and_has_no_instances(cloud: EmbeddedCloud, role: str, bucket: str) -> None:
    made = make(cloud, serving(role, bucket, variant=SERVERLESS), NAME)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    name = outputs_of(made)["Name"]
    assert ask(cloud, name) == b'{"y": 2}'
    (variant,) = cloud.client("sagemaker", DEV).describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == SERVERLESS["ServerlessConfig"]


WRONG_VARIANTS = [
    pytest.param({}, "InstanceType is required", id="neither instances nor serverless"),
    pytest.param({**SERVERLESS, "InstanceType": "ml.m5.large"}, "cannot be specified for serverless", id="both"),
    pytest.param(
        {"ServerlessConfig": {"MemorySizeInMB": 1000, "MaxConcurrency": 5}}, "MemorySizeInMB", id="a memory size"
    ),
]


@pytest.mark.parametrize(("variant", "words"), WRONG_VARIANTS)
def test_a_variant_has_instances_or_is_serverless(
    cloud: EmbeddedCloud, role: str, bucket: str, variant: dict[str, Any], words: str
) -> None:
    made = make(cloud, serving(role, bucket, variant={"InitialVariantWeight": 1.0, **variant}))
    assert words in reasons(cloud, made)


def test_what_serverless_lacks_is_refused(cloud: EmbeddedCloud, role: str, bucket: str) -> None:
    resources = serving(role, bucket, variant=SERVERLESS)
    resources["Model"]["Properties"]["EnableNetworkIsolation"] = True
    assert "Network isolation is not supported" in reasons(cloud, make(cloud, resources))


def test_every_property_of_model_and_configuration_is_read_back(cloud: EmbeddedCloud, role: str, bucket: str) -> None:
    key = f"arn:aws:kms:{REGION}:{DEV}:key/1"
    resources = serving(role, bucket, variant={"InstanceType": "ml.m5.large", "InitialInstanceCount": "2"})
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    resources["Model"]["Properties"] |= {"VpcConfig": network, "EnableNetworkIsolation": "true"}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captured/here",
        "KmsKeyId": key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
    resources["Config"]["Properties"] |= {"KmsKeyId": key, "DataCaptureConfig": capture}
    outputs = outputs_of(
        make(
            cloud,
            resources,
            {
                **NAME,
                "Model": {"Fn::GetAtt": ["Model", "ModelName"]},
                "Config": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        )
    )
    sagemaker = cloud.client("sagemaker", DEV)
    model = sagemaker.describe_model(ModelName=outputs["Model"])
    assert (model["VpcConfig"], model["EnableNetworkIsolation"], model["ExecutionRoleArn"]) == (network, True, role)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=outputs["Config"])
    assert (config["KmsKeyId"], config["DataCaptureConfig"]) == (key, capture)
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    endpoint = sagemaker.describe_endpoint(EndpointName=outputs["Name"])
    assert endpoint["DataCaptureConfig"]["DestinationS3Uri"] == "s3://captured/here"
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="there-is-none")
