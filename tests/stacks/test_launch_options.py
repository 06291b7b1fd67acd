"""The launch options as they are synthesised: what is brought along is used and not touched, what is made is narrow."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from orchestrator.core.installation import Installation
from stacks.cautions import roll_out_cautions
from stacks.settings import Settings, load
from stacks.stage_stack import StageStack
from tests.stacks.templates import ROOT, Synthesised, app_of, of_type, settings_of, short, statements, synthesise
from tests.stacks.test_golden import GOLDEN
from tests.stacks.test_lint import findings
from tests.stacks.test_nag import WILDCARD
from tests.stacks.test_policies import account_of, every_statement, faults, on_the_list, wild

BUCKET = "example-corp-ml-assets"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1a2b3c4d-0000-1111-2222-333344445555"
STATEMENTS = "PolicyStatements"

REVIEWED = {
    f"arn:aws:sagemaker:{region}:{account}:{kind}/*": "a configuration names any package or group of the account"
    for region, account in (("us-east-1", "111111111111"), ("eu-central-1", "111122223333"))
    for kind in ("model-package", "model-package-group")
} | {
    "arn:aws:s3:::example-corp-ml-assets/*": "a configuration names any asset of the bucket",
    "arn:aws:s3:::example-corp-ml-assets/*mlops-config.json": "configurations lie in any folder",
}
"""Resources with a wildcard that only these options bring, beside ``wildcards.py``."""


def organization_settings() -> Settings:
    """The example file: its own bucket and repository, a new group, stack sets by a delegated administrator."""
    return load(str(ROOT / "examples" / "settings" / "multi-organization.json"), ROOT)


def made_settings() -> Settings:
    """Made for the organisation what can be made; its own key; the management account rolls out prod alone."""
    return settings_of(
        "multi",
        existing_assets_bucket=BUCKET,
        existing_assets_bucket_key=KEY,
        ecr_repository={"name": "team/ml-images"},
        model_registry=True,
        stack_sets={"administration": "management", "account": "555555555555", "auto_deployment": True},
        stages=[
            {"name": "dev", "account": "222222222222"},
            {"name": "staging", "account": "333333333333"},
            {"name": "prod", "account": "444444444444", "organizational_units": ["ou-a1b2-prod0001", "r-a1b2"]},
        ],
    )


def alone_settings() -> Settings:
    """Everything in one account."""
    return settings_of(
        "single",
        existing_assets_bucket=BUCKET,
        ecr_repository={"name": "ml-images", "existing": True},
        model_registry=True,
        model_package_group="fraud-models",
        detailed_error_messages=False,
    )


CHOSEN = {"organization": organization_settings, "made": made_settings, "alone": alone_settings}


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return synthesise(organization_settings(), tmp_path_factory.mktemp("organization"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return synthesise(made_settings(), tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return synthesise(alone_settings(), tmp_path_factory.mktemp("alone"))


@pytest.fixture(params=list(CHOSEN))
def every(request: pytest.FixtureRequest) -> Synthesised:
    """Each of the three, one after the other."""
    found: Synthesised = request.getfixturevalue(request.param)
    return found


def given_out(found: Synthesised) -> dict[str, list[dict[str, Any]]]:
    """Outputs with policy statements, parsed."""
    outputs = found.orchestrator["Outputs"]
    return {name: json.loads(output["Value"]) for name, output in outputs.items() if name.endswith(STATEMENTS)}


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

    assert sids(given_out(organization)["AssetsBucketPolicyStatements"]) == [*refusals, "WorkloadsReadModelData"]
    assert sids(given_out(made)["AssetsBucketPolicyStatements"]) == [*refusals, "WorkloadsReadModelData"]
    assert sids(given_out(alone)["AssetsBucketPolicyStatements"]) == refusals


def test_its_own_key_is_for_those_who_read_uploads(made: Synthesised) -> None:
    users = {
        statement.resource.split("Role")[0].removeprefix("Functions")
        for statement in statements("MlopsOrchestrator", made.orchestrator)
        if KEY in statement.resources
    }

    assert users == {"Package", "ReceiveRequest"}
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


def test_functions_know_the_repository(every: Synthesised) -> None:
    (parameter,) = of_type(every.orchestrator, "AWS::SSM::Parameter").values()

    assert Installation.from_json(parameter["Value"]).ecr_repository.endswith("ml-images")


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
    def resolvers(found: Synthesised) -> set[str]:
        return {
            statement.resource.split("Role")[0].removeprefix("Functions")
            for statement in statements("MlopsOrchestrator", found.orchestrator)
            if statement.kind == "identity" and "sagemaker:DescribeModelPackage" in statement.actions
        }

    assert resolvers(every) == {"Package", "ReceiveRequest", "Api"}
    assert resolvers(multi) == set()


def test_a_new_bucket_lets_workloads_read_model_data_only_with_the_registry(multi: Synthesised, tmp_path: Path) -> None:
    def sids_of(found: Synthesised) -> list[str]:
        policies = of_type(found.orchestrator, "AWS::S3::BucketPolicy")
        (own,) = (policy for name, policy in policies.items() if name.startswith("BucketsAssets"))
        return [statement.get("Sid", "") for statement in own["PolicyDocument"]["Statement"]]

    assert "WorkloadsReadModelData" not in sids_of(multi)
    assert "WorkloadsReadModelData" in sids_of(synthesise(settings_of("multi", model_registry=True), tmp_path))


# Detailed errors


def test_functions_know_whether_errors_are_told_in_detail(alone: Synthesised, made: Synthesised) -> None:
    def told(found: Synthesised) -> bool:
        (parameter,) = of_type(found.orchestrator, "AWS::SSM::Parameter").values()
        return Installation.from_json(parameter["Value"]).detailed_errors

    assert not told(alone)
    assert told(made)


# Stack sets


def test_stages_with_units_have_no_stack_of_their_own(organization: Synthesised, made: Synthesised) -> None:
    assert set(organization.templates) == {"MlopsOrchestrator", "MlopsStackSets", "MlopsStage-orchestrator"}
    assert set(made.templates) == {
        "MlopsOrchestrator",
        "MlopsStackSets",
        "MlopsStage-dev",
        "MlopsStage-orchestrator",
        "MlopsStage-staging",
    }


def bodies(found: Synthesised) -> dict[str, str]:
    """Name of each stack set → the template in it."""
    sets = of_type(found.templates["MlopsStackSets"], "AWS::CloudFormation::StackSet").values()
    return {properties["StackSetName"]: properties["TemplateBody"] for properties in sets}


def test_a_stack_set_holds_what_would_be_deployed_by_hand(organization: Synthesised, tmp_path: Path) -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=context, analytics_reporting=False, outdir=str(tmp_path))
    settings = organization.settings
    for stage in settings.installation.stages:
        StageStack(app, f"MlopsStage-{stage.name}", settings=settings, stage=stage)
    by_hand = {stack.stack_name: stack.template for stack in app.synth().stacks}

    assert {name: json.loads(body) for name, body in bodies(organization).items()} == by_hand
    assert all(len(body.encode()) <= 51_200 for body in bodies(organization).values())
    assert not any("bootstrap" in body.lower() for body in bodies(organization).values())


def test_its_stack_goes_to_the_account_that_administers(organization: Synthesised, made: Synthesised) -> None:
    def account(found: Synthesised) -> str:
        manifest = json.loads((found.folder / "manifest.json").read_text())
        return str(manifest["artifacts"]["MlopsStackSets"]["environment"])

    assert account(organization) == "aws://111122223333/eu-central-1"
    assert account(made) == "aws://555555555555/us-east-1"


@pytest.mark.parametrize("name", ["organization", "made"])
def test_the_stack_sets_are_the_reviewed_ones(name: str, request: pytest.FixtureRequest) -> None:
    found: Synthesised = request.getfixturevalue(name)
    template = json.loads(json.dumps(found.templates["MlopsStackSets"]))
    for properties in of_type(template, "AWS::CloudFormation::StackSet").values():
        properties["TemplateBody"] = f"<template of {properties['StackSetName']}>"
    built = json.dumps(template, indent=1) + "\n"
    path = GOLDEN / f"MlopsStackSets.{name}.json"
    if request.config.getoption("--refresh-golden"):
        path.write_text(built)

    difference = difflib.unified_diff(path.read_text().splitlines(), built.splitlines(), "reviewed", "built", n=2)
    assert not list(difference), "`make golden` takes over what was meant"


def test_automatic_deployment_is_warned_of(made: Synthesised, organization: Synthesised) -> None:
    (caution,) = roll_out_cautions(made.settings.options)

    assert "every account that joins ou-a1b2-prod0001, r-a1b2" in caution.what
    assert roll_out_cautions(organization.settings.options) == []
    assert any("stack_sets.auto_deployment" in path.read_text() for path in made.folder.glob("*.json"))


# All of it


def with_bodies(found: Synthesised) -> Synthesised:
    """The stages' templates out of their stack sets, beside the others."""
    if "MlopsStackSets" not in found.templates:
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
    new = {right for right in wild(made) - on_the_list() if right[1] not in REVIEWED}

    assert {right for right in new if "CheckAssetsBucket" not in right[1]} == set()


def test_nothing_is_found_by_cfn_lint(every: Synthesised) -> None:
    found = [finding for path in sorted(every.folder.glob("*.template.json")) for finding in findings(path)]

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
