"""What workloads may do: the rights of CloudFormation's role, the boundary of their own roles, and IAM's limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from stacks.resource_rights import PASSED_TO, RIGHTS
from stacks.type_permissions import read_permissions
from tests.stacks.templates import ROOT, Synthesised, Template, of_type, statements, text

TEMPLATES = sorted((ROOT / "templates").glob("*/template.yaml"))

OWN = sorted((ROOT / "examples" / "own-types").glob("*/template.yaml"))
"""Templates of an organisation's own types, which bring rights along."""


def resources(path: Path) -> dict[str, dict[str, Any]]:
    """Logical id → resource of a workload's template."""
    found: dict[str, dict[str, Any]] = cfn_yaml.load(str(path))["Resources"]  # type: ignore[no-untyped-call]
    return found


def used() -> set[str]:
    return {resource["Type"] for path in TEMPLATES for resource in resources(path).values()}


BESIDE_THE_TABLE = {"AWS::IAM::Role", "AWS::IAM::Policy"}
"""Roles and what is allowed them beside their own document: both end in PutRolePolicy on a role with the boundary."""


def test_every_resource_type_of_a_workload_can_be_made_in_a_stage() -> None:
    assert used() - BESIDE_THE_TABLE == set(RIGHTS)


NOT_NEEDED_TO_READ = {
    "kms:Decrypt": "the environment of a workload's function is encrypted with AWS's own key",
    "logs:DescribeResourcePolicies": "the log groups of the templates have no policy of their own",
    "iam:PassRole": "granted on the roles of workloads, beside the table",
}


@pytest.mark.parametrize("kind", sorted(RIGHTS))
def test_cloudformation_may_read_what_it_makes(kind: str) -> None:
    """Its own schemas say what the handler of a type calls; cfn-lint brings them along."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    reading = schema.get("handlers", {}).get("read", {}).get("permissions", ())

    assert set(reading) - may(kind) - set(NOT_NEEDED_TO_READ) == set()


NOT_NEEDED_TO_MAKE = {
    "lambda:GetProvisionedConcurrencyConfig": "only endpoints are scaled",
    "lambda:PutProvisionedConcurrencyConfig": "only endpoints are scaled",
    "lambda:DeleteProvisionedConcurrencyConfig": "only endpoints are scaled",
    "application-autoscaling:PutScheduledAction": "no template scales by the clock",
    "application-autoscaling:DeleteScheduledAction": "no template scales by the clock",
    "cloudwatch:GetMetricData": "no template scales by a forecast",
    "iam:CreateServiceLinkedRole": "granted beside the table",
    "iam:PassRole": "granted beside the table",
    "s3:GetObject": "granted on packages and documents, beside the table",
    "kms:DescribeKey": "granted beside the table, by way of SageMaker",
}
CHECKED = sorted(
    kind for kind in RIGHTS if kind.split("::")[1] in {"SageMaker", "ApplicationAutoScaling", "CloudWatch"}
)


@pytest.mark.parametrize("kind", CHECKED)
def test_cloudformation_may_make_change_and_delete_it(kind: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    called = {
        action
        for step in ("create", "update", "delete")
        for action in schema["handlers"].get(step, {}).get("permissions", ())
    }
    # A target has its alarms from the policy that is put on it.
    alarms = {"cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"}
    elsewhere = alarms if kind == "AWS::ApplicationAutoScaling::ScalableTarget" else set()

    assert called - may(kind) - elsewhere - set(NOT_NEEDED_TO_MAKE) == set()


def may(kind: str) -> set[str]:
    return {f"{rights.service}:{action}" for rights in RIGHTS[kind] for action in rights.actions}


def test_an_endpoint_may_have_a_key_of_its_own_for_its_storage(multi: Synthesised) -> None:
    granting = [
        statement
        for statement in statements("MlopsStage-prod", multi.stage("prod"))
        if "kms:CreateGrant" in statement.actions and not statement.resource.startswith("BoundaryPolicy")
    ]

    (statement,) = granting
    assert statement.raw["Condition"] == {"StringLike": {"kms:ViaService": "sagemaker.us-east-1.*"}}
    assert {"kms:CreateGrant", "kms:DescribeKey"} == set(statement.actions)


def test_roles_are_handed_to_the_services_that_templates_trust_and_no_others() -> None:
    trusted = {
        principal
        for path in TEMPLATES
        for role in roles(resources(path))
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for principal in as_list(statement["Principal"].get("Service", ()))
    }

    assert trusted == set(PASSED_TO)


def as_list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def roles(found: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (resource for resource in found.values() if resource["Type"] == "AWS::IAM::Role")


def granted(found: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Actions of every policy that a template puts into its roles, their trust left out."""
    policies = [
        value
        for resource in found.values()
        if resource["Type"].startswith("AWS::IAM::")
        for key, value in resource["Properties"].items()
        if key != "AssumeRolePolicyDocument"
    ]
    return set(actions_in(policies))


def bounded(stage: Template) -> set[str]:
    """Every action that the boundary allows."""
    return {
        action
        for statement in statements("MlopsStage-prod", stage)
        if statement.resource.startswith("BoundaryPolicy") and statement.allows
        for action in statement.actions
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_the_boundary_holds_everything_that_a_workloads_role_may_do(multi: Synthesised, path: Path) -> None:
    found = granted(resources(path))

    assert found
    assert found - bounded(multi.stage("prod")) == set()


def test_the_boundary_holds_nothing_that_no_role_has(multi: Synthesised) -> None:
    had = {action for path in TEMPLATES for action in granted(resources(path))}

    assert bounded(multi.stage("prod")) - had == set()


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.parent.name)
def test_the_rights_that_an_own_type_brings_along_are_enough(multi: Synthesised, path: Path) -> None:
    brought = read_permissions([path.parent.parent])
    named = {action.partition(":")[0] for action in actions_in(list(brought.service_role))}
    kinds = {resource["Type"] for resource in resources(path).values()} - BESIDE_THE_TABLE - set(RIGHTS)

    assert (
        granted(resources(path)) - bounded(multi.stage("prod")) - set(actions_in(list(brought.workload_roles))) == set()
    )
    assert {kind.split("::")[1].lower() for kind in kinds} <= named


def test_a_right_outside_the_boundary_is_found(multi: Synthesised) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "dynamodb:GetItem"], "Resource": "*"}]}
    conditional = {"Fn::If": ["Has", {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}, None]}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:TagSession"}]},
            "Policies": [{"PolicyDocument": document}, {"PolicyDocument": {"Statement": [conditional]}}],
        },
    }

    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}},
    }

    found = granted({"Role": role, "Policy": policy})

    assert found - bounded(multi.stage("prod")) == {"dynamodb:GetItem", "iam:CreateUser", "sts:AssumeRole"}


def actions_in(value: Any) -> Iterator[str]:
    """Every action below a value, inside CloudFormation's functions too."""
    if isinstance(value, dict):
        actions = value.get("Action", [])
        yield from [actions] if isinstance(actions, str) else actions
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from actions_in(one)


MOST_INLINE, MOST_MANAGED = 10_240, 6_144
"""Characters without white space of a role's own policies together, and of one managed policy ("IAM and AWS STS
quotas")."""


def test_policies_fit_into_what_iam_takes(synthesised: Synthesised) -> None:
    for name, template in synthesised.templates.items():
        inline: dict[str, int] = {}
        for policy in of_type(template, "AWS::IAM::Policy").values():
            for role in policy["Roles"]:
                inline[text(role)] = inline.get(text(role), 0) + size(policy["PolicyDocument"])
        managed = {
            logical_id: size(policy["PolicyDocument"])
            for logical_id, policy in of_type(template, "AWS::IAM::ManagedPolicy").items()
        }

        assert {role: found for role, found in inline.items() if found > MOST_INLINE} == {}, name
        assert {one: found for one, found in managed.items() if found > MOST_MANAGED} == {}, name


def test_the_boundary_leaves_room_for_an_organisations_own_types(multi: Synthesised) -> None:
    (boundary,) = (
        policy
        for logical_id, policy in of_type(multi.stage("prod"), "AWS::IAM::ManagedPolicy").items()
        if logical_id.startswith("BoundaryPolicy")
    )

    assert MOST_MANAGED - size(boundary["PolicyDocument"]) >= 1_500


def size(document: Mapping[str, Any]) -> int:
    """Characters as IAM counts them; a reference is taken as long as what it will be."""
    return len(re.sub(r"\s", "", json.dumps(document)))
