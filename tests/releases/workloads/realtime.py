"""Real-time endpoints: an AWS container with all that may be asked of it; a container of one's own, serverless."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.credentials import Credentials

from local.cloud.client import SECRET
from local.settings import REGION
from local.signed import call
from tests.releases.workloads.data import Data
from tests.releases.workloads.reading import Reading
from tests.releases.workloads.table import ABSENT, Look, Matching, PerStage, Workload, filled

CUSTOM_IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/types/scorer:1.0"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def assets(folder: str, data: Data) -> Mapping[str, bytes]:
    return {
        f"{folder}/model.tar.gz": data.model,
        f"{folder}/sample.csv": data.sample,
        f"{folder}/evaluation.json": data.evaluation(),
    }


def answers(reading: Reading) -> None:
    """The HTTP front answers as the model itself does."""
    url = reading.team.running.cloud.local_url(filled("{outputs.InferenceUrl}", reading.places))
    asked = {"payload": reading.data.sample.decode(), "content_type": "text/csv"}
    reply = call("POST", url, Credentials(reading.account, SECRET), REGION, asked)
    assert (reply.status, reply.json()) == (200, reading.data.answer())


BUILTIN = Workload(
    kind="byom_realtime_builtin",
    name="types-endpoint-realtime",
    assets=lambda data: assets("types/endpoint", data),
    configuration={
        "pipeline_type": "byom_realtime_builtin",
        "model_name": "Types-Endpoint",
        "description": "Every key of a real-time endpoint.",
        "model_framework": "sklearn",
        "model_framework_version": "1.2-1",
        "model_artifact_location": "types/endpoint/model.tar.gz",
        "inference_instance": PerStage("ml.m5.large", "ml.m5.xlarge", "ml.c5.2xlarge"),
        "instance_count": PerStage(2, "2", 3),
        "data_capture_location": PerStage("{bucket}/capture/", "{bucket}/capture/", "{bucket}/traffic"),
        "endpoint_name": PerStage("Types-Endpoint-Dev", "types-endpoint-staging", "types-endpoint-prod"),
        "kms_key_arn": PerStage("{key}", "{key}", "{key}"),
        "vpc": PerStage(
            {"subnets": ["subnet-0123456789abcde0a"], "security_groups": ["sg-0123456789abcde0a"]},
            {"subnets": ["subnet-0123456789abcde1a"], "security_groups": ["sg-0123456789abcde1a"]},
            {
                "subnets": ["subnet-0123456789abcde2a", "subnet-0123456789abcde2b"],
                "security_groups": ["sg-0123456789abcde2a"],
                "network_isolation": True,
            },
        ),
        "scaling": {"min": 1, "max": 4, "target_invocations": 120},
        "deployment": {"strategy": "linear", "step_percent": 25, "wait_minutes": 3},
        "verify": {"sample": "types/endpoint/sample.csv", "content_type": "text/csv", "expect_status": 200},
        "metrics": "types/endpoint/evaluation.json",
        "tags": {"team": "oncology"},
    },
    looks=(
        Look(
            "sagemaker",
            "describe_endpoint",
            {"EndpointName": "{outputs.EndpointName}"},
            {
                "EndpointName": PerStage("types-endpoint-dev", "types-endpoint-staging", "types-endpoint-prod"),
                "EndpointArn": "arn:aws:sagemaker:us-east-1:{account}:endpoint/{outputs.EndpointName}",
                "EndpointStatus": "InService",
            },
        ),
        Look(
            "sagemaker",
            "describe_endpoint_config",
            {"EndpointConfigName": "{EndpointConfigName}"},
            {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "{outputs.ModelName}",
                        "InstanceType": PerStage("ml.m5.large", "ml.m5.xlarge", "ml.c5.2xlarge"),
                        "InitialInstanceCount": PerStage(2, 2, 3),
                    }
                ],
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": PerStage(
                        "s3://{bucket}/capture", "s3://{bucket}/capture", "s3://{bucket}/traffic"
                    ),
                    "KmsKeyId": "{key}",
                    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                },
                "KmsKeyId": "{key}",
            },
        ),
        Look(
            "sagemaker",
            "describe_model",
            {"ModelName": "{outputs.ModelName}"},
            {
                "PrimaryContainer": {
                    "Image": SKLEARN,
                    "ModelDataUrl": Matching(r"s3://{packages}/assets/[0-9a-f]{64}/model\.tar\.gz"),
                    "Environment": {
                        "SAGEMAKER_PROGRAM": "inference.py",
                        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                    },
                },
                "ExecutionRoleArn": Matching(r"arn:aws:iam::{account}:role/mlops/workload/.+"),
                "VpcConfig": {
                    "Subnets": PerStage(
                        ["subnet-0123456789abcde0a"],
                        ["subnet-0123456789abcde1a"],
                        ["subnet-0123456789abcde2a", "subnet-0123456789abcde2b"],
                    ),
                    "SecurityGroupIds": PerStage(
                        ["sg-0123456789abcde0a"], ["sg-0123456789abcde1a"], ["sg-0123456789abcde2a"]
                    ),
                },
                "EnableNetworkIsolation": PerStage(False, False, True),
            },
        ),
        Look(
            "application-autoscaling",
            "describe_scalable_targets",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceIds": ["endpoint/{outputs.EndpointName}/variant/AllTraffic"],
            },
            {
                "ScalableTargets": [
                    {
                        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                        "MinCapacity": 1,
                        "MaxCapacity": 4,
                    }
                ]
            },
        ),
        Look(
            "application-autoscaling",
            "describe_scaling_policies",
            {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/{outputs.EndpointName}/variant/AllTraffic"},
            {
                "ScalingPolicies": [
                    {
                        "PolicyType": "TargetTrackingScaling",
                        "TargetTrackingScalingPolicyConfiguration": {
                            "TargetValue": 120.0,
                            "PredefinedMetricSpecification": {
                                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                            },
                        },
                    }
                ]
            },
        ),
    ),
    made=answers,
)


CUSTOM = Workload(
    kind="byom_realtime_custom",
    name="types-container-realtime-custom",
    assets=lambda data: assets("types/container", data),
    configuration={
        "pipeline_type": "byom_realtime_custom",
        "model_name": "types-container",
        "description": "A container of one's own, without machines of its own.",
        "custom_image_uri": CUSTOM_IMAGE,
        "model_artifact_location": "types/container/model.tar.gz",
        "serverless": PerStage(
            {"memory_mb": 1024, "max_concurrency": 2},
            {"memory_mb": 2048, "max_concurrency": 5},
            {"memory_mb": 4096, "max_concurrency": 20},
        ),
        "verify": {"sample": "types/container/sample.csv", "content_type": "text/csv", "timeout_seconds": 30},
        "tags": {"team": "oncology"},
    },
    looks=(
        Look(
            "sagemaker",
            "describe_endpoint",
            {"EndpointName": "{outputs.EndpointName}"},
            {"EndpointStatus": "InService", "EndpointName": Matching("types-container-realtime-custom-serverless")},
        ),
        Look(
            "sagemaker",
            "describe_endpoint_config",
            {"EndpointConfigName": "{EndpointConfigName}"},
            {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "{outputs.ModelName}",
                        "InstanceType": ABSENT,
                        "ServerlessConfig": {
                            "MemorySizeInMB": PerStage(1024, 2048, 4096),
                            "MaxConcurrency": PerStage(2, 5, 20),
                        },
                    }
                ],
                "DataCaptureConfig": ABSENT,
                "KmsKeyId": ABSENT,
            },
        ),
        Look(
            "sagemaker",
            "describe_model",
            {"ModelName": "{outputs.ModelName}"},
            {
                "PrimaryContainer": {
                    "Image": CUSTOM_IMAGE,
                    "ModelDataUrl": Matching(r"s3://{packages}/assets/[0-9a-f]{64}/model\.tar\.gz"),
                    "Environment": ABSENT,
                },
                "VpcConfig": ABSENT,
            },
        ),
    ),
    made=answers,
)
