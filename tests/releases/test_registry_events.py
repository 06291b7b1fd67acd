"""Approvals in the Model Registry, in an installation with the registry, of one account and of several."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.installation import down, up
from local.settings import CHANNEL, ORCHESTRATOR, Mode
from local.upload import build_example
from tests.releases.team import Team, eventually, stage

GROUP = "tumours"
NAME = "registered"
WORKLOAD = f"{NAME}-realtime"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@dataclass
class Registry:
    """One installation's team and its group of model packages."""

    team: Team

    @property
    def sagemaker(self) -> Any:
        """The registry's own client."""
        return self.team.client("sagemaker", ORCHESTRATOR)

    def register(self) -> str:
        """Register the example's model anew; the version's ARN."""
        key = self.team.example.values["model_artifact_location"]
        arn: str = self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{self.team.assets_bucket}/{key}"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]
        return arn

    def assess(self, arn: str, approval: str) -> None:
        """Approve a version, or reject it."""
        self.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=approval)

    def released(self, known: set[str]) -> dict[str, Any]:
        """The next release, taken to its end with every approval."""
        release_id = self.team.started(WORKLOAD, frozenset(known))
        ended = self.team.follower.until_end(release_id, decide=self.team.approve)
        assert ended.status == "succeeded", ended.reason
        known.add(release_id)
        return self.team.show(release_id)


@pytest.fixture(scope="module", params=["single", "multi"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """An installation with the registry; the assets are uploaded."""
    mode: Mode = request.param
    home = tmp_path_factory.mktemp(f"registry-{mode}") / "home"
    running = up(mode, home=home, changes={"model_registry": True, "model_package_group": GROUP})
    try:
        team = Team(running, build_example(tmp_path_factory.mktemp("example-registry"), mode))
        for key, file in team.example.assets.items():
            team.upload_asset(key, file.read_bytes())
        yield Registry(team)
    finally:
        down(home=home)


def test_versions_are_released_as_they_are_approved_and_rejected_as_they_are_live(registry: Registry) -> None:
    team, known = registry.team, set[str]()
    first = registry.register()
    registry.assess(first, "Approved")
    group = first.replace(":model-package/", ":model-package-group/").rpartition("/")[0]
    drop = dict.fromkeys(("model_framework", "model_framework_version", "model_artifact_location"))
    team.upload(NAME, team.configuration(NAME, **drop, model_package_name=group))
    assert registry.released(known)["source_kind"] == "s3"

    second = registry.register()
    assert {one["release_id"] for one in team.releases(WORKLOAD)} == known, "a version that nobody approved is nothing"
    registry.assess(second, "Approved")
    release = registry.released(known)
    assert (release["source"], release["pins"]) == (f"model package {second}", {group: second})
    assert release["warnings"] == []
    last = release["stages"][-1]["stage"]
    endpoint = stage(release, last)["outputs"]["EndpointName"]
    account = team.running.stages[last]
    config = team.client("sagemaker", account).describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    (variant,) = team.client("sagemaker", account).describe_endpoint_config(EndpointConfigName=config)[
        "ProductionVariants"
    ]
    model = team.client("sagemaker", account).describe_model(ModelName=variant["ModelName"])
    assert second in json.dumps(model, default=str)

    registry.sagemaker.update_model_package(ModelPackageArn=first, CustomerMetadataProperties={"seen": "yes"})
    registry.assess(second, "Rejected")
    words = f"Version 2 of {GROUP} was rejected while it is live in {WORKLOAD}"
    notice = eventually("a notice in Slack", lambda: next(iter(noticed(team, words)), ""))
    assert f"update-model-package --model-package-arn {first}" in notice
    mail = eventually("an e-mail", lambda: next(iter(mailed(team, words)), ""))
    assert "go back to version 1, which was live before it" in mail
    assert {one["release_id"] for one in team.releases(WORKLOAD)} == known, "a rejection changes nothing"

    registry.assess(first, "PendingManualApproval")
    registry.assess(first, "Approved")
    back = registry.released(known)
    assert back["pins"] == {group: first}
    assert "This is a downgrade: it deploys version 1" in back["warnings"][0]
    assert "This is a downgrade" in team.message(back["release_id"])
    assert len(noticed(team, words)) == len(mailed(team, words)) == 1


def noticed(team: Team, words: str) -> list[str]:
    """Messages in the channel with these words."""
    shown = [json.dumps(message, ensure_ascii=False) for message in team.running.slack.messages(CHANNEL)]
    return [text for text in shown if words in text]


def mailed(team: Team, words: str) -> list[str]:
    """E-mails with these words."""
    return [mail["message"] for mail in team.running.cloud.mail() if words in mail["message"]]
