"""Build projects, repositories, alarms and schedules of stacks: every property is read back, or fails the resource."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, REGION, make_role, policy, service_trust, statement, unique
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons, resource

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def builder(cloud: EmbeddedCloud) -> str:
    """A role that CodeBuild may assume."""
    return make_role(cloud, DEV, service_trust("codebuild"), path="/mlops/workload/")


def project(role: str, **more: Any) -> dict[str, Any]:
    properties = {
        "ServiceRole": role,
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Source": {"Type": "S3", "Location": "bucket/key.zip", "BuildSpec": "version: 0.2"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "Image": "aws/codebuild/standard:7.0",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "PrivilegedMode": "true",
            "EnvironmentVariables": [{"Name": "TAG", "Value": "1", "Type": "PLAINTEXT"}],
        },
        **more,
    }
    return resource("AWS::CodeBuild::Project", **{name: v for name, v in properties.items() if v is not None})


FULL: dict[str, Any] = {
    "Description": "Builds images",
    "TimeoutInMinutes": 30,
    "QueuedTimeoutInMinutes": 60,
    "EncryptionKey": f"arn:aws:kms:{REGION}:{DEV}:key/1",
    "Cache": {"Type": "LOCAL", "Modes": ["LOCAL_DOCKER_LAYER_CACHE"]},
    "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": "/aws/codebuild/images"}},
    "VpcConfig": {"VpcId": "vpc-1", "Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    "ConcurrentBuildLimit": 1,
    "Tags": [{"Key": "team", "Value": "wine"}],
}


def test_a_build_project_of_a_stack_is_kept_whole_and_changes_in_place(cloud: EmbeddedCloud, builder: str) -> None:
    stack, name = unique("builds"), unique("images")
    made = make(cloud, {"P": project(builder, Name=name, **FULL)}, {"Name": {"Ref": "P"}}, stack=stack)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    assert outputs_of(made)["Name"] == name
    codebuild = cloud.client("codebuild", DEV)
    (found,) = codebuild.batch_get_projects(names=[name])["projects"]
    assert found["serviceRole"] == builder
    assert found["source"] == {"type": "S3", "location": "bucket/key.zip", "buildspec": "version: 0.2"}
    assert found["environment"] == {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "privilegedMode": True,
        "environmentVariables": [{"name": "TAG", "value": "1", "type": "PLAINTEXT"}],
    }
    assert {"key": "team", "value": "wine"} in found["tags"]
    kept = {
        "description": "Builds images",
        "timeoutInMinutes": 30,
        "queuedTimeoutInMinutes": 60,
        "encryptionKey": FULL["EncryptionKey"],
        "cache": {"type": "LOCAL", "modes": ["LOCAL_DOCKER_LAYER_CACHE"]},
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": "/aws/codebuild/images"}},
        "vpcConfig": {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        "concurrentBuildLimit": 1,
    }
    assert {key: found.get(key) for key in kept} == kept
    less = project(builder, Name=name, Description="Builds more")
    assert make(cloud, {"P": less}, stack=stack, update=True)["StackStatus"] == "UPDATE_COMPLETE"
    (found,) = codebuild.batch_get_projects(names=[name])["projects"]
    assert (found["description"], found["timeoutInMinutes"]) == ("Builds more", 60)
    assert "vpcConfig" not in found, "a property that the template no longer has goes"


WRONG_PROJECTS = [
    pytest.param({"Triggers": {"Webhook": True}}, "does not keep the property /Triggers", id="not kept here"),
    pytest.param({"Source": None}, "required key [Source] not found", id="no source"),
    pytest.param({"Buildspec": "x"}, "extraneous key [Buildspec] is not permitted", id="misspelt"),
    pytest.param({"TimeoutInMinutes": 3000}, "2160", id="too long a build"),
    pytest.param(
        {"ServiceRole": f"arn:aws:iam::{DEV}:role/there-is-none"},
        "not authorized to perform: sts:AssumeRole",
        id="role",
    ),
]


@pytest.mark.parametrize(("more", "words"), WRONG_PROJECTS)
def test_a_project_that_aws_refuses_fails_the_stack(
    cloud: EmbeddedCloud, builder: str, more: dict[str, Any], words: str
) -> None:
    made = make(cloud, {"P": project(builder, **more)})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert words in reasons(cloud, made)


def repository(**more: Any) -> dict[str, Any]:
    return resource("AWS::ECR::Repository", **more)


def test_a_repository_of_a_stack_is_read_back_with_its_policies(cloud: EmbeddedCloud) -> None:
    name = unique("images")
    rules = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged"}, "action": {"type": "expire"}}]}
    made = make(
        cloud,
        {
            "R": repository(
                RepositoryName=name,
                ImageTagMutability="IMMUTABLE_WITH_EXCLUSION",
                ImageTagMutabilityExclusionFilters=[
                    {
                        "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                        "ImageTagMutabilityExclusionFilterValue": "dev*",
                    }
                ],
                ImageScanningConfiguration={"ScanOnPush": "true"},
                EncryptionConfiguration={"EncryptionType": "KMS", "KmsKey": f"arn:aws:kms:{REGION}:{DEV}:key/1"},
                LifecyclePolicy={"LifecyclePolicyText": json.dumps(rules)},
                RepositoryPolicyText=json.loads(policy(statement("ecr:BatchGetImage", "*", Principal={"AWS": HUB}))),
                Tags=[{"Key": "team", "Value": "wine"}],
            )
        },
        {"Uri": {"Fn::GetAtt": ["R", "RepositoryUri"]}, "Name": {"Ref": "R"}},
    )
    assert outputs_of(made) == {"Uri": f"{DEV}.dkr.ecr.{REGION}.amazonaws.com/{name}", "Name": name}
    ecr = cloud.client("ecr", DEV)
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert found["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "dev*"}]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert found["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": f"arn:aws:kms:{REGION}:{DEV}:key/1"}
    assert json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]) == rules
    assert "ecr:BatchGetImage" in ecr.get_repository_policy(repositoryName=name)["policyText"]
    again = make(cloud, {"R": repository(RepositoryName=name)})
    assert "already exists" in reasons(cloud, again)


def test_another_accounts_repository_is_read_where_its_policy_lets_the_caller_in(cloud: EmbeddedCloud) -> None:
    name = unique("shared")
    ecr = cloud.client("ecr", HUB)
    ecr.create_repository(repositoryName=name)
    arn = f"arn:aws:ecr:{REGION}:{HUB}:repository/{name}"
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": DEV}, "Action": "sts:AssumeRole"}]})
    reader = make_role(cloud, DEV, trusted, statement("ecr:DescribeImages", arn), path="/mlops/")
    there = cloud.client_as("ecr", reader, DEV)
    with pytest.raises(ClientError, match="AccessDenied"):
        there.describe_images(registryId=HUB, repositoryName=name)
    allowed = statement("ecr:DescribeImages", "*", Principal={"AWS": f"arn:aws:iam::{DEV}:root"})
    ecr.set_repository_policy(repositoryName=name, policyText=policy(allowed))
    assert there.describe_images(registryId=HUB, repositoryName=name)["imageDetails"] == []


def test_an_alarm_of_a_stack_is_read_back(cloud: EmbeddedCloud) -> None:
    name = unique("errors")
    properties = {
        "AlarmName": name,
        "AlarmDescription": "The endpoint fails",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": "wine"}, {"Name": "VariantName", "Value": "all"}],
        "Statistic": "Sum",
        "Period": "60",
        "EvaluationPeriods": 2,
        "DatapointsToAlarm": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [f"arn:aws:sns:{REGION}:{DEV}:alarms"],
    }
    made = make(cloud, {"A": resource("AWS::CloudWatch::Alarm", **properties)}, {"Name": {"Ref": "A"}})
    assert outputs_of(made)["Name"] == name
    (found,) = cloud.client("cloudwatch", DEV).describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert {key: found[key] for key in properties} == {**properties, "Period": 60}


def metric(name: str, **more: Any) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": "wine"}]
    found = {"Metric": {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}}
    return {"Id": name.lower(), "ReturnData": False, "MetricStat": {**found, "Period": 60, "Stat": "Sum"}, **more}


ERRORS = [
    metric("Errors"),
    metric("Invocations"),
    {"Id": "share", "Expression": "100 * errors / invocations", "Label": "Share", "ReturnData": True},
]
ON_EXPRESSION = {
    "Metrics": ERRORS,
    "EvaluationPeriods": 3,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold",
}


def test_an_alarm_on_an_expression_is_read_back_and_has_the_state_that_it_is_given(cloud: EmbeddedCloud) -> None:
    stack = unique("alarms")
    made = make(cloud, {"A": resource("AWS::CloudWatch::Alarm", **ON_EXPRESSION)}, {"Name": {"Ref": "A"}}, stack=stack)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    name, cloudwatch = outputs_of(made)["Name"], cloud.client("cloudwatch", DEV)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="told")
    changed = resource("AWS::CloudWatch::Alarm", **{**ON_EXPRESSION, "Threshold": "7"})
    assert make(cloud, {"A": changed}, stack=stack, update=True)["StackStatus"] == "UPDATE_COMPLETE"
    (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (found["Metrics"], found["Threshold"], found["StateValue"]) == (ERRORS, 7.0, "ALARM")


WRONG_ALARMS = [
    pytest.param({"Namespace": "AWS/SageMaker"}, "must not be set with Metrics", id="a metric beside an expression"),
    pytest.param({"Metrics": ERRORS[:2]}, "Exactly one element of Metrics must return data", id="nothing returned"),
    pytest.param({"Metrics": None}, "MetricName is required", id="neither metric nor expression"),
    pytest.param({"Threshold": None}, "Threshold or ThresholdMetricId is required", id="no threshold"),
    pytest.param({"ComparisonOperator": "MoreThan"}, "MoreThan is not a valid enum value", id="a comparison"),
]


@pytest.mark.parametrize(("more", "words"), WRONG_ALARMS)
def test_an_alarm_that_cloudwatch_refuses_fails_the_stack(
    cloud: EmbeddedCloud, more: dict[str, Any], words: str
) -> None:
    properties = {name: value for name, value in {**ON_EXPRESSION, **more}.items() if value is not None}
    assert words in reasons(cloud, make(cloud, {"A": resource("AWS::CloudWatch::Alarm", **properties)}))


def test_a_schedule_of_a_stack_is_read_back_and_needs_a_role_that_scheduler_may_assume(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, DEV, service_trust("scheduler"), path="/mlops/workload/")
    other = make_role(cloud, DEV, service_trust("lambda"), path="/mlops/workload/")

    def schedule(role_arn: str) -> dict[str, Any]:
        return resource(
            "AWS::Scheduler::Schedule",
            Name=unique("nightly"),
            ScheduleExpression="cron(0 3 * * ? *)",
            ScheduleExpressionTimezone="Europe/Berlin",
            State="DISABLED",
            FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": "15"},
            Target={"Arn": f"arn:aws:sqs:{REGION}:{DEV}:queue", "RoleArn": role_arn, "Input": "{}"},
        )

    good = schedule(role)
    made = make(cloud, {"S": good}, {"Name": {"Ref": "S"}})
    found = cloud.client("scheduler", DEV).get_schedule(Name=outputs_of(made)["Name"])
    wanted = {**good["Properties"], "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}}
    assert {key: found[key] for key in wanted} == wanted
    assert "must allow AWS EventBridge Scheduler to assume" in reasons(cloud, make(cloud, {"S": schedule(other)}))
