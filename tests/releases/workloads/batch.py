"""Batch inference: a model, and a pipeline whose transform job each release runs once in each stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.releases.workloads.data import Data
from tests.releases.workloads.reading import Reading
from tests.releases.workloads.realtime import CUSTOM_IMAGE, SKLEARN
from tests.releases.workloads.table import ABSENT, Look, Matching, PerStage, Workload


def batch(folder: str, data: Data) -> Mapping[str, bytes]:
    """In the stage's own bucket; the neighbour's key begins alike, and is no part of the batch."""
    files = {f"{folder}/{name}": body for name, body in data.batches().items()}
    return files | {f"{folder}-old/three.csv": b"not,a,record\n"}


def scored(location: str) -> Callable[[Reading], None]:
    """Every record of every file is answered as the model itself answers."""

    def look(reading: Reading) -> None:
        expected = reading.data.scores()
        assert reading.keys(location) == sorted(expected)
        for name, scores in expected.items():
            found = [float(line) for line in reading.body(f"{location}/{name}").decode().split()]
            assert found == scores, name

    return look


BUILTIN = Workload(
    kind="byom_batch_builtin",
    name="types-batch-batch",
    assets=lambda data: {"types/batch/model.tar.gz": data.model},
    inputs=lambda data: batch("incoming", data),
    configuration={
        "pipeline_type": "byom_batch_builtin",
        "model_name": "Types-Batch",
        "model_framework": "sklearn",
        "model_framework_version": "1.2-1",
        "model_artifact_location": "types/batch/model.tar.gz",
        "inference_instance": PerStage("ml.m5.large", "ml.m5.xlarge", "ml.c5.2xlarge"),
        "instance_count": PerStage(1, 2, "3"),
        "batch_inference_data": PerStage("{bucket}/incoming/", "{bucket}/incoming/", "{bucket}/incoming/"),
        "batch_job_output_location": PerStage("{bucket}/scores/", "{bucket}/scores/", "{bucket}/scores/"),
        "kms_key_arn": PerStage("{key}", "{key}", "{key}"),
        "vpc": {
            "subnets": ["subnet-0123456789abcde0a", "subnet-0123456789abcde0b"],
            "security_groups": ["sg-0123456789abcde0a"],
            "network_isolation": True,
        },
        "transform": {
            "batch_strategy": "SingleRecord",
            "max_payload_mb": 2,
            "max_concurrent_transforms": 4,
            "invocation_timeout_seconds": 120,
            "invocation_retries": 1,
        },
        "tags": {"team": "oncology"},
    },
    job="sagemaker_pipeline",
    looks=(
        Look(
            "sagemaker",
            "describe_transform_job",
            {"TransformJobName": "{job.Transform}"},
            {
                "TransformJobStatus": "Completed",
                "TransformJobName": Matching("types-batch-batch-.+"),
                "ModelName": "{outputs.ModelName}",
                "BatchStrategy": "SingleRecord",
                "MaxPayloadInMB": 2,
                "MaxConcurrentTransforms": 4,
                "ModelClientConfig": {"InvocationsTimeoutInSeconds": 120, "InvocationsMaxRetries": 1},
                "TransformInput": {
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                    "CompressionType": "None",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://{bucket}/incoming/"}},
                },
                "TransformOutput": {
                    "S3OutputPath": "s3://{bucket}/scores",
                    "Accept": "text/csv",
                    "AssembleWith": "Line",
                    "KmsKeyId": "{key}",
                },
                "TransformResources": {
                    "InstanceType": PerStage("ml.m5.large", "ml.m5.xlarge", "ml.c5.2xlarge"),
                    "InstanceCount": PerStage(1, 2, 3),
                    "VolumeKmsKeyId": "{key}",
                },
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
                },
                "ExecutionRoleArn": "{outputs.ExecutionRoleArn}",
                "EnableNetworkIsolation": True,
                "VpcConfig": {
                    "Subnets": ["subnet-0123456789abcde0a", "subnet-0123456789abcde0b"],
                    "SecurityGroupIds": ["sg-0123456789abcde0a"],
                },
            },
        ),
        Look(
            "sagemaker",
            "describe_pipeline",
            {"PipelineName": "{outputs.PipelineName}"},
            {
                "PipelineName": Matching("mlops-pipeline-types-batch-.+"),
                "PipelineStatus": "Active",
                "RoleArn": Matching("arn:aws:iam::{account}:role/mlops/workload/.+"),
            },
        ),
    ),
    made=scored("{bucket}/scores"),
)

CUSTOM = Workload(
    kind="byom_batch_custom",
    name="types-own-batch-custom",
    assets=lambda data: {"types/own/model.tar.gz": data.model},
    inputs=lambda data: batch("arrived", data),
    configuration={
        "pipeline_type": "byom_batch_custom",
        "model_name": "types-own",
        "custom_image_uri": CUSTOM_IMAGE,
        "model_artifact_location": "types/own/model.tar.gz",
        "inference_instance": "ml.m5.large",
        "batch_inference_data": PerStage("{bucket}/arrived/", "{bucket}/arrived/", "{bucket}/arrived/"),
        "batch_job_output_location": PerStage("{bucket}/answers", "{bucket}/answers", "{bucket}/answers"),
    },
    job="sagemaker_pipeline",
    looks=(
        Look(
            "sagemaker",
            "describe_transform_job",
            {"TransformJobName": "{job.Transform}"},
            {
                "TransformJobStatus": "Completed",
                "BatchStrategy": "MultiRecord",
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": ABSENT},
                "TransformOutput": {"S3OutputPath": "s3://{bucket}/answers", "AssembleWith": "Line"},
            },
        ),
        Look(
            "sagemaker",
            "describe_model",
            {"ModelName": "{outputs.ModelName}"},
            {"PrimaryContainer": {"Image": CUSTOM_IMAGE}, "VpcConfig": ABSENT},
        ),
    ),
    made=scored("{bucket}/answers"),
)
