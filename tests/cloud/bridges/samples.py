"""One stack with a resource of every type and form that templates are made of, every property set."""

from __future__ import annotations

from typing import Any

from tests.cloud.accounts import DEV, REGION, unique
from tests.cloud.bridges.stacks_of import resource

KEY = f"arn:aws:kms:{REGION}:{DEV}:key/1"
NETWORK = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def rollout(**routing: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 60, **routing},
            "TerminationWaitInSeconds": 120,
            "MaximumExecutionTimeoutInSeconds": 1800,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "any"}]},
    }


def job(noun: str, **own: Any) -> dict[str, Any]:
    """A monitoring job definition; ``own`` are members of its input's endpoint."""
    endpoint = {"EndpointName": "wine", "LocalPath": "/opt/ml/processing/input", "S3InputMode": "File", **own}
    inputs: dict[str, Any] = {"EndpointInput": endpoint}
    if noun in {"ModelQuality", "ModelBias"}:
        inputs["GroundTruthS3Input"] = {"S3Uri": "s3://bucket/truth"}
    specification: dict[str, Any] = {"ImageUri": "image:1", "Environment": {"publish_cloudwatch_metrics": "Enabled"}}
    if noun == "ModelQuality":
        specification["ProblemType"] = "BinaryClassification"
    if noun in {"ModelBias", "ModelExplainability"}:
        specification["ConfigUri"] = "s3://bucket/analysis.json"
    baseline: dict[str, Any] = {"ConstraintsResource": {"S3Uri": "s3://bucket/constraints.json"}}
    if noun == "DataQuality":
        baseline["StatisticsResource"] = {"S3Uri": "s3://bucket/statistics.json"}
    stored = {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "Continuous"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20, "VolumeKmsKeyId": KEY}
    return resource(
        f"AWS::SageMaker::{noun}JobDefinition",
        **{
            f"{noun}AppSpecification": specification,
            f"{noun}BaselineConfig": baseline,
            f"{noun}JobInput": inputs,
            f"{noun}JobOutputConfig": {"KmsKeyId": KEY, "MonitoringOutputs": [{"S3Output": stored}]},
            "JobDefinitionName": unique("job"),
            "JobResources": {"ClusterConfig": cluster},
            "NetworkConfig": {"EnableNetworkIsolation": True, "VpcConfig": NETWORK},
            "RoleArn": ROLE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
        },
    )


ROLE, BUILDER, BUCKET, PACKAGE = "{role}", "{builder}", "{bucket}", "{package}"
"""Places for what the test makes first."""

ANSWERS = {"InferenceAttribute": "label", "ProbabilityAttribute": "p", "ProbabilityThresholdAttribute": 0.5}
FEATURES = {"FeaturesAttribute": "features", "InferenceAttribute": "label", "ProbabilityAttribute": "p"}


def metric(name: str) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": "wine"}]
    found = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}
    stat = {"Metric": found, "Period": 60, "Stat": "Sum"}
    return {"Id": name.lower(), "Label": name, "ReturnData": False, "MetricStat": stat}


def samples() -> dict[str, dict[str, Any]]:
    """Logical id → resource, all of one stack; each has a name of its own by which it is read."""
    names = {name: unique(name) for name in ("model", "packaged", "config", "serverless", "canary", "linear")}
    alarm = {"AlarmDescription": "d", "EvaluationPeriods": 2, "ComparisonOperator": "GreaterThanThreshold"}
    alarm |= {"Threshold": 5.0, "TreatMissingData": "notBreaching"}
    variant = {"VariantName": "all", "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}, "InitialVariantWeight": 1.0}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": "s3://captured/here",
        "KmsKeyId": KEY,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
    identity = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{names['canary']}/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    container = {"Image": "image:1", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    location = {"Bucket": BUCKET, "Key": "pipeline.json"}
    return {
        "Model": resource(
            "AWS::SageMaker::Model",
            ModelName=names["model"],
            ExecutionRoleArn=ROLE,
            PrimaryContainer={**container, "Environment": environment},
            EnableNetworkIsolation=False,
            VpcConfig=NETWORK,
        ),
        "Plain": resource(
            "AWS::SageMaker::Model",
            ModelName=names["packaged"],
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"ModelPackageName": PACKAGE},
        ),
        "Config": resource(
            "AWS::SageMaker::EndpointConfig",
            EndpointConfigName=names["config"],
            KmsKeyId=KEY,
            DataCaptureConfig=capture,
            ProductionVariants=[{**variant, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}],
        ),
        "Serverless": resource(
            "AWS::SageMaker::EndpointConfig",
            EndpointConfigName=names["serverless"],
            ProductionVariants=[
                {
                    **variant,
                    "ModelName": {"Fn::GetAtt": ["Plain", "ModelName"]},
                    "ServerlessConfig": {"MaxConcurrency": 5, "MemorySizeInMB": 2048},
                }
            ],
        ),
        "Canary": resource(
            "AWS::SageMaker::Endpoint",
            EndpointName=names["canary"],
            EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            RetainAllVariantProperties=True,
            DeploymentConfig=rollout(Type="CANARY", CanarySize=percent(30)),
        ),
        "Linear": resource(
            "AWS::SageMaker::Endpoint",
            EndpointName=names["linear"],
            EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            DeploymentConfig=rollout(Type="LINEAR", LinearStepSize=percent(25)),
        ),
        "Target": {
            **resource("AWS::ApplicationAutoScaling::ScalableTarget", MinCapacity=1, MaxCapacity=3, **identity),
            "DependsOn": "Canary",
        },
        "Policy": resource(
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            PolicyName=unique("policy"),
            PolicyType="TargetTrackingScaling",
            ScalingTargetId={"Ref": "Target"},
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 70.0,
                "ScaleInCooldown": 300,
                "ScaleOutCooldown": 60,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        ),
        "OneMetric": resource(
            "AWS::CloudWatch::Alarm",
            AlarmName=unique("alarm"),
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Dimensions=[{"Name": "EndpointName", "Value": "wine"}],
            Statistic="Average",
            Period=60,
            **alarm,
        ),
        "Expression": resource(
            "AWS::CloudWatch::Alarm",
            AlarmName=unique("alarm"),
            Metrics=[
                metric("Errors"),
                {"Id": "share", "Expression": "100 * errors", "Label": "Share", "ReturnData": True},
            ],
            **alarm,
        ),
        "Project": resource(
            "AWS::CodeBuild::Project",
            Name=unique("project"),
            Description="Builds",
            ServiceRole=BUILDER,
            Artifacts={"Type": "NO_ARTIFACTS"},
            Source={"Type": "S3", "Location": "bucket/key.zip", "BuildSpec": "version: 0.2"},
            TimeoutInMinutes=60,
            LogsConfig={"CloudWatchLogs": {"Status": "ENABLED", "GroupName": "/aws/codebuild/images"}},
            Environment={
                "Type": "LINUX_CONTAINER",
                "Image": "aws/codebuild/standard:7.0",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "ImagePullCredentialsType": "CODEBUILD",
                "PrivilegedMode": True,
                "EnvironmentVariables": [{"Name": "TAG", "Value": "1"}],
            },
        ),
        "Pipeline": resource(
            "AWS::SageMaker::Pipeline",
            PipelineName=unique("pipeline"),
            PipelineDescription="Trains",
            PipelineDefinition={"PipelineDefinitionS3Location": location},
            RoleArn=ROLE,
        ),
        "DataQuality": job("DataQuality"),
        "ModelQuality": job("ModelQuality", **ANSWERS),
        "ModelBias": job("ModelBias", **ANSWERS, FeaturesAttribute="features"),
        "ModelExplainability": job("ModelExplainability", **FEATURES),
        "Schedule": resource(
            "AWS::SageMaker::MonitoringSchedule",
            MonitoringScheduleName=unique("schedule"),
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": {"Fn::GetAtt": ["DataQuality", "JobDefinitionName"]},
                "MonitoringType": "DataQuality",
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            },
        ),
    }
