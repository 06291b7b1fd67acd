"""What CloudFormation's handlers of ECR, CodeBuild, Application Auto Scaling, CloudWatch and Scheduler call.

For each type the actions of its own schema ("handlers"); CodeBuild's type has none, its actions are those of the
"AWS CodeBuild permissions reference".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.cloud.needs import Need, Needs, Resource, Step, passing


def _repository(resource: Resource, step: Step) -> Iterator[Need]:
    properties = resource.properties
    name = resource.name("RepositoryName").lower()
    arn = f"arn:aws:ecr:{resource.region}:{resource.account}:repository/{name}"
    actions = {
        "create": ["CreateRepository"],
        "update": ["DescribeRepositories", "PutImageScanningConfiguration", "PutImageTagMutability"],
        "delete": ["DeleteRepository"],
    }[step]
    if step != "delete":
        actions += ["PutLifecyclePolicy"] if properties.get("LifecyclePolicy") else []
        actions += ["SetRepositoryPolicy"] if properties.get("RepositoryPolicyText") else []
        actions += ["TagResource"] if resource.tagged else []
    for action in actions:
        yield Need(f"ecr:{action}", arn)
    key = (properties.get("EncryptionConfiguration") or {}).get("KmsKey")
    if step == "create" and isinstance(key, str) and key.startswith("arn:"):
        context = (("kms:viaservice", f"ecr.{resource.region}.amazonaws.com"),)
        yield Need("kms:DescribeKey", key, context)
        yield Need("kms:CreateGrant", key, context)


def _project(resource: Resource, step: Step) -> Iterator[Need]:
    arn = f"arn:aws:codebuild:{resource.region}:{resource.account}:project/{resource.name('Name')}"
    yield Need(f"codebuild:{step.capitalize()}Project", arn)
    if step != "delete":
        yield Need("codebuild:BatchGetProjects", arn)
        yield from passing(resource.properties.get("ServiceRole"), "codebuild.amazonaws.com")


def _pipeline(resource: Resource, step: Step) -> Iterator[Need]:
    arn = f"arn:aws:codepipeline:{resource.region}:{resource.account}:{resource.name('Name')}"
    yield Need(f"codepipeline:{step.capitalize()}Pipeline", arn)
    yield Need("codepipeline:GetPipeline", arn)
    if step == "delete":
        return
    yield Need("codepipeline:GetPipelineState", arn)
    yield from passing(resource.properties.get("RoleArn"), "codepipeline.amazonaws.com")
    if resource.tagged:
        yield Need("codepipeline:TagResource", arn)
    if step == "update" and resource.properties.get("RestartExecutionOnUpdate"):
        yield Need("codepipeline:StartPipelineExecution", arn)


def _scalable_target(resource: Resource, step: Step) -> Iterator[Need]:
    base = f"arn:aws:application-autoscaling:{resource.region}:{resource.account}:scalable-target/*"
    action = "DeregisterScalableTarget" if step == "delete" else "RegisterScalableTarget"
    yield Need(f"application-autoscaling:{action}", base, _scaled(resource.properties))
    if step != "delete":
        yield Need("application-autoscaling:DescribeScalableTargets", "*")
        yield Need("application-autoscaling:ListTagsForResource", base)
        if resource.tagged:
            yield Need("application-autoscaling:TagResource", base)
        yield from _of_endpoint(resource)


def _of_endpoint(resource: Resource) -> Iterator[Need]:
    """What registering a variant asks of whoever does it (SageMaker Developer Guide, "Auto scaling prerequisites")."""
    parts = str(resource.properties.get("ResourceId", "")).split("/")
    if resource.properties.get("ServiceNamespace") == "sagemaker" and len(parts) == 4:
        endpoint = f"arn:aws:sagemaker:{resource.region}:{resource.account}:endpoint/{parts[1].lower()}"
        yield Need("sagemaker:DescribeEndpoint", endpoint)
        yield Need("sagemaker:UpdateEndpointWeightsAndCapacities", endpoint)


def _scaling_policy(resource: Resource, step: Step) -> Iterator[Need]:
    base = f"arn:aws:application-autoscaling:{resource.region}:{resource.account}:scalable-target/*"
    yield Need("application-autoscaling:DescribeScalingPolicies", "*")
    action = "DeleteScalingPolicy" if step == "delete" else "PutScalingPolicy"
    yield Need(f"application-autoscaling:{action}", base, _scaled(resource.properties))
    if resource.properties.get("PolicyType") == "TargetTrackingScaling":
        target = str(resource.properties.get("ResourceId") or resource.properties.get("ScalingTargetId") or "")
        alarm = f"TargetTracking-{target.partition('|')[0]}-AlarmHigh"
        arn = f"arn:aws:cloudwatch:{resource.region}:{resource.account}:alarm:{alarm}"
        yield Need("cloudwatch:DeleteAlarms" if step == "delete" else "cloudwatch:PutMetricAlarm", arn)


def _scaled(properties: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    target = str(properties.get("ScalingTargetId") or "").split("|")
    namespace = properties.get("ServiceNamespace") or (target[2] if len(target) == 3 else "")
    return (("application-autoscaling:service-namespace", str(namespace)),)


def _alarm(resource: Resource, step: Step) -> Iterator[Need]:
    base = f"arn:aws:cloudwatch:{resource.region}:{resource.account}:alarm"
    arn = f"{base}:{resource.name('AlarmName')}"
    yield Need("cloudwatch:DescribeAlarms", f"{base}:*")
    yield Need("cloudwatch:DeleteAlarms" if step == "delete" else "cloudwatch:PutMetricAlarm", arn)
    if step != "delete":
        yield Need("cloudwatch:ListTagsForResource", arn)
        if resource.tagged:
            yield Need("cloudwatch:TagResource", arn)


def _schedule(resource: Resource, step: Step) -> Iterator[Need]:
    group = resource.properties.get("GroupName") or "default"
    base = f"arn:aws:scheduler:{resource.region}:{resource.account}:schedule/{group}"
    arn = f"{base}/{resource.name('Name').rpartition('/')[2]}"
    yield Need(f"scheduler:{step.capitalize()}Schedule", arn)
    yield Need("scheduler:GetSchedule", arn)
    if step != "delete":
        yield from passing((resource.properties.get("Target") or {}).get("RoleArn"), "scheduler.amazonaws.com")


TABLE: dict[str, Needs] = {
    "AWS::ECR::Repository": _repository,
    "AWS::CodeBuild::Project": _project,
    "AWS::CodePipeline::Pipeline": _pipeline,
    "AWS::ApplicationAutoScaling::ScalableTarget": _scalable_target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Scheduler::Schedule": _schedule,
}
