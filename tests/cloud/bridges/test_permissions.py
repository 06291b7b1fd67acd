"""What the tables of permissions ask for is what CloudFormation's handlers call, and what a stage's role is given."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud import resource_schemas, service_permissions
from local.cloud.needs import Resource, Step
from local.cloud.sagemaker import permissions
from stacks.resource_rights import RIGHTS

TABLES = {**permissions.TABLE, **service_permissions.TABLE}

BESIDE_THE_SCHEMA = {
    "sagemaker:DescribeEndpoint",
    "sagemaker:UpdateEndpointWeightsAndCapacities",  # asked by Application Auto Scaling of who registers a variant
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DeleteAlarms",  # the alarms of a policy that tracks a target
    "scheduler:GetSchedule",
}
NO_HANDLERS = {"AWS::CodeBuild::Project"}
GIVEN_APART = {"iam:PassRole", "s3:GetObject", "kms:DescribeKey", "kms:CreateGrant"}
"""Rights of a stage's role that are no resource type's: see ``stacks.service_role``."""

ROLE = "arn:aws:iam::222222222222:role/mlops/workload/any"
PROPERTIES: dict[str, Any] = {
    "RoleArn": ROLE,
    "ExecutionRoleArn": ROLE,
    "ServiceRole": ROLE,
    "KmsKeyId": "arn:aws:kms:us-east-1:222222222222:key/1",
    "PipelineDefinition": {"PipelineDefinitionS3Location": {"Bucket": "bucket", "Key": "key"}},
    "LifecyclePolicy": {"LifecyclePolicyText": "{}"},
    "RepositoryPolicyText": {},
    "EncryptionConfiguration": {"KmsKey": "arn:aws:kms:us-east-1:222222222222:key/1"},
    "ResourceId": "endpoint/wine/variant/all",
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "PolicyType": "TargetTrackingScaling",
    "Target": {"RoleArn": ROLE},
    "Tags": [{"Key": "team", "Value": "wine"}],
}


def asked(kind: str, step: Step) -> set[str]:
    found = Resource(
        kind, "Logical", "" if step == "create" else "physical", PROPERTIES, "222222222222", "us-east-1", "s"
    )
    return {need.action for need in TABLES[kind](found, step)}


STEPS: tuple[Step, ...] = ("create", "update", "delete")
CASES = [pytest.param(kind, step, id=f"{kind} {step}") for kind in TABLES for step in STEPS]


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_only_what_the_types_handlers_call_is_asked_for(kind: str, step: Step) -> None:
    if kind in NO_HANDLERS:
        return
    assert asked(kind, step) <= set(resource_schemas.permissions(kind, step)) | BESIDE_THE_SCHEMA


@pytest.mark.parametrize(("kind", "step"), [case for case in CASES if case.values[0] in RIGHTS])
def test_a_stages_role_has_it(kind: str, step: Step) -> None:
    given = {f"{right.service}:{action}" for right in RIGHTS[kind] for action in right.actions}
    assert asked(kind, step) <= given | GIVEN_APART
