"""Training, tuning, Autopilot and images: made and run once, in the orchestrator's account, whatever the mode."""

from __future__ import annotations

import json

from tests.releases.workloads.reading import Reading
from tests.releases.workloads.table import ABSENT, Look, Matching, Workload

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
REPOSITORY = "types/images"


def trained(reading: Reading) -> None:
    """A model is where the job says."""
    client = reading.client("sagemaker")
    job = client.describe_training_job(TrainingJobName=reading.places["job.Train"])
    assert reading.body(job["ModelArtifacts"]["S3ModelArtifacts"])
    assert reading.body(job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]) == reading.data.training()


def tuned(reading: Reading) -> None:
    """The best of the trainings is known, and its model is there."""
    client = reading.client("sagemaker")
    job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=reading.places["job.Tune"])
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "validation:auc"
    assert 0.01 <= float(best["TunedHyperParameters"]["eta"]) <= 0.3
    found = client.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert reading.body(found["ModelArtifacts"]["S3ModelArtifacts"])
    listed = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=reading.places["job.Tune"]
    )
    assert len(listed["TrainingJobSummaries"]) == 3


def searched(reading: Reading) -> None:
    """There is a best candidate, with its model."""
    job = reading.client("sagemaker").describe_auto_ml_job_v2(AutoMLJobName=reading.places["job"])
    best = job["BestCandidate"]
    assert best["CandidateStatus"] == "Completed"
    assert reading.body(best["InferenceContainers"][0]["ModelDataUrl"])


TRAINING = Workload(
    kind="model_training_builtin",
    name="types-training",
    in_stages=False,
    job="sagemaker_pipeline",
    assets=lambda data: {"types/train.csv": data.training(), "types/validation.csv": data.validation()},
    configuration={
        "pipeline_type": "model_training_builtin",
        "model_name": "Types",
        "model_framework": "xgboost",
        "model_framework_version": "1.7-1",
        "training_data": "types/train.csv",
        "validation_data": "types/validation.csv",
        "job_output_location": "types/trained",
        "algo_hyperparamaters": {"objective": "binary:logistic", "num_round": 12, "eta": 0.3, "max_depth": 3},
        "job_name": "types-nightly",
        "instance_type": "ml.m5.2xlarge",
        "instance_count": 2,
        "instance_volume_size": "40",
        "encrypt_inner_traffic": "False",
        "max_runtime_per_job": 1800,
        "use_spot_instances": "True",
        "max_wait_time_spot_instances": 5400,
        "content_type": "text/csv",
        "data_distribution": "ShardedByS3Key",
        "data_input_mode": "FastFile",
        "kms_key_arn": "{key}",
        "vpc": {
            "subnets": ["subnet-0123456789abcde0a"],
            "security_groups": ["sg-0123456789abcde0a"],
            "network_isolation": True,
        },
        "tags": {"team": "oncology"},
    },
    looks=(
        Look(
            "sagemaker",
            "describe_training_job",
            {"TrainingJobName": "{job.Train}"},
            {
                "TrainingJobName": Matching("types-nightly-.+"),
                "TrainingJobStatus": "Completed",
                "RoleArn": "{outputs.ExecutionRoleArn}",
                "HyperParameters": {
                    "objective": "binary:logistic",
                    "num_round": "12",
                    "eta": "0.3",
                    "max_depth": "3",
                },
                "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "FastFile"},
                "InputDataConfig": [
                    {
                        "ChannelName": "train",
                        "ContentType": "text/csv",
                        "InputMode": "FastFile",
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3Uri": Matching(r"s3://{packages}/assets/[0-9a-f]{64}/train\.csv"),
                                "S3DataDistributionType": "ShardedByS3Key",
                            }
                        },
                    },
                    {
                        "ChannelName": "validation",
                        "DataSource": {
                            "S3DataSource": {"S3Uri": Matching(r"s3://{packages}/assets/[0-9a-f]{64}/validation\.csv")}
                        },
                    },
                ],
                "OutputDataConfig": {"S3OutputPath": "s3://{assets}/types/trained", "KmsKeyId": "{key}"},
                "ResourceConfig": {
                    "InstanceType": "ml.m5.2xlarge",
                    "InstanceCount": 2,
                    "VolumeSizeInGB": 40,
                    "VolumeKmsKeyId": "{key}",
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 5400},
                "EnableManagedSpotTraining": True,
                "EnableInterContainerTrafficEncryption": False,
                "EnableNetworkIsolation": True,
                "VpcConfig": {"Subnets": ["subnet-0123456789abcde0a"], "SecurityGroupIds": ["sg-0123456789abcde0a"]},
            },
        ),
    ),
    made=trained,
)

TUNER = Workload(
    kind="model_tuner_builtin",
    name="types-tuner",
    in_stages=False,
    job="sagemaker_pipeline",
    assets=lambda data: {"types/train.csv": data.training(), "types/validation.csv": data.validation()},
    configuration={
        "pipeline_type": "model_tuner_builtin",
        "model_name": "Types",
        "model_framework": "xgboost",
        "model_framework_version": "1.7-1",
        "training_data": "types/train.csv",
        "validation_data": "types/validation.csv",
        "job_output_location": "types/tuned",
        "algo_hyperparamaters": {"objective": "binary:logistic", "num_round": 5, "eval_metric": "auc"},
        "tuner_configs": {
            "objective_metric_name": "validation:auc",
            "objective_type": "Maximize",
            "strategy": "Random",
            "max_jobs": 3,
            "max_parallel_jobs": 2,
            "early_stopping_type": "Auto",
            "base_tuning_job_name": "types-search",
            "random_seed": 11,
        },
        "hyperparamaters_ranges": {
            "eta": ["continuous", [0.01, 0.3]],
            "max_depth": ["integer", [2, 4]],
            "grow_policy": ["categorical", ["depthwise", "lossguide"]],
        },
        "instance_type": "ml.m5.xlarge",
        "instance_volume_size": 30,
        "max_runtime_per_job": 900,
        "use_spot_instances": "False",
        "kms_key_arn": "{key}",
    },
    looks=(
        Look(
            "sagemaker",
            "describe_hyper_parameter_tuning_job",
            {"HyperParameterTuningJobName": "{job.Tune}"},
            {
                "HyperParameterTuningJobName": Matching("types-se.*-.+"),
                "HyperParameterTuningJobStatus": "Completed",
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Random",
                    "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
                    "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
                    "TrainingJobEarlyStoppingType": "Auto",
                    "RandomSeed": 11,
                    "ParameterRanges": {
                        "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.01", "MaxValue": "0.3"}],
                        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "4"}],
                        "CategoricalParameterRanges": [{"Name": "grow_policy", "Values": ["depthwise", "lossguide"]}],
                    },
                },
                "TrainingJobDefinition": {
                    "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
                    "StaticHyperParameters": {"objective": "binary:logistic", "num_round": "5", "eval_metric": "auc"},
                    "RoleArn": "{outputs.ExecutionRoleArn}",
                    "OutputDataConfig": {"S3OutputPath": "s3://{assets}/types/tuned", "KmsKeyId": "{key}"},
                    "ResourceConfig": {
                        "InstanceType": "ml.m5.xlarge",
                        "InstanceCount": 1,
                        "VolumeSizeInGB": 30,
                        "VolumeKmsKeyId": "{key}",
                    },
                    "StoppingCondition": {"MaxRuntimeInSeconds": 900, "MaxWaitTimeInSeconds": ABSENT},
                    "EnableManagedSpotTraining": False,
                    "EnableInterContainerTrafficEncryption": True,
                },
            },
        ),
    ),
    made=tuned,
)

AUTOPILOT = Workload(
    kind="model_autopilot_training",
    name="types-autopilot",
    in_stages=False,
    job="automl_job",
    assets=lambda data: {"types/labelled.csv": data.labelled()},
    configuration={
        "pipeline_type": "model_autopilot_training",
        "model_name": "Types",
        "training_data": "types/labelled.csv",
        "job_output_location": "types/searched",
        "target_attribute": "malignant",
        "problem_type": "BinaryClassification",
        "job_objective": "F1",
        "job_name": "types-weekly",
        "job_max_candidates": "2",
        "max_runtime_per_job": 700,
        "total_max_runtime": 7200,
        "encrypt_inner_traffic": "False",
        "kms_key_arn": "{key}",
        "vpc": {"subnets": ["subnet-0123456789abcde0a"], "security_groups": ["sg-0123456789abcde0a"]},
        "tags": {"team": "oncology"},
    },
    looks=(
        Look(
            "sagemaker",
            "describe_auto_ml_job_v2",
            {"AutoMLJobName": "{job}"},
            {
                "AutoMLJobName": Matching("types-weekly-[0-9a-f]{8}"),
                "AutoMLJobStatus": "Completed",
                "RoleArn": "{outputs.ExecutionRoleArn}",
                "AutoMLJobInputDataConfig": [
                    {
                        "ChannelType": "training",
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3Uri": Matching(r"s3://{packages}/assets/[0-9a-f]{64}/labelled\.csv"),
                            }
                        },
                    }
                ],
                "OutputDataConfig": {"S3OutputPath": "s3://{assets}/types/searched", "KmsKeyId": "{key}"},
                "AutoMLProblemTypeConfig": {
                    "TabularJobConfig": {
                        "TargetAttributeName": "malignant",
                        "ProblemType": "BinaryClassification",
                        "CompletionCriteria": {
                            "MaxCandidates": 2,
                            "MaxRuntimePerTrainingJobInSeconds": 700,
                            "MaxAutoMLJobRuntimeInSeconds": 7200,
                        },
                    }
                },
                "AutoMLJobObjective": {"MetricName": "F1"},
                "SecurityConfig": {
                    "VolumeKmsKeyId": "{key}",
                    "EnableInterContainerTrafficEncryption": False,
                    "VpcConfig": {
                        "Subnets": ["subnet-0123456789abcde0a"],
                        "SecurityGroupIds": ["sg-0123456789abcde0a"],
                    },
                },
            },
        ),
        Look(
            "sagemaker",
            "list_tags",
            {"ResourceArn": "{AutoMLJobArn}"},
            {
                "Tags": [
                    {"Key": "mlops:release", "Value": Matching("types-autopilot-[0-9a-f]+")},
                    {"Key": "mlops:stage", "Value": "{stage}"},
                    {"Key": "mlops:type", "Value": "model_autopilot_training"},
                    {"Key": "mlops:workload", "Value": "types-autopilot"},
                    {"Key": "team", "Value": "oncology"},
                ]
            },
        ),
    ),
    made=searched,
)


def pushed(reading: Reading) -> None:
    """The image names the release that made it, and is the zip's."""
    (image,) = reading.client("ecr").batch_get_image(
        registryId=reading.account, repositoryName=REPOSITORY, imageIds=[{"imageTag": "scorer_2.1"}]
    )["images"]
    assert json.loads(image["imageManifest"])
    (build,) = reading.client("codebuild").batch_get_builds(ids=[reading.places["job"]])["builds"]
    assert build["buildStatus"] == "SUCCEEDED"


IMAGE = Workload(
    kind="byom_image_builder",
    name="scorer-2-1-image-e3aafcda",
    in_stages=False,
    job="codebuild",
    assets=lambda data: {"types/container.zip": data.container()},
    configuration={
        "pipeline_type": "byom_image_builder",
        "custom_algorithm_docker": "types/container.zip",
        "ecr_repo_name": REPOSITORY,
        "image_tag": "scorer_2.1",
        "description": "The scorer's container.",
        "tags": {"team": "oncology"},
    },
    looks=(
        Look(
            "codebuild",
            "batch_get_projects",
            {"names": ["{outputs.ProjectName}"]},
            {
                "projects": [
                    {
                        "name": Matching("mlops-pipeline-scorer-2-1-[0-9a-f]{8}-byompipelineimagebuilder"),
                        "source": {
                            "type": "S3",
                            "location": Matching(r"{packages}/assets/[0-9a-f]{64}/container\.zip"),
                        },
                        "artifacts": {"type": "NO_ARTIFACTS"},
                        "serviceRole": Matching("arn:aws:iam::{account}:role/mlops/workload/.+"),
                        "timeoutInMinutes": 120,
                        "environment": {
                            "type": "LINUX_CONTAINER",
                            "privilegedMode": True,
                            "environmentVariables": [
                                {"name": "REGISTRY", "value": "{account}.dkr.ecr.us-east-1.amazonaws.com"},
                                {
                                    "name": "IMAGE_URI",
                                    "value": "{account}.dkr.ecr.us-east-1.amazonaws.com/types/images:scorer_2.1",
                                },
                            ],
                        },
                    }
                ]
            },
        ),
        Look(
            "ecr",
            "describe_images",
            {"repositoryName": REPOSITORY},
            {"imageDetails": [{"imageTags": ["scorer_2.1"]}]},
        ),
    ),
    made=pushed,
)
