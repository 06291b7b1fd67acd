"""What an organisation brings along, deployed: a bucket that is checked first, and a repository.

The first deployment is refused since the bucket keeps no versions.
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
from local.settings import ORCHESTRATOR, REGION
from local.upload import build_example, upload_example
from tests.releases.team import Team

BUCKET = "example-corp-ml-assets"
IMAGES = "data-science/ml-images"
STACK = "MlopsOrchestrator"

pytestmark = pytest.mark.long


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


def test_going_over_to_a_bucket_that_cannot_be_used_changes_nothing(brought: Brought) -> None:
    brought.client("s3").create_bucket(Bucket="another-bucket")
    chosen = json.loads((brought.home / "settings.json").read_text()) | {"existing_assets_bucket": "another-bucket"}
    folder = brought.home / "another"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(chosen))
    synthesise(folder / "settings.json", folder / "cdk.out", folder / "synth.log")
    targets = [Target(ORCHESTRATOR, (STACK,), bootstrap=True)]
    environment = brought.team.running.cloud.environment

    with pytest.raises(DeploymentFailed, match="bucket another-bucket of existing_assets_bucket cannot be used"):
        deploy_everywhere(targets, folder / "cdk.out", REGION, environment, folder, print)

    package = brought.client("lambda").get_function_configuration(FunctionName="mlops-package")
    (stack,) = brought.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert package["Environment"]["Variables"]["ASSETS_BUCKET"] == BUCKET
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
