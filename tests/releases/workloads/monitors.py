"""The four monitors: a baseline that each release makes once in each stage, a job definition and a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.releases.workloads.reading import Reading
from tests.releases.workloads.table import ABSENT, Look, Matching, PerStage, Workload

MODEL_MONITOR = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"

COMMON: Mapping[str, Any] = {
    "endpoint_name": PerStage("{endpoint}", "{endpoint}", "{endpoint}"),
    "data_capture_location": PerStage("{bucket}/capture/", "{bucket}/capture", "{bucket}/capture"),
    "monitoring_output_location": PerStage("{bucket}/findings/", "{bucket}/findings", "{bucket}/findings"),
    "baseline_job_output_location": PerStage("{bucket}/baseline/", "{bucket}/baseline", "{bucket}/baseline"),
    "schedule_expression": PerStage("cron(0 0 ? * * *)", "cron(0 17/12 ? * * *)", "cron(0 * ? * * *)"),
    "monitor_max_runtime_seconds": PerStage(1800, "2700", 3300),
    "baseline_max_runtime_seconds": PerStage(1200, 2400, "3600"),
    "instance_type": PerStage("ml.m5.large", "ml.m5.xlarge", "ml.m5.4xlarge"),
    "instance_count": PerStage(1, 1, 2),
    "instance_volume_size": PerStage(20, "30", 100),
    "kms_key_arn": PerStage("{key}", "{key}", "{key}"),
    "vpc": {
        "subnets": ["subnet-0123456789abcde0a", "subnet-0123456789abcde0b"],
        "security_groups": ["sg-0123456789abcde0a"],
    },
    "tags": {"team": "oncology"},
}

MACHINES: Mapping[str, Any] = {
    "InstanceType": PerStage("ml.m5.large", "ml.m5.xlarge", "ml.m5.4xlarge"),
    "InstanceCount": PerStage(1, 1, 2),
    "VolumeSizeInGB": PerStage(20, 30, 100),
    "VolumeKmsKeyId": "{key}",
}

NETWORK: Mapping[str, Any] = {
    "VpcConfig": {
        "Subnets": ["subnet-0123456789abcde0a", "subnet-0123456789abcde0b"],
        "SecurityGroupIds": ["sg-0123456789abcde0a"],
    }
}

FINDINGS: Mapping[str, Any] = {
    "KmsKeyId": "{key}",
    "MonitoringOutputs": [
        {
            "S3Output": {
                "S3Uri": "s3://{bucket}/findings",
                "LocalPath": "/opt/ml/processing/output",
                "S3UploadMode": "EndOfJob",
            }
        }
    ],
}


def schedule(name: str, kind: str) -> Look:
    """The schedule, which names the job definition."""
    return Look(
        "sagemaker",
        "describe_monitoring_schedule",
        {"MonitoringScheduleName": name},
        {
            "MonitoringScheduleArn": f"arn:aws:sagemaker:us-east-1:{{account}}:monitoring-schedule/{name}",
            "MonitoringScheduleStatus": "Scheduled",
            "MonitoringScheduleConfig": {
                "MonitoringType": kind,
                "MonitoringJobDefinitionName": "{outputs.JobDefinitionName}",
                "ScheduleConfig": {
                    "ScheduleExpression": PerStage("cron(0 0 ? * * *)", "cron(0 17/12 ? * * *)", "cron(0 * ? * * *)")
                },
            },
        },
    )


def baseline(name: str, **members: Any) -> Look:
    """The job that made the baseline."""
    return Look(
        "sagemaker",
        "describe_processing_job",
        {"ProcessingJobName": "{job.Baseline}"},
        {
            "ProcessingJobStatus": "Completed",
            "RoleArn": "{outputs.ExecutionRoleArn}",
            "ProcessingResources": {"ClusterConfig": MACHINES},
            "ProcessingOutputConfig": {
                "KmsKeyId": "{key}",
                "Outputs": [{"S3Output": {"S3Uri": f"s3://{{bucket}}/baseline/{name}/{{stage}}"}}],
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": PerStage(1200, 2400, 3600)},
            "NetworkConfig": NETWORK,
            **members,
        },
    )


def definition(call: str, kind: str, specification: Any, source: Any, given: Any, isolation: Any) -> Look:
    """The job definition of a kind; what differs between the kinds is named by the caller."""
    return Look(
        "sagemaker",
        call,
        {"JobDefinitionName": "{outputs.JobDefinitionName}"},
        {
            "RoleArn": "{outputs.ExecutionRoleArn}",
            f"{kind}AppSpecification": specification,
            f"{kind}BaselineConfig": source,
            f"{kind}JobInput": given,
            f"{kind}JobOutputConfig": FINDINGS,
            "JobResources": {"ClusterConfig": MACHINES},
            "NetworkConfig": {**NETWORK, "EnableNetworkIsolation": isolation},
            "StoppingCondition": {"MaxRuntimeInSeconds": PerStage(1800, 2700, 3300)},
        },
    )


ENVIRONMENT = {"publish_cloudwatch_metrics": "Enabled"}


def statistics(name: str) -> Callable[[Reading], None]:
    """Model Monitor's two files are where the job definition looks for them, and are about this data."""

    def look(reading: Reading) -> None:
        found = reading.document(f"s3://{{bucket}}/baseline/{name}/{{stage}}/statistics.json")
        assert found["dataset"]["item_count"] == 569
        assert [feature["name"] for feature in found["features"]] == reading.data.names
        kept = reading.document(f"s3://{{bucket}}/baseline/{name}/{{stage}}/constraints.json")
        assert [feature["name"] for feature in kept["features"]] == reading.data.names

    return look


def quality(reading: Reading) -> None:
    """How well the model does on the baseline data, and the constraints that follow."""
    place = "s3://{bucket}/baseline/types-model-quality/{stage}"
    found = reading.document(f"{place}/statistics.json")["binary_classification_metrics"]
    assert found["recall"]["value"] > 0.9
    kept = reading.document(f"{place}/constraints.json")["binary_classification_constraints"]
    assert kept["recall"]["threshold"] == found["recall"]["value"]


def bias(reading: Reading) -> None:
    """Clarify's figures for the facet, and a monitor's configuration that names the data's columns."""
    place = "s3://{bucket}/baseline/types-bias/{stage}"
    found = reading.document(f"{place}/analysis.json")
    assert list(found["pre_training_bias_metrics"]["facets"]) == ["mean_radius"]
    assert list(found["post_training_bias_metrics"]["facets"]) == ["mean_radius"]
    assert found["post_training_bias_metrics"]["label"] == "malignant"
    asked = reading.document(f"{place}/monitor/analysis_config.json")
    assert asked["headers"] == ["malignant", *reading.data.names]
    assert asked["facet"] == [{"name_or_index": "mean_radius", "value_or_threshold": [15]}]
    assert asked["label_values_or_threshold"] == [1]


def explained(reading: Reading) -> None:
    """A Shapley value for each measurement."""
    place = "s3://{bucket}/baseline/types-explainability/{stage}"
    found = reading.document(f"{place}/analysis.json")["explanations"]["kernel_shap"]["label0"]
    assert sorted(found["global_shap_values"]) == sorted(reading.data.names)
    asked = reading.document(f"{place}/monitor/analysis_config.json")
    assert asked["headers"] == reading.data.names
    assert asked["methods"]["shap"]["num_samples"] == 50
    assert asked["methods"]["shap"]["agg_method"] == "mean_sq"


DATA_QUALITY = Workload(
    kind="byom_data_quality_monitor",
    name="types-data-quality",
    assets=lambda data: {"types/requests.csv": data.requests()},
    configuration={
        **COMMON,
        "pipeline_type": "byom_data_quality_monitor",
        "model_name": "Types",
        "baseline_data": "types/requests.csv",
        "vpc": {**COMMON["vpc"], "network_isolation": True},
    },
    job="sagemaker_pipeline",
    looks=(
        schedule("types-data-quality", "DataQuality"),
        definition(
            "describe_data_quality_job_definition",
            "DataQuality",
            {"ImageUri": MODEL_MONITOR, "Environment": ENVIRONMENT},
            {
                "ConstraintsResource": {"S3Uri": "s3://{bucket}/baseline/types-data-quality/{stage}/constraints.json"},
                "StatisticsResource": {"S3Uri": "s3://{bucket}/baseline/types-data-quality/{stage}/statistics.json"},
            },
            {"EndpointInput": {"EndpointName": "{endpoint}", "LocalPath": "/opt/ml/processing/input/endpoint"}},
            isolation=True,
        ),
        baseline(
            "types-data-quality",
            AppSpecification={"ImageUri": MODEL_MONITOR},
            NetworkConfig={**NETWORK, "EnableNetworkIsolation": True},
            ProcessingInputs=[
                {"S3Input": {"S3Uri": Matching(r"s3://{packages}/assets/[0-9a-f]{64}/requests\.csv")}},
            ],
        ),
    ),
    made=statistics("types-data-quality"),
)

MODEL_QUALITY = Workload(
    kind="byom_model_quality_monitor",
    name="types-model-quality",
    assets=lambda data: {"types/judged.csv": data.judged()},
    configuration={
        **COMMON,
        "pipeline_type": "byom_model_quality_monitor",
        "model_name": "types",
        "baseline_data": "types/judged.csv",
        "problem_type": "BinaryClassification",
        "baseline_inference_attribute": "prediction",
        "baseline_probability_attribute": "probability",
        "baseline_ground_truth_attribute": "label",
        "monitor_probability_attribute": "0",
        "probability_threshold_attribute": "0.4",
        "monitor_ground_truth_input": PerStage("{bucket}/truth", "{bucket}/truth/", "{bucket}/truth"),
    },
    job="sagemaker_pipeline",
    looks=(
        schedule("types-model-quality", "ModelQuality"),
        definition(
            "describe_model_quality_job_definition",
            "ModelQuality",
            {"ImageUri": MODEL_MONITOR, "ProblemType": "BinaryClassification", "Environment": ENVIRONMENT},
            {"ConstraintsResource": {"S3Uri": "s3://{bucket}/baseline/types-model-quality/{stage}/constraints.json"}},
            {
                "EndpointInput": {
                    "EndpointName": "{endpoint}",
                    "ProbabilityAttribute": "0",
                    "ProbabilityThresholdAttribute": 0.4,
                    "InferenceAttribute": ABSENT,
                },
                "GroundTruthS3Input": {"S3Uri": "s3://{bucket}/truth"},
            },
            isolation=False,
        ),
        baseline(
            "types-model-quality",
            AppSpecification={"ImageUri": MODEL_MONITOR},
            Environment={
                "analysis_type": "MODEL_QUALITY",
                "problem_type": "BinaryClassification",
                "ground_truth_attribute": "label",
                "probability_attribute": "probability",
                "probability_threshold_attribute": "0.4",
                "inference_attribute": ABSENT,
            },
        ),
    ),
    made=quality,
)

BIAS = Workload(
    kind="byom_model_bias_monitor",
    name="types-bias",
    assets=lambda data: {"types/labelled.csv": data.labelled()},
    configuration={
        **COMMON,
        "pipeline_type": "byom_model_bias_monitor",
        "model_name": "types",
        "baseline_data": "types/labelled.csv",
        "problem_type": "BinaryClassification",
        "bias_config": {
            "label_values_or_threshold": [1],
            "facet_name": "mean_radius",
            "facet_values_or_threshold": [15],
        },
        "model_predicted_label_config": {"probability": 0, "probability_threshold": 0.6},
        "monitor_probability_attribute": "0",
        "probability_threshold_attribute": "0.6",
        "features_attribute": "features",
        "monitor_ground_truth_input": PerStage("{bucket}/truth", "{bucket}/truth", "{bucket}/truth"),
    },
    job="sagemaker_pipeline",
    looks=(
        schedule("types-bias", "ModelBias"),
        definition(
            "describe_model_bias_job_definition",
            "ModelBias",
            {
                "ImageUri": CLARIFY,
                "ConfigUri": "s3://{bucket}/baseline/types-bias/{stage}/monitor/analysis_config.json",
                "Environment": ENVIRONMENT,
            },
            {"ConstraintsResource": {"S3Uri": "s3://{bucket}/baseline/types-bias/{stage}/analysis.json"}},
            {
                "EndpointInput": {
                    "EndpointName": "{endpoint}",
                    "FeaturesAttribute": "features",
                    "ProbabilityAttribute": "0",
                    "ProbabilityThresholdAttribute": 0.6,
                },
                "GroundTruthS3Input": {"S3Uri": "s3://{bucket}/truth"},
            },
            isolation=ABSENT,
        ),
        baseline("types-bias", AppSpecification={"ImageUri": CLARIFY}),
    ),
    made=bias,
)

EXPLAINABILITY = Workload(
    kind="byom_model_explainability_monitor",
    name="types-explainability",
    assets=lambda data: {"types/labelled.csv": data.labelled(), "types/typical.csv": data.typical()},
    configuration={
        **COMMON,
        "pipeline_type": "byom_model_explainability_monitor",
        "model_name": "types",
        "baseline_data": "types/labelled.csv",
        "problem_type": "BinaryClassification",
        "shap_config": {
            "baseline": "types/typical.csv",
            "num_samples": 50,
            "agg_method": "mean_sq",
            "use_logit": True,
            "seed": 7,
        },
        "model_scores": 0,
        "monitor_probability_attribute": "0",
        "features_attribute": "features",
    },
    job="sagemaker_pipeline",
    looks=(
        schedule("types-explainability", "ModelExplainability"),
        definition(
            "describe_model_explainability_job_definition",
            "ModelExplainability",
            {
                "ImageUri": CLARIFY,
                "ConfigUri": "s3://{bucket}/baseline/types-explainability/{stage}/monitor/analysis_config.json",
                "Environment": ENVIRONMENT,
            },
            {"ConstraintsResource": {"S3Uri": "s3://{bucket}/baseline/types-explainability/{stage}/analysis.json"}},
            {
                "EndpointInput": {
                    "EndpointName": "{endpoint}",
                    "FeaturesAttribute": "features",
                    "ProbabilityAttribute": "0",
                }
            },
            isolation=ABSENT,
        ),
        baseline("types-explainability", AppSpecification={"ImageUri": CLARIFY}),
    ),
    made=explained,
)
