"""What an installation of several accounts makes when it is asked to: bucket, repository and group with their policies.

Stack sets need an organisation, which no embedded cloud has: ``tests/stacks/test_launch_stack_sets.py`` looks at their
templates.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.settings import DEV, ORCHESTRATOR, PROD
from tests.releases.registry import GROUP, REPOSITORY, Registry
from tests.releases.team import Team

pytestmark = pytest.mark.parametrize("with_registry", ["multi"], indirect=True)


@pytest.fixture(scope="module")
def made(with_registry: Registry) -> Team:
    """An installation that makes everything itself."""
    return with_registry.team


def test_a_new_repository_is_as_it_should_be(made: Team) -> None:
    ecr = made.client("ecr", ORCHESTRATOR)
    (repository,) = ecr.describe_repositories(repositoryNames=[REPOSITORY])["repositories"]
    lifecycle = json.loads(ecr.get_lifecycle_policy(repositoryName=REPOSITORY)["lifecyclePolicyText"])
    policy = json.loads(ecr.get_repository_policy(repositoryName=REPOSITORY)["policyText"])

    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["encryptionConfiguration"]["encryptionType"] == "KMS"
    assert [rule["selection"]["tagStatus"] for rule in lifecycle["rules"]] == ["untagged"]
    assert [statement["Sid"] for statement in policy["Statement"]] == ["StagesPullImages"]
    assert made.running.outputs["EcrRepositoryUri"].endswith(f"/{REPOSITORY}")


def role_in(team: Team, account: str, path: str, name: str) -> str:
    """ARN of a role of an account that may do everything: what stops it are policies of the other account."""
    iam = team.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=_document(everything))
    return f"arn:aws:iam::{account}:role{path}{name}"


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def workload(made: Team) -> str:
    """A workload's role in a stage."""
    return role_in(made, PROD, "/mlops/workload/", "launch-workload")


@pytest.fixture(scope="module")
def stranger(made: Team) -> str:
    """Another role of the same account."""
    return role_in(made, PROD, "/", "launch-stranger")


def as_role(team: Team, service: str, role: str) -> Any:
    """A client of a role of prod."""
    return team.running.cloud.client_as(service, role, PROD)


def test_model_data_of_the_assets_bucket_are_for_workloads_of_the_stages(
    made: Team, workload: str, stranger: str
) -> None:
    bucket = made.assets_bucket
    made.client("s3", ORCHESTRATOR).put_object(Bucket=bucket, Key="models/model.tar.gz", Body=b"a model")
    where = {"Bucket": bucket, "Key": "models/model.tar.gz"}

    assert as_role(made, "s3", workload).get_object(**where)["Body"].read() == b"a model"
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role(made, "s3", stranger).get_object(**where)


def test_images_are_for_deployments_of_the_stages(made: Team, workload: str, stranger: str) -> None:
    pulled = {"registryId": ORCHESTRATOR, "repositoryName": REPOSITORY, "imageIds": [{"imageTag": "1.0"}]}

    answer = as_role(made, "ecr", workload).batch_get_image(**pulled)
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role(made, "ecr", stranger).batch_get_image(**pulled)


def test_a_group_of_model_packages_is_there_with_its_policy(made: Team) -> None:
    sagemaker = made.client("sagemaker", ORCHESTRATOR)
    policy = json.loads(sagemaker.get_model_package_group_policy(ModelPackageGroupName=GROUP)["ResourcePolicy"])

    assert [statement["Sid"] for statement in policy["Statement"]] == ["StagesSeeGroup", "StagesDeployPackages"]
    assert f"arn:aws:iam::{DEV}:root" in policy["Statement"][0]["Principal"]["AWS"]
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)["ModelPackageGroupStatus"] == "Completed"
    assert "ModelPackageGroupPolicyStatements" not in made.running.outputs


def test_packages_are_for_functions_of_an_installation_with_the_registry(single: Team, made: Team) -> None:
    assert (named_actions(single), named_actions(made)) == (0, 2)


def named_actions(team: Team) -> int:
    """How often the policies of the function that packages speak of model packages."""
    iam = team.client("iam", ORCHESTRATOR)
    documents = [
        json.dumps(iam.get_role_policy(RoleName="mlops-function-package", PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName="mlops-function-package")["PolicyNames"]
    ]
    return "".join(documents).count("ModelPackage")
