"""What an organisation brings along, deployed: a bucket that is checked first, repositories, the Model Registry.

One embedded cloud holds two installations. The first, in one account, has a bucket and a repository of the
organisation's own; its first deployment is refused since the bucket keeps no versions. The second, the orchestrator of
several accounts, makes bucket, repository and group. Stack sets need an organisation, which no embedded cloud has:
``tests/stacks/test_launch_stack_sets.py`` looks at their templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from local.deploy import DeploymentFailed, Target, bootstrap, deploy, deploy_everywhere, synthesise
from local.installation import down, up
from local.settings import DEV, ORCHESTRATOR, PROD, REGION, settings
from local.upload import build_example, upload_example
from tests.releases.team import Team

BUCKET = "example-corp-ml-assets"
IMAGES = "data-science/ml-images"
STACK = "MlopsOrchestrator"

SECOND = "555555555555"
GROUP = "fraud-models"


@dataclass
class Refusal:
    """What a first deployment with a bucket that cannot be used came to."""

    told: str = ""
    status: str = ""
    left: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Brought:
    """The installation, and its first attempt."""

    team: Team
    home: Path
    refusal: Refusal

    def client(self, service: str, account: str = ORCHESTRATOR) -> Any:
        """A client of an account's root."""
        return self.team.client(service, account)


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    """Refused, mended as the message says, deployed, its policy as the output says."""
    home = tmp_path_factory.mktemp("brought") / "home"
    refusal = Refusal()

    def before(cloud: EmbeddedCloud, assembly: Path) -> None:
        cloud.client("ecr", ORCHESTRATOR, region=REGION).create_repository(repositoryName=IMAGES)
        s3 = cloud.client("s3", ORCHESTRATOR, region=REGION)
        s3.create_bucket(Bucket=BUCKET)
        first_attempt(cloud, assembly, home, refusal)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )

    changes = {"existing_assets_bucket": BUCKET, "ecr_repository": {"name": IMAGES, "existing": True}}
    running = up("single", home=home, changes=changes, before=before)
    try:
        statements = json.loads(running.outputs["AssetsBucketPolicyStatements"])
        running.cloud.client("s3", ORCHESTRATOR, region=REGION).put_bucket_policy(
            Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
        )
        example = build_example(tmp_path_factory.mktemp("example-brought"), "single")
        yield Brought(Team(running, example), home, refusal)
    finally:
        down(home=home)


def first_attempt(cloud: EmbeddedCloud, assembly: Path, home: Path, refusal: Refusal) -> None:
    """Deploy, note what came of it, and clear away what stands in the way of the next attempt."""
    environment = cloud.environment(ORCHESTRATOR)
    bootstrap(ORCHESTRATOR, REGION, environment, home / "first-bootstrap.log")
    try:
        deploy(assembly, [STACK], environment, home / "first-outputs.json", home / "first.log")
    except DeploymentFailed as error:
        refusal.told = " ".join(str(error).split())
    cloudformation = cloud.client("cloudformation", ORCHESTRATOR, region=REGION)
    refusal.status = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    refusal.left = [
        resource["LogicalResourceId"]
        for resource in cloudformation.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
        if resource["ResourceStatus"] != "DELETE_COMPLETE"
    ]
    s3 = cloud.client("s3", ORCHESTRATOR, region=REGION)
    refusal.buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    # As docs/installing.md says; the CLI deletes the empty stack itself.
    cloudformation.update_termination_protection(StackName=STACK, EnableTerminationProtection=False)


def test_a_bucket_that_cannot_be_used_is_refused_before_anything_is_made(brought: Brought) -> None:
    refusal = brought.refusal

    assert f"The bucket {BUCKET} of existing_assets_bucket cannot be used: its versioning is off" in refusal.told
    assert "put-bucket-versioning" in refusal.told
    assert "sends no events to EventBridge" in refusal.told
    assert refusal.status == "ROLLBACK_COMPLETE"
    assert refusal.left == []
    assert [name for name in refusal.buckets if "cdk" not in name] == [BUCKET]


def test_an_upload_to_an_existing_bucket_is_released(brought: Brought) -> None:
    team = brought.team
    assert team.assets_bucket == BUCKET

    upload_example(team.running, team.example)
    ended = team.follower.until_end(team.started(team.example_workload), decide=team.approve)

    assert ended.status == "succeeded", ended.reason


def test_an_existing_bucket_and_repository_are_left_as_they_were(brought: Brought) -> None:
    s3, ecr = brought.client("s3"), brought.client("ecr")
    (repository,) = ecr.describe_repositories(repositoryNames=[IMAGES])["repositories"]
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])

    assert {statement["Sid"] for statement in policy["Statement"]} == {"EncryptedConnections", "CurrentTls"}
    assert repository["imageTagMutability"] == "MUTABLE"
    with pytest.raises(ClientError, match="RepositoryPolicyNotFoundException"):
        ecr.get_repository_policy(repositoryName=IMAGES)
    assert brought.team.running.outputs["EcrRepositoryUri"].endswith(f"/{IMAGES}")
    assert not [name for name in brought.team.running.outputs if name.startswith("Ecr") and "Statements" in name]


@pytest.mark.long
def test_going_over_to_a_bucket_that_cannot_be_used_changes_nothing(brought: Brought) -> None:
    brought.client("s3").create_bucket(Bucket="another-bucket")
    chosen = json.loads((brought.home / "settings.json").read_text()) | {"existing_assets_bucket": "another-bucket"}
    folder = brought.home / "another"

    with pytest.raises(DeploymentFailed, match="bucket another-bucket of existing_assets_bucket cannot be used"):
        deployed(brought, chosen, ORCHESTRATOR, folder)

    package = brought.client("lambda").get_function_configuration(FunctionName="mlops-package")
    (stack,) = brought.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert package["Environment"]["Variables"]["ASSETS_BUCKET"] == BUCKET
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def deployed(brought: Brought, chosen: dict[str, Any], account: str, folder: Path) -> dict[str, str]:
    """Outputs of the orchestrator's stack with these settings."""
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(chosen))
    synthesise(folder / "settings.json", folder / "cdk.out", folder / "synth.log")
    targets = [Target(account, (STACK,), bootstrap=True)]
    environment = brought.team.running.cloud.environment
    return deploy_everywhere(targets, folder / "cdk.out", REGION, environment, folder, print)


@pytest.fixture(scope="module")
def made(brought: Brought) -> dict[str, str]:
    """Outputs of the second installation's orchestrator, beside the first in the same cloud."""
    chosen = settings("multi", "https://slack.com/api/", "ml-releases") | {
        "orchestrator_account": SECOND,
        "ecr_repository": {"name": "ml-images"},
        "model_registry": True,
        "model_package_group": GROUP,
    }
    return deployed(brought, chosen, SECOND, brought.home / "made")


def test_a_new_repository_is_as_it_should_be(brought: Brought, made: dict[str, str]) -> None:
    ecr = brought.client("ecr", SECOND)
    (repository,) = ecr.describe_repositories(repositoryNames=["ml-images"])["repositories"]
    lifecycle = json.loads(ecr.get_lifecycle_policy(repositoryName="ml-images")["lifecyclePolicyText"])
    policy = json.loads(ecr.get_repository_policy(repositoryName="ml-images")["policyText"])

    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["encryptionConfiguration"]["encryptionType"] == "KMS"
    assert [rule["selection"]["tagStatus"] for rule in lifecycle["rules"]] == ["untagged"]
    assert [statement["Sid"] for statement in policy["Statement"]] == ["StagesPullImages"]
    assert made["EcrRepositoryUri"].endswith("/ml-images")


def role_in(brought: Brought, account: str, path: str, name: str) -> str:
    """ARN of a role of an account that may do everything: what stops it are policies of the other account."""
    iam = brought.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=_document(everything))
    return f"arn:aws:iam::{account}:role{path}{name}"


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def workload(brought: Brought) -> str:
    """A workload's role in a stage."""
    return role_in(brought, PROD, "/mlops/workload/", "launch-workload")


@pytest.fixture(scope="module")
def stranger(brought: Brought) -> str:
    """Another role of the same account."""
    return role_in(brought, PROD, "/", "launch-stranger")


def as_role(brought: Brought, service: str, role: str) -> Any:
    """A client of a role of prod."""
    return brought.team.running.cloud.client_as(service, role, PROD)


def test_model_data_of_the_assets_bucket_are_for_workloads_of_the_stages(
    brought: Brought, made: dict[str, str], workload: str, stranger: str
) -> None:
    bucket = made["AssetsBucketName"]
    brought.client("s3", SECOND).put_object(Bucket=bucket, Key="models/model.tar.gz", Body=b"a model")
    where = {"Bucket": bucket, "Key": "models/model.tar.gz"}

    assert as_role(brought, "s3", workload).get_object(**where)["Body"].read() == b"a model"
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role(brought, "s3", stranger).get_object(**where)


def test_images_are_for_deployments_of_the_stages(
    brought: Brought, made: dict[str, str], workload: str, stranger: str
) -> None:
    pulled = {"registryId": SECOND, "repositoryName": "ml-images", "imageIds": [{"imageTag": "1.0"}]}

    answer = as_role(brought, "ecr", workload).batch_get_image(**pulled)
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role(brought, "ecr", stranger).batch_get_image(**pulled)


def test_a_group_of_model_packages_is_there_with_its_policy(brought: Brought, made: dict[str, str]) -> None:
    sagemaker = brought.client("sagemaker", SECOND)
    policy = json.loads(sagemaker.get_model_package_group_policy(ModelPackageGroupName=GROUP)["ResourcePolicy"])

    assert [statement["Sid"] for statement in policy["Statement"]] == ["StagesSeeGroup", "StagesDeployPackages"]
    assert f"arn:aws:iam::{DEV}:root" in policy["Statement"][0]["Principal"]["AWS"]
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)["ModelPackageGroupStatus"] == "Completed"
    assert "ModelPackageGroupPolicyStatements" not in made


@pytest.mark.parametrize(("account", "status"), [(ORCHESTRATOR, 0), (SECOND, 2)])
def test_packages_are_for_functions_of_an_installation_with_the_registry(
    brought: Brought, made: dict[str, str], account: str, status: int
) -> None:
    iam = brought.client("iam", account)
    documents = [
        json.dumps(iam.get_role_policy(RoleName="mlops-function-package", PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName="mlops-function-package")["PolicyNames"]
    ]

    assert "".join(documents).count("ModelPackage") == status
