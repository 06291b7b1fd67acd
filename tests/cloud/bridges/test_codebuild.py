"""Builds: the zip is read, the buildspec followed, the image lands in ECR; what stops a build on AWS stops it here."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    eventually,
    make_bucket,
    make_role,
    receive,
    service_trust,
    statement,
    trust,
    unique,
    watch_events,
)

pytestmark = pytest.mark.cloud

BUILDSPEC = """
version: 0.2
phases:
  pre_build:
    commands:
      - aws ecr get-login-password --region $AWS_REGION | docker login --username AWS --password-stdin "$REGISTRY"
      - find . -name serve -exec chmod +x {} +
  build:
    commands:
      - docker build --label "release=$RELEASE" --tag "$IMAGE_URI" .
  post_build:
    commands:
      - test "$CODEBUILD_BUILD_SUCCEEDING" = 1
      - docker push "$IMAGE_URI" || { echo "Push of $IMAGE_URI failed."; false; }
"""

PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]


class Workshop:
    """A project with a source, a repository and a role."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.cloud = cloud
        self.codebuild, self.ecr = cloud.client("codebuild", DEV), cloud.client("ecr", DEV)
        self.bucket, self.repository, self.name = make_bucket(cloud, DEV), unique("images"), unique("build")
        self.ecr.create_repository(repositoryName=self.repository, imageTagMutability="IMMUTABLE")
        self.registry = f"{DEV}.dkr.ecr.{REGION}.amazonaws.com"
        self.rights = {
            "read": statement(["s3:GetObject", "s3:GetObjectVersion"], f"arn:aws:s3:::{self.bucket}/*"),
            "login": statement("ecr:GetAuthorizationToken", "*"),
            "push": statement(PUSH, f"arn:aws:ecr:{REGION}:{DEV}:repository/{self.repository}"),
            "log": statement(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"),
        }

    def source(self, **files: str) -> None:
        """Put the zip."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            for name, content in files.items():
                bundle.writestr(name.replace("__", "/"), content)
        self.cloud.client("s3", DEV).put_object(Bucket=self.bucket, Key="source.zip", Body=archive.getvalue())

    def project(self, *, without: str = "", buildspec: str = BUILDSPEC, tag: str = "1", **environment: Any) -> None:
        """Make the project."""
        rights = [right for name, right in self.rights.items() if name != without]
        variables = {"REGISTRY": self.registry, "IMAGE_URI": f"{self.registry}/{self.repository}:{tag}"}
        self.codebuild.create_project(
            name=self.name,
            source={"type": "S3", "location": f"{self.bucket}/source.zip", "buildspec": buildspec},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "privilegedMode": True,
                "environmentVariables": [{"name": name, "value": value} for name, value in variables.items()],
                **environment,
            },
            serviceRole=make_role(self.cloud, DEV, service_trust("codebuild"), *rights),
        )

    def start(self, **more: Any) -> str:
        """Start a build; its id."""
        found: str = self.codebuild.start_build(projectName=self.name, **more)["build"]["id"]
        return found

    def ended(self, identity: str) -> dict[str, Any]:
        """A build once it has ended."""

        def over() -> dict[str, Any]:
            (build,) = self.codebuild.batch_get_builds(ids=[identity])["builds"]
            return dict(build) if build["buildComplete"] else {}

        return eventually(over)

    def build(self, **more: Any) -> dict[str, Any]:
        """Start a build and wait for its end."""
        return self.ended(self.start(**more))


def failure(build: dict[str, Any]) -> tuple[str, str]:
    """The first phase that failed, and why."""
    assert build["buildStatus"] == "FAILED"
    phase = next(phase for phase in build["phases"] if phase.get("phaseStatus") == "FAILED")
    context = phase["contexts"][0]
    return phase["phaseType"], f"{context['statusCode']}: {context['message']}"


@pytest.fixture
def shop(cloud: EmbeddedCloud) -> Iterator[Workshop]:
    yield Workshop(cloud)
    cloud.jobs(hold=False, events=True, fail=[])


def test_a_zip_with_a_dockerfile_becomes_an_image_in_the_repository(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    build = shop.build(environmentVariablesOverride=[{"name": "RELEASE", "value": "r-1"}])
    assert build["buildStatus"] == "SUCCEEDED", failure(build)
    assert [phase["phaseType"] for phase in build["phases"]] == [
        "SUBMITTED",
        "QUEUED",
        "PROVISIONING",
        "DOWNLOAD_SOURCE",
        "INSTALL",
        "PRE_BUILD",
        "BUILD",
        "POST_BUILD",
        "UPLOAD_ARTIFACTS",
        "FINALIZING",
        "COMPLETED",
    ]
    assert {"name": "RELEASE", "value": "r-1"} in build["environment"]["environmentVariables"]
    (image,) = shop.ecr.describe_images(repositoryName=shop.repository)["imageDetails"]
    assert (image["imageTags"], image["imageDigest"][:7]) == (["1"], "sha256:")
    assert shop.codebuild.list_builds_for_project(projectName=shop.name)["ids"] == [build["id"]]
    logs = shop.cloud.client("logs", DEV).get_log_events(
        logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"]
    )
    lines = "".join(event["message"] for event in logs["events"])
    assert "Login Succeeded" in lines
    assert "[embedded cloud] not run: find . -name serve" in lines


def test_the_image_is_that_of_the_zip(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    uri = f"{shop.registry}/{shop.repository}"
    shop.build()
    shop.build(environmentVariablesOverride=[{"name": "IMAGE_URI", "value": f"{uri}:2"}])
    (same,) = shop.ecr.describe_images(repositoryName=shop.repository)["imageDetails"]
    assert sorted(same["imageTags"]) == ["1", "2"]
    shop.source(Dockerfile="FROM python:3.12\n")
    shop.build(environmentVariablesOverride=[{"name": "IMAGE_URI", "value": f"{uri}:3"}])
    assert len(shop.ecr.describe_images(repositoryName=shop.repository)["imageDetails"]) == 2


def test_a_pinned_version_of_the_zip_is_built(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    version = shop.cloud.client("s3", DEV).head_object(Bucket=shop.bucket, Key="source.zip")["VersionId"]
    shop.source(README="no Dockerfile any more")
    shop.project()
    assert shop.build(sourceVersion=version)["buildStatus"] == "SUCCEEDED"


FAILURES: list[Any] = [
    pytest.param({"README": "-"}, {}, "BUILD", "open Dockerfile: no such file", id="no Dockerfile"),
    pytest.param({"code__Dockerfile": "FROM x"}, {}, "BUILD", "no such file", id="Dockerfile in a folder"),
    pytest.param({"Dockerfile": "# -"}, {}, "BUILD", "file with no instructions", id="empty Dockerfile"),
    pytest.param({"Dockerfile": "FROM x"}, {"without": "read"}, "DOWNLOAD_SOURCE", "s3:GetObject", id="may not read"),
    pytest.param({"Dockerfile": "FROM x"}, {"without": "login"}, "PRE_BUILD", "non TTY", id="may not log in"),
    pytest.param(
        {"Dockerfile": "FROM x"}, {"without": "push"}, "POST_BUILD", "Reason: exit status 1", id="may not push"
    ),
    pytest.param({"Dockerfile": "FROM x"}, {"without": "log"}, "PROVISIONING", "logs:CreateLogGroup", id="may not log"),
    pytest.param(
        {"Dockerfile": "FROM x"}, {"privilegedMode": False}, "BUILD", "Is the docker daemon running", id="unprivileged"
    ),
    pytest.param({"Dockerfile": "FROM x"}, {"buildspec": "phases: {}\n"}, "DOWNLOAD_SOURCE", "version", id="buildspec"),
    pytest.param({"Dockerfile": "FROM x"}, {"buildspec": ""}, "DOWNLOAD_SOURCE", "buildspec.yml", id="no buildspec"),
]


@pytest.mark.parametrize(("files", "project", "phase", "words"), FAILURES)
def test_what_stops_a_build_stops_it_in_its_phase(
    shop: Workshop, files: dict[str, str], project: dict[str, Any], phase: str, words: str
) -> None:
    shop.source(**files)
    shop.project(**project)
    where, why = failure(shop.build())
    assert where == phase, why
    assert words in why
    assert shop.ecr.describe_images(repositoryName=shop.repository)["imageDetails"] == []


def test_a_zip_that_is_not_there_or_none_is_told(shop: Workshop) -> None:
    shop.project()
    assert failure(shop.build()) == (
        "DOWNLOAD_SOURCE",
        "CLIENT_ERROR: error while downloading key source.zip, error: Failed to download data. S3 key: "
        f"s3://{shop.bucket}/source.zip matched no files on s3",
    )
    shop.cloud.client("s3", DEV).put_object(Bucket=shop.bucket, Key="source.zip", Body=b"no zip")
    assert "the source is no zip file" in failure(shop.build())[1]


def log_of(shop: Workshop, build: dict[str, Any]) -> str:
    found = shop.cloud.client("logs", DEV).get_log_events(
        logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"]
    )
    return "".join(event["message"] for event in found["events"])


def test_an_immutable_tag_and_a_missing_repository_refuse_the_push(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    shop.build()
    again = shop.build()
    assert failure(again)[0] == "POST_BUILD"
    assert "cannot be overwritten because the repository is immutable" in log_of(shop, again)
    assert f"Push of {shop.registry}/{shop.repository}:1 failed." in log_of(shop, again)
    shop.ecr.delete_repository(repositoryName=shop.repository, force=True)
    gone = shop.build()
    assert f"The repository with name '{shop.repository}' does not exist" in log_of(shop, gone)


def test_a_token_starts_one_build(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    first = shop.start(idempotencyToken="release-1")
    assert shop.start(idempotencyToken="release-1") == first
    with pytest.raises(ClientError, match="parameter mismatch"):
        shop.start(idempotencyToken="release-1", environmentVariablesOverride=[{"name": "A", "value": "b"}])
    shop.ended(first)
    assert shop.codebuild.list_builds_for_project(projectName=shop.name)["ids"] == [first]


def test_a_build_tells_its_states_in_the_documented_shape(shop: Workshop) -> None:
    pattern = {"source": ["aws.codebuild"], "detail": {"project-name": [shop.name]}}
    url = watch_events(shop.cloud, DEV, pattern)
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    build = shop.build()
    began, over = (json.loads(receive(shop.cloud, DEV, url)["Body"]) for _ in range(2))
    assert (began["detail-type"], began["detail"]["build-status"]) == ("CodeBuild Build State Change", "IN_PROGRESS")
    assert over["resources"] == [build["arn"]]
    detail = over["detail"]
    assert (detail["build-status"], detail["build-id"], detail["current-phase"]) == (
        "SUCCEEDED",
        build["arn"],
        "COMPLETED",
    )
    information = detail["additional-information"]
    assert (information["build-complete"], information["source"]["type"]) == (True, "S3")
    assert information["phases"][0]["phase-status"] == "SUCCEEDED"


def test_a_held_build_waits_and_can_be_stopped(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    shop.cloud.jobs(hold=True)
    identity = shop.start()
    (build,) = shop.codebuild.batch_get_builds(ids=[identity])["builds"]
    assert build["buildStatus"] == "IN_PROGRESS"
    shop.codebuild.stop_build(id=identity)
    assert shop.ended(identity)["buildStatus"] == "STOPPED"


def test_the_next_build_fails_with_the_reason_that_a_test_gives(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    shop.cloud.jobs(fail=["the disk is full"])
    assert failure(shop.build()) == ("PRE_BUILD", "COMMAND_EXECUTION_ERROR: the disk is full")
    assert shop.build()["buildStatus"] == "SUCCEEDED"


def test_iam_decides_who_may_start_and_see_builds(shop: Workshop) -> None:
    shop.source(Dockerfile="FROM python:3.11\n")
    shop.project()
    actions = ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
    arn = f"arn:aws:codebuild:{REGION}:{DEV}:project/{shop.name}"
    trusted = trust({"AWS": HUB})
    mine = shop.cloud.client_as("codebuild", make_role(shop.cloud, DEV, trusted, statement(actions, arn)), HUB)
    other = shop.cloud.client_as("codebuild", make_role(shop.cloud, DEV, trusted, statement(actions, f"{arn}-x")), HUB)
    identity = mine.start_build(projectName=shop.name)["build"]["id"]
    assert mine.batch_get_builds(ids=[identity])["builds"][0]["projectName"] == shop.name
    with pytest.raises(ClientError, match="AccessDenied"):
        other.start_build(projectName=shop.name)
    with pytest.raises(ClientError, match="AccessDenied"):
        other.batch_get_builds(ids=[identity])


def test_a_project_that_is_not_there_and_an_override_that_is_not_followed_are_refused(shop: Workshop) -> None:
    with pytest.raises(ClientError, match="Project cannot be found"):
        shop.start()
    shop.project()
    with pytest.raises(ClientError, match="does not follow imageOverride"):
        shop.start(imageOverride="other")
