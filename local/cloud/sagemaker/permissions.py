"""What CloudFormation's handlers of SageMaker's types call: the permissions that the types' own schemas list.

Beside them what SageMaker itself asks of whoever creates an endpoint: the use of its configuration, and a grant on the
key of its storage (SageMaker Developer Guide, "SageMaker API permissions").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.cloud import resource_schemas
from local.cloud.needs import Need, Needs, Resource, Step, passing
from local.cloud.sagemaker import arns, models, records

SERVICE = "sagemaker.amazonaws.com"

NAMES = {
    "Model": "ModelName",
    "EndpointConfig": "EndpointConfigName",
    "Endpoint": "EndpointName",
    "Pipeline": "PipelineName",
    "DataQualityJobDefinition": "JobDefinitionName",
    "ModelQualityJobDefinition": "JobDefinitionName",
    "ModelBiasJobDefinition": "JobDefinitionName",
    "ModelExplainabilityJobDefinition": "JobDefinitionName",
    "MonitoringSchedule": "MonitoringScheduleName",
    "ModelPackageGroup": "ModelPackageGroupName",
}
"""Noun of the type → the property that holds its name."""


def _needs(noun: str) -> Needs:
    def found(resource: Resource, step: Step) -> Iterator[Need]:
        name = resource.name(NAMES[noun]).rpartition("/")[2].lower()
        base = f"arn:aws:sagemaker:{resource.region}:{resource.account}"
        arn = f"{base}:{arns.kind_of(noun)}/{name}"
        for action in resource_schemas.permissions(resource.type, step):
            yield from _of_action(action, resource, step, arn)
        if noun == "Endpoint" and step != "delete":
            config = str(resource.properties.get("EndpointConfigName", ""))
            yield Need(f"sagemaker:{step.capitalize()}Endpoint", f"{base}:endpoint-config/{config.lower()}")
            record = records.find(resource.account, resource.region, models.CONFIG, config)
            key = record.fields.get("KmsKeyId") if record is not None else None
            yield from _of_key("kms:CreateGrant", key, resource.region)

    return found


def _of_action(action: str, resource: Resource, step: Step, arn: str) -> Iterator[Need]:
    if action == "sagemaker:AddTags":
        if resource.tagged:
            yield Need(action, arn)
    elif action == "sagemaker:DeleteTags":
        return  # only where a tag goes, which the properties alone do not tell
    elif action.endswith("ModelPackageGroupPolicy") and "ModelPackageGroupPolicy" not in resource.properties:
        if action.startswith("sagemaker:Get"):
            yield Need(action, arn)
    elif action.startswith("sagemaker:"):
        yield Need(action, arn)
    elif action == "iam:PassRole":
        for role in _roles(resource.properties):
            yield from passing(role, SERVICE)
    elif action == "s3:GetObject":
        location = (resource.properties.get("PipelineDefinition") or {}).get("PipelineDefinitionS3Location")
        if location:
            version = "Version" if location.get("Version") else ""
            yield Need(f"{action}{version}", f"arn:aws:s3:::{location['Bucket']}/{location['Key']}")
    elif action == "kms:DescribeKey":
        yield from _of_key(action, resource.properties.get("KmsKeyId"), resource.region)


def _of_key(action: str, key: Any, region: str) -> Iterator[Need]:
    if isinstance(key, str) and key.startswith("arn:"):
        yield Need(action, key, (("kms:viaservice", f"sagemaker.{region}.amazonaws.com"),))


def _roles(properties: dict[str, Any]) -> set[str]:
    inline = (properties.get("MonitoringScheduleConfig") or {}).get("MonitoringJobDefinition") or {}
    found = (properties.get("ExecutionRoleArn"), properties.get("RoleArn"), inline.get("RoleArn"))
    return {role for role in found if isinstance(role, str) and role}


TABLE: dict[str, Needs] = {f"AWS::SageMaker::{noun}": _needs(noun) for noun in NAMES}
