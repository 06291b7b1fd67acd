"""Every property that a template of ``templates/`` sets is kept by the embedded cloud and comes back from its API.

The samples below are deployed and read back member by member. A template that begins to use a property which no sample
has fails here until it is added: what would be ignored cannot stay unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.cloud import resource_schemas
from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, REGION, make_bucket, make_role, model_archive, service_trust, statement, unique
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons, resource
from tests.cloud.bridges.test_definitions import DEFINITION
from tests.templates.folders import TYPES, template

KEY = f"arn:aws:kms:{REGION}:{DEV}:key/1"
NETWORK = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
SCRIPT = "def model_fn(d): return None\ndef predict_fn(x, m): return x\n"


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


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything that is neither object nor list; ``*`` stands for an element."""
    if isinstance(value, Mapping) and value and not any(name.startswith("Fn::") or name == "Ref" for name in value):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}/*")
    else:
        yield path, value


def used(value: Any, path: str = "") -> Iterator[str]:
    """Paths of a template's properties, in both branches of every condition."""
    if isinstance(value, Mapping) and "Fn::If" in value:
        for branch in value["Fn::If"][1:]:
            yield from used(branch, path)
    elif isinstance(value, Mapping) and (any(name.startswith("Fn::") for name in value) or "Ref" in value):
        if value != {"Ref": "AWS::NoValue"}:
            yield path
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from used(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from used(inner, f"{path}/*")
    else:
        yield path


@pytest.mark.parametrize("name", TYPES)
def test_every_property_that_a_template_sets_has_a_sample(name: str) -> None:
    known: dict[str, set[str]] = {}
    for sample in samples().values():
        for path, _ in leaves(sample["Properties"]):
            # A list or an object may come from one parameter as a whole.
            parts = path.split("/")
            known.setdefault(sample["Type"], set()).update("/".join(parts[:end]) for end in range(2, len(parts) + 1))
    for logical_id, found in template(name)["Resources"].items():
        if found["Type"].startswith(resource_schemas.CHECKED):
            unknown = set(used(found.get("Properties", {}))) - known.get(found["Type"], set())
            assert not unknown, f"{logical_id} ({found['Type']}) sets what no sample has: {sorted(unknown)}"


def read(cloud: EmbeddedCloud, kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource as its API describes it."""
    sagemaker = cloud.client("sagemaker", DEV)
    match kind.rpartition("::")[2]:
        case "Model":
            return dict(sagemaker.describe_model(ModelName=properties["ModelName"]))
        case "EndpointConfig":
            return dict(sagemaker.describe_endpoint_config(EndpointConfigName=properties["EndpointConfigName"]))
        case "Endpoint":
            found = sagemaker.describe_endpoint(EndpointName=properties["EndpointName"])
            return {**found, "DeploymentConfig": found["LastDeploymentConfig"]}
        case "ScalableTarget":
            client, wanted = cloud.client("application-autoscaling", DEV), [properties["ResourceId"]]
            answer = client.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=wanted)
            return dict(answer["ScalableTargets"][0])
        case "ScalingPolicy":
            client, wanted = cloud.client("application-autoscaling", DEV), [properties["PolicyName"]]
            answer = client.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=wanted)
            return dict(answer["ScalingPolicies"][0])
        case "Alarm":
            alarms = cloud.client("cloudwatch", DEV).describe_alarms(AlarmNames=[properties["AlarmName"]])
            return dict(alarms["MetricAlarms"][0])
        case "Project":
            return dict(cloud.client("codebuild", DEV).batch_get_projects(names=[properties["Name"]])["projects"][0])
        case "Pipeline":
            return dict(sagemaker.describe_pipeline(PipelineName=properties["PipelineName"]))
        case "MonitoringSchedule":
            name = properties["MonitoringScheduleName"]
            return dict(sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name))
        case other:
            noun = {"Data": "data_quality", "ModelQ": "model_quality", "ModelB": "model_bias"}
            snake = next((spelt for start, spelt in noun.items() if other.startswith(start)), "model_explainability")
            describe = getattr(sagemaker, f"describe_{snake}_job_definition")
            return dict(describe(JobDefinitionName=properties["JobDefinitionName"]))


def lowered(value: Any) -> Any:
    """With the members' names in lower case: the API of CodeBuild spells them otherwise than templates do."""
    if isinstance(value, Mapping):
        return {name.lower(): lowered(inner) for name, inner in value.items()}
    return [lowered(inner) for inner in value] if isinstance(value, list) else value


def missing(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """What of a sample did not come back."""
    if isinstance(wanted, Mapping) and not {"Fn::GetAtt", "Ref"} & wanted.keys():
        for name, inner in wanted.items():
            given = found.get(name.lower()) if isinstance(found, Mapping) else None
            yield from missing(inner, given, f"{path}/{name}")
    elif isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            yield f"{path}: {found}"
            return
        for number, (inner, given) in enumerate(zip(wanted, found, strict=True)):
            yield from missing(inner, given, f"{path}/{number}")
    elif isinstance(wanted, Mapping):
        if not found:
            yield f"{path}: nothing"
    elif wanted != found:
        yield f"{path}: {found!r} instead of {wanted!r}"


@pytest.mark.cloud
def test_every_property_of_every_sample_comes_back(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, DEV)
    s3 = cloud.client("s3", DEV)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=model_archive(SCRIPT))
    s3.put_object(Bucket=bucket, Key="pipeline.json", Body=json.dumps(DEFINITION).encode())
    reads = statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    group = unique("wines")
    sagemaker = cloud.client("sagemaker", DEV)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [{"Image": "image:1", "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    text = json.dumps(samples())
    for place, value in {
        ROLE: make_role(cloud, DEV, service_trust("sagemaker"), reads),
        BUILDER: make_role(cloud, DEV, service_trust("codebuild")),
        BUCKET: bucket,
        PACKAGE: package,
    }.items():
        text = text.replace(place, value)
    resources: dict[str, dict[str, Any]] = json.loads(text)
    outputs = {"Scaled": {"Ref": "Target"}, "Monitored": {"Ref": "DataQuality"}}
    made = make(cloud, resources, outputs)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    assert outputs_of(made)["Scaled"].endswith("|sagemaker")
    lost = []
    for logical_id, one in resources.items():
        schema = resource_schemas.schema(one["Type"])
        never = {pointer.removeprefix("/properties/") for pointer in schema.get("writeOnlyProperties", [])}
        properties = {name: value for name, value in one["Properties"].items() if name not in never}
        # The definition itself comes back in place of where it lay; that is compared below.
        properties.pop("PipelineDefinition", None)
        lost += list(missing(properties, lowered(read(cloud, one["Type"], one["Properties"])), logical_id))
    assert lost == []
    found = sagemaker.describe_pipeline(PipelineName=resources["Pipeline"]["Properties"]["PipelineName"])
    assert json.loads(found["PipelineDefinition"]) == DEFINITION
