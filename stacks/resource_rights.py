"""What CloudFormation calls for each resource type that the templates in ``templates/`` use; a test compares.

Actions are those of the types' own schemas ("handlers" in the CloudFormation registry), for CodeBuild, whose type has
none, those of the "AWS CodeBuild permissions reference". Resources are as narrow as their names are known: a type that
takes its name from the template gets the workload's stack name and so begins with ``mlops-pipeline-``; a model, an
endpoint configuration or a job definition is named by its type's handler, after nothing but its logical id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.core.events import MANAGED_STACK_PREFIX

Conditions = tuple[tuple[str, str, str], ...]
"""Operator, key and value of each."""


@dataclass(frozen=True)
class Rights:
    """Actions of one service on some resources."""

    service: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    """ARNs with ``{partition}``, ``{region}``, ``{account}``."""
    conditions: Conditions = ()


_HERE = "{region}:{account}"
_WORKLOADS = f"{MANAGED_STACK_PREFIX}*"


def _sagemaker(kind: str, verbs: str, resource: str, *, tags: str = "AddTags DeleteTags ListTags") -> tuple[Rights]:
    actions = (*(f"{verb}{kind}" for verb in verbs.split()), *tags.split())
    return (Rights("sagemaker", actions, (f"arn:{{partition}}:sagemaker:{_HERE}:{resource}",)),)


def _job_definition(kind: str, resource: str) -> tuple[Rights]:
    return _sagemaker(f"{kind}JobDefinition", "Create Delete Describe", f"{resource}-job-definition/*")


_REST_API = (
    Rights(
        "apigateway",
        ("GET", "POST", "PUT", "PATCH", "DELETE"),
        (
            "arn:{partition}:apigateway:{region}::/restapis",
            "arn:{partition}:apigateway:{region}::/restapis/*",
            "arn:{partition}:apigateway:{region}::/tags/*",
        ),
    ),
)
_FUNCTION_ARN = f"arn:{{partition}}:lambda:{_HERE}:function:{_WORKLOADS}"

_SCALED = (f"arn:{{partition}}:application-autoscaling:{_HERE}:scalable-target/*",)
_SCALES_ENDPOINTS: Conditions = (("StringEquals", "application-autoscaling:service-namespace", "sagemaker"),)
_EVERY_ALARM = f"arn:{{partition}}:cloudwatch:{_HERE}:alarm:*"
"""A list of alarms is decided on all of them."""

RIGHTS: Mapping[str, tuple[Rights, ...]] = {
    "AWS::ApiGateway::Deployment": _REST_API,
    "AWS::ApiGateway::Method": _REST_API,
    "AWS::ApiGateway::RequestValidator": _REST_API,
    "AWS::ApiGateway::Resource": _REST_API,
    "AWS::ApiGateway::RestApi": _REST_API,
    "AWS::ApiGateway::Stage": _REST_API,
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        Rights(
            "application-autoscaling",
            ("RegisterScalableTarget", "DeregisterScalableTarget"),
            _SCALED,
            _SCALES_ENDPOINTS,
        ),
        Rights("application-autoscaling", ("ListTagsForResource", "TagResource", "UntagResource"), _SCALED),
        # Application Auto Scaling knows no resource for a list.
        Rights("application-autoscaling", ("DescribeScalableTargets", "DescribeScheduledActions"), ("*",)),
        # What a target registers with is asked and set with the rights of whoever registers it (SageMaker Developer
        # Guide, "Auto scaling prerequisites").
        Rights(
            "sagemaker",
            ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities"),
            (f"arn:{{partition}}:sagemaker:{_HERE}:endpoint/*",),
        ),
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        Rights("application-autoscaling", ("DeleteScalingPolicy", "PutScalingPolicy"), _SCALED, _SCALES_ENDPOINTS),
        Rights("application-autoscaling", ("DescribeScalingPolicies",), ("*",)),
        # A policy that tracks a target has alarms of its own, made with the same rights.
        Rights(
            "cloudwatch",
            ("DeleteAlarms", "PutMetricAlarm"),
            (f"arn:{{partition}}:cloudwatch:{_HERE}:alarm:TargetTracking-endpoint/*",),
        ),
        Rights("cloudwatch", ("DescribeAlarms",), (_EVERY_ALARM,)),
    ),
    "AWS::CloudWatch::Alarm": (
        Rights(
            "cloudwatch",
            ("DeleteAlarms", "ListTagsForResource", "PutMetricAlarm", "TagResource", "UntagResource"),
            (f"arn:{{partition}}:cloudwatch:{_HERE}:alarm:{_WORKLOADS}",),
        ),
        Rights("cloudwatch", ("DescribeAlarms",), (_EVERY_ALARM,)),
    ),
    "AWS::CodeBuild::Project": (
        Rights(
            "codebuild",
            ("BatchGetProjects", "CreateProject", "DeleteProject", "UpdateProject"),
            (f"arn:{{partition}}:codebuild:{_HERE}:project/{_WORKLOADS}",),
        ),
    ),
    "AWS::Lambda::Function": (
        Rights(
            "lambda",
            (
                *("CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionCodeSigningConfig"),
                *("GetFunctionConfiguration", "GetFunctionRecursionConfig", "GetFunctionScalingConfig"),
                *("GetRuntimeManagementConfig", "ListTags", "TagResource", "UntagResource"),
                *("UpdateFunctionCode", "UpdateFunctionConfiguration"),
            ),
            (_FUNCTION_ARN,),
        ),
    ),
    "AWS::Lambda::Permission": (
        Rights("lambda", ("AddPermission", "GetPolicy", "RemovePermission"), (_FUNCTION_ARN,)),
    ),
    "AWS::Logs::LogGroup": (
        Rights(
            "logs",
            (
                *("CreateLogGroup", "DeleteLogGroup", "DeleteRetentionPolicy", "DescribeIndexPolicies"),
                *("GetDataProtectionPolicy", "ListTagsForResource", "PutRetentionPolicy", "TagResource"),
                "UntagResource",
            ),
            (f"arn:{{partition}}:logs:{_HERE}:log-group:{_WORKLOADS}",),
        ),
        # CloudFormation looks for a log group by listing, which IAM decides on all of them.
        Rights("logs", ("DescribeLogGroups",), (f"arn:{{partition}}:logs:{_HERE}:log-group:*",)),
    ),
    "AWS::SageMaker::DataQualityJobDefinition": _job_definition("DataQuality", "data-quality"),
    "AWS::SageMaker::Endpoint": (
        *_sagemaker("Endpoint", "Create Delete Describe Update", "endpoint/*"),
        # IAM checks these on the configuration too that is made use of (Service Authorization Reference, SageMaker).
        *_sagemaker("Endpoint", "Create Update", "endpoint-config/*", tags=""),
        # The alarms that a deployment is rolled back by (SageMaker Developer Guide, "Auto-Rollback Configuration").
        Rights("cloudwatch", ("DescribeAlarms",), (_EVERY_ALARM,)),
    ),
    "AWS::SageMaker::EndpointConfig": _sagemaker("EndpointConfig", "Create Delete Describe", "endpoint-config/*"),
    "AWS::SageMaker::Model": _sagemaker("Model", "Create Delete Describe", "model/*"),
    "AWS::SageMaker::ModelBiasJobDefinition": _job_definition("ModelBias", "model-bias"),
    "AWS::SageMaker::ModelExplainabilityJobDefinition": _job_definition("ModelExplainability", "model-explainability"),
    "AWS::SageMaker::ModelQualityJobDefinition": _job_definition("ModelQuality", "model-quality"),
    "AWS::SageMaker::MonitoringSchedule": _sagemaker(
        "MonitoringSchedule", "Create Delete Describe Update", "monitoring-schedule/*"
    ),
    "AWS::SageMaker::Pipeline": _sagemaker("Pipeline", "Create Delete Describe Update", f"pipeline/{_WORKLOADS}"),
}
"""Resource type → rights. ``AWS::IAM::Role`` stands apart: see ``service_role``."""

PASSED_TO = ("codebuild.amazonaws.com", "lambda.amazonaws.com", "sagemaker.amazonaws.com")
"""Services that a workload's roles are handed to."""

SERVICE_LINKED = {
    "ops.apigateway.amazonaws.com": "API Gateway makes it on the first API of an account",
    "sagemaker.application-autoscaling.amazonaws.com": "made on the first endpoint of an account that scales",
}
"""Services whose own role may have to be made: principal → when."""


def merged(rights: Iterable[Rights]) -> list[Rights]:
    """One statement for the rights on the same resources: policies are short of characters."""
    actions: dict[tuple[str, tuple[str, ...], Conditions], set[str]] = {}
    for one in rights:
        actions.setdefault((one.service, one.resources, one.conditions), set()).update(one.actions)
    return [
        Rights(service, tuple(sorted(found)), resources, conditions)
        for (service, resources, conditions), found in sorted(actions.items())
    ]
