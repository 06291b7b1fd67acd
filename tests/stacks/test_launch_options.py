"""The launch options as they are synthesised: what is brought along is used and not touched, what is made is narrow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from orchestrator.core.installation import Installation
from stacks import grants
from stacks.assembly import ORCHESTRATOR, STACK_SETS
from stacks.names import construct_id
from stacks.settings import load
from tests.stacks.launched import BUCKET, CHOSEN, KEY, bodies, given_out
from tests.stacks.templates import (
    ROOT,
    Synthesised,
    app_of,
    of_type,
    settings_of,
    short,
    statements,
    synthesise,
)
from tests.stacks.test_lint import findings
from tests.stacks.test_nag import WILDCARD
from tests.stacks.test_policies import account_of, every_statement, faults, on_the_list, wild
from tests.stacks.test_settings import EXAMPLES

MODEL_DATA = ["WorkloadsReadModelData", "WorkloadsListModelData"]

REVIEWED = {
    f"arn:aws:sagemaker:{region}:{account}:{kind}/*": "a configuration names any of the account's"
    for region, account in (("us-east-1", "111111111111"), ("eu-central-1", "111122223333"))
    for kind in ("model-package", "model-card", "model", "training-job")
} | {
    "arn:aws:s3:::example-corp-ml-assets/*": "a configuration names any asset of the bucket",
    "arn:aws:s3:::ml-evaluations/*": "a model package names its evaluation anywhere in the buckets of the settings",
    "arn:aws:s3:::example-corp-ml-assets/model_card_exports/*": "SageMaker names the files of an export",
}
"""Resources with a wildcard that only these options bring, beside ``wildcards.py``."""

LISTED = ("*", "sagemaker:ListModelPackages")
"""SageMaker's lists are about no single resource."""


@pytest.fixture(params=list(CHOSEN))
def every(request: pytest.FixtureRequest) -> Synthesised:
    """Each of the three, one after the other."""
    found: Synthesised = request.getfixturevalue(request.param)
    return found


def sids(found: list[dict[str, Any]]) -> list[str]:
    return [statement["Sid"] for statement in found]


# An existing bucket


def test_an_existing_bucket_is_used_by_name_and_left_as_it_is(every: Synthesised) -> None:
    template = every.orchestrator
    functions = of_type(template, "AWS::Lambda::Function").values()
    environments = [function.get("Environment", {}).get("Variables", {}) for function in functions]
    rules = json.dumps(of_type(template, "AWS::Events::Rule"))

    assert {variables["ASSETS_BUCKET"] for variables in environments if "ASSETS_BUCKET" in variables} == {BUCKET}
    assert f'"bucket": {{"name": ["{BUCKET}"]}}' in rules
    assert not [name for name in of_type(template, "AWS::S3::Bucket") if name.startswith("BucketsAssets")]
    assert BUCKET not in json.dumps(of_type(template, "AWS::S3::BucketPolicy"))
    assert template["Outputs"]["AssetsBucketName"]["Value"] == BUCKET


def test_the_statements_of_its_policy_are_given_out(
    organization: Synthesised, alone: Synthesised, made: Synthesised
) -> None:
    refusals = ["EncryptedConnections", "CurrentTls"]

    assert sids(given_out(organization)["AssetsBucketPolicyStatements"]) == [*refusals, *MODEL_DATA]
    assert sids(given_out(made)["AssetsBucketPolicyStatements"]) == [*refusals, *MODEL_DATA]
    assert sids(given_out(alone)["AssetsBucketPolicyStatements"]) == refusals


def test_its_own_key_is_for_those_who_read_uploads(made: Synthesised) -> None:
    users = {
        statement.resource.split("Role")[0].removeprefix("Functions")
        for statement in statements("MlopsOrchestrator", made.orchestrator)
        if KEY in statement.resources
    }

    assert users == {construct_id(name) for name in grants.ASSET_READERS}
    (statement,) = given_out(made)["AssetsBucketKeyPolicyStatements"]
    assert statement["Action"] == ["kms:Decrypt"]
    assert "ArnLike" in statement["Condition"]
    assert statement["Condition"]["StringLike"] == {
        "kms:EncryptionContext:aws:s3:arn": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    }


def test_nothing_is_made_before_the_bucket_has_been_checked(every: Synthesised) -> None:
    resources = every.orchestrator["Resources"]
    (check,) = (name for name, one in resources.items() if one["Type"] == "Custom::AssetsBucketCheck")
    waiting = {name for name, one in resources.items() if check in one.get("DependsOn", [])}
    first = {resource["Type"] for name, resource in resources.items() if name not in waiting}

    assert first == {
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "Custom::AssetsBucketCheck",
    }
    assert {resources[name].get("DeletionPolicy", "Delete") for name in set(resources) - waiting} == {"Delete"}
    assert len(waiting) == len(resources) - 5


def test_the_check_may_look_at_the_bucket_and_do_nothing_else(made: Synthesised) -> None:
    rights = {
        (action, short(resource))
        for statement in statements("MlopsOrchestrator", made.orchestrator)
        if statement.resource.startswith("AssetsBucketCheck") and statement.kind == "identity"
        for action in statement.actions
        for resource in statement.raw.get("Resource", []) and statement.resources
    }

    assert {action for action, resource in rights if BUCKET in resource} == {
        "s3:GetBucketLocation",
        "s3:GetBucketNotification",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
    }
    assert {action.split(":")[0] for action, _ in rights} == {"logs", "s3", "xray"}


def test_the_check_is_asked_again_when_the_bucket_or_its_key_changes(made: Synthesised) -> None:
    (properties,) = of_type(made.orchestrator, "Custom::AssetsBucketCheck").values()

    assert {name: properties[name] for name in ("Bucket", "Account", "Region", "KeyArn")} == {
        "Bucket": BUCKET,
        "Account": "111111111111",
        "Region": "us-east-1",
        "KeyArn": KEY,
    }
    assert int(properties["ServiceTimeout"]) <= 300


def test_without_one_there_is_no_check_and_nothing_to_add(multi: Synthesised) -> None:
    assert of_type(multi.orchestrator, "Custom::AssetsBucketCheck") == {}
    assert given_out(multi) == {}


# Images


def test_a_new_repository(made: Synthesised) -> None:
    (resource,) = (one for one in made.orchestrator["Resources"].values() if one["Type"] == "AWS::ECR::Repository")
    properties = resource["Properties"]
    (rule,) = json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    (policy,) = properties["RepositoryPolicyText"]["Statement"]

    assert resource["DeletionPolicy"] == "Retain"
    assert properties["RepositoryName"] == "team/ml-images"
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert properties["ImageTagMutability"] == "IMMUTABLE"
    assert properties["EncryptionConfiguration"]["EncryptionType"] == "KMS"
    assert rule["selection"]["tagStatus"] == "untagged"
    assert rule["action"] == {"type": "expire"}
    assert all(action.startswith(("ecr:Batch", "ecr:GetDownload")) for action in policy["Action"])
    assert readers(policy) == {
        f"arn:aws:iam::{account}:role/mlops/{role}"
        for account in ("222222222222", "333333333333", "444444444444")
        for role in ("mlops-cloudformation", "workload/*")
    }


def readers(statement: Mapping[str, Any]) -> set[str]:
    """Role patterns that a statement is narrowed to."""
    return set(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])


def test_the_organisation_narrows_too(organization: Synthesised) -> None:
    allowed = [
        statement for found in given_out(organization).values() for statement in found if statement["Effect"] == "Allow"
    ]

    assert allowed
    assert {statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] for statement in allowed} == {"o-a1b2c3d4e5"}


def test_an_existing_repository_is_left_as_it_is(organization: Synthesised, alone: Synthesised) -> None:
    assert of_type(organization.orchestrator, "AWS::ECR::Repository") == {}
    assert sids(given_out(organization)["EcrRepositoryPolicyStatements"]) == ["StagesPullImages"]
    assert "EcrRepositoryPolicyStatements" not in given_out(alone)
    for found in (organization, alone):
        assert "ml-images" in json.dumps(found.orchestrator["Outputs"]["EcrRepositoryUri"])


# The Model Registry


def test_a_group_is_read_by_the_stages_deployments_alone(organization: Synthesised) -> None:
    (resource,) = (
        one
        for one in organization.orchestrator["Resources"].values()
        if one["Type"] == "AWS::SageMaker::ModelPackageGroup"
    )
    found = resource["Properties"]["ModelPackageGroupPolicy"]["Statement"]
    group = "arn:aws:sagemaker:eu-central-1:111122223333:model-package"

    assert resource["DeletionPolicy"] == "Retain"
    assert resource["Properties"]["ModelPackageGroupName"] == "fraud-models"
    assert [(statement["Action"], statement["Resource"]) for statement in found] == [
        (["sagemaker:DescribeModelPackageGroup"], [f"{group}-group/fraud-models"]),
        (
            ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            [f"{group}/fraud-models/*"],
        ),
    ]
    assert all("mlops/" in reader for statement in found for reader in readers(statement))


def test_a_group_of_one_account_needs_no_policy(alone: Synthesised) -> None:
    (properties,) = of_type(alone.orchestrator, "AWS::SageMaker::ModelPackageGroup").values()

    assert "ModelPackageGroupPolicy" not in properties


def test_without_a_group_the_statements_for_others_are_given_out(made: Synthesised) -> None:
    assert of_type(made.orchestrator, "AWS::SageMaker::ModelPackageGroup") == {}
    assert sids(given_out(made)["ModelPackageGroupPolicyStatements"]) == ["StagesSeeGroup", "StagesDeployPackages"]
    assert "model-package/GROUP/*" in json.dumps(given_out(made))


def test_packages_are_read_by_the_functions_that_resolve_them(every: Synthesised, multi: Synthesised) -> None:
    def resolvers(found: Synthesised, action: str, resource: str) -> set[str]:
        return {
            statement.resource.split("Role")[0].removeprefix("Functions")
            for statement in statements("MlopsOrchestrator", found.orchestrator)
            if statement.kind == "identity" and action in statement.actions
            if any(one.endswith(resource) for one in statement.resources)
        }

    read = ("sagemaker:DescribeModelPackage", ":model-package/*")
    listed = ("sagemaker:ListModelPackages", "*")
    for right, functions in ((read, grants.REGISTRY_READERS), (listed, grants.RESOLVERS)):
        assert resolvers(every, *right) == {construct_id(name) for name in functions}
        assert resolvers(multi, *right) == set()


def test_evaluations_of_packages_are_read_by_package_alone(alone: Synthesised, made: Synthesised) -> None:
    rights = {
        (statement.resource.split("Role")[0].removeprefix("Functions"), action, resource)
        for statement in statements("MlopsOrchestrator", alone.orchestrator)
        for resource in statement.resources
        if "ml-evaluations" in resource
        for action in statement.actions
    }

    assert rights == {
        ("Package", "s3:GetObject", "arn:aws:s3:::ml-evaluations/*"),
        ("Package", "s3:GetObjectVersion", "arn:aws:s3:::ml-evaluations/*"),
        ("Package", "s3:ListBucket", "arn:aws:s3:::ml-evaluations"),
    }
    assert "ml-evaluations" not in json.dumps(made.orchestrator)


def test_a_stage_creates_models_of_packages_only_with_the_registry(made: Synthesised, multi: Synthesised) -> None:
    packages = "arn:aws:sagemaker:us-east-1:111111111111:model-package/*"

    def actions(found: Synthesised) -> set[str]:
        granted = statements("MlopsStage-dev", found.stage("dev"))
        return {action for statement in granted for action in statement.actions if packages in statement.resources}

    assert actions(made) == {"sagemaker:CreateModel", "sagemaker:DescribeModelPackage"}
    assert actions(multi) == set()


def test_a_new_bucket_lets_workloads_read_model_data_only_with_the_registry(multi: Synthesised, tmp_path: Path) -> None:
    def sids_of(found: Synthesised) -> list[str]:
        policies = of_type(found.orchestrator, "AWS::S3::BucketPolicy")
        (own,) = (policy for name, policy in policies.items() if name.startswith("BucketsAssets"))
        return [statement.get("Sid", "") for statement in own["PolicyDocument"]["Statement"]]

    assert set(sids_of(multi)) & set(MODEL_DATA) == set()
    assert set(MODEL_DATA) < set(sids_of(synthesise(settings_of("multi", model_registry=True), tmp_path)))


# Detailed errors


def test_functions_know_whether_errors_are_told_in_detail(alone: Synthesised, made: Synthesised) -> None:
    def told(found: Synthesised) -> bool:
        (parameter,) = of_type(found.orchestrator, "AWS::SSM::Parameter").values()
        return Installation.from_json(parameter["Value"]).detailed_errors

    assert not told(alone)
    assert told(made)


# All of it


@pytest.mark.parametrize(
    ("name", "stages"),
    [("single", {"prod"}), ("multi", {"dev", "staging", "prod", "orchestrator"})],
)
def test_the_example_files_are_synthesised(name: str, stages: set[str], tmp_path: Path) -> None:
    found = synthesise(load(str(EXAMPLES / f"{name}.json"), ROOT), tmp_path)

    assert set(found.templates) == {ORCHESTRATOR, *(f"MlopsStage-{stage}" for stage in stages)}
    assert len(of_type(found.orchestrator, "AWS::ECR::Repository")) == (name == "multi")


def with_bodies(found: Synthesised) -> Synthesised:
    """The stages' templates out of their stack sets, beside the others."""
    if STACK_SETS not in found.templates:
        return found
    inner = {name: json.loads(body) for name, body in bodies(found).items()}
    return Synthesised(found.settings, found.folder, {**found.templates, **inner})


def test_no_statement_could_be_a_confused_deputys(every: Synthesised) -> None:
    found = with_bodies(every)
    why = {
        f"{statement.stack} {statement.resource}": faults(statement, account_of(found, statement))
        for statement in every_statement(found)
    }

    assert {where: reasons for where, reasons in why.items() if reasons} == {}
    unnarrowed = [
        statement["Sid"]
        for statements_of_one in given_out(found).values()
        for statement in statements_of_one
        if statement["Effect"] == "Allow" and "aws:PrincipalArn" not in statement["Condition"].get("ArnLike", {})
    ]
    assert unnarrowed == []


def test_every_wildcard_has_been_reviewed(made: Synthesised) -> None:
    new = {right for right in wild(made) - on_the_list() if right[1] not in REVIEWED and right[1:] != LISTED}

    assert new == set()


@pytest.mark.parametrize("name", ["organization", "made"])
def test_nothing_is_found_by_cfn_lint(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name).folder
    found = [finding for stack in (ORCHESTRATOR, STACK_SETS) for finding in findings(folder / f"{stack}.template.json")]

    assert found == []


@pytest.mark.parametrize("name", list(CHOSEN))
def test_nothing_is_found_by_nag_but_reviewed_wildcards(name: str, tmp_path: Path) -> None:
    app = app_of(CHOSEN[name](), tmp_path)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:  # findings end the synthesis after the report is written
        assert "ValidationFailed" in str(error)  # noqa: PT017
    report = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"][0]
    rules = {violation["ruleName"] for violation in report["violations"]}
    others = {rule for rule in rules if not WILDCARD.fullmatch(rule)}
    brought = {matched[1] for rule in rules if (matched := WILDCARD.fullmatch(rule)) and BUCKET in matched[1]}

    assert others == set()
    assert {re.sub(r"<(\w+?)[0-9A-F]{8}\.", r"<\1.", resource) for resource in brought} <= set(REVIEWED)
