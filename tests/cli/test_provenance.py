"""Where a release came from, in ``mlops status`` and ``history``: a commit, an uploaded asset, a removal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.origins import Commit, Source, SourceKind
from orchestrator.core.records import Release
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"
COMMIT = Commit(
    "models",
    "main",
    "0a1b2c3d4e5f",
    "Ana Silva",
    "ana@home.example",
    "Retrain on March",
    "https://git.example/0a1b2c3d",
)


@pytest.fixture
def live(gateway: Gateway) -> Release:
    """A release that went all the way."""
    return journeys.live(gateway.world)


def came_from(gateway: Gateway, release: Release, source: Source, **more: object) -> None:
    gateway.world.memory.update(Release, release.key(), lambda found: replace(found, source=source, **more))  # type: ignore[arg-type]


def test_a_commit_is_shown_with_what_it_claims(mlops: Command, gateway: Gateway, live: Release) -> None:
    source = Source(SourceKind.COMMIT, "models", "fraud/mlops-config.json", COMMIT.commit_id)
    came_from(gateway, live, source, commit=COMMIT)
    status = mlops("status", live.release_id).stdout
    for line in (
        "From         fraud/mlops-config.json in models at commit 0a1b2c3d4e5f",
        "Commit       0a1b2c3d4e5f on main",
        "Author       Ana Silva <ana@home.example> (as the commit says)",
        "Message      Retrain on March",
        "Link         https://git.example/0a1b2c3d",
    ):
        assert line in status
    history = mlops("history", WORKLOAD).stdout
    assert "from fraud/mlops-config.json in models at commit 0a1b2c3d4e5f" in history
    assert "  author: Ana Silva <ana@home.example> (as the commit says)\n  message: Retrain on March\n" in history
    assert mlops.json("status", live.release_id)["commit"]["branch"] == "main"


def test_an_asset_is_shown_with_the_version_that_it_pinned(mlops: Command, gateway: Gateway, live: Release) -> None:
    source = Source(SourceKind.ASSET, "assets", "fraud/model.tar.gz", "v7")
    came_from(gateway, live, source, pins=(("fraud/model.tar.gz", "v7"),))
    status = mlops("status", live.release_id).stdout
    assert "From         s3://assets/fraud/model.tar.gz (version v7)" in status
    assert "Pinned       fraud/model.tar.gz at v7" in status


def test_an_approved_model_package_is_shown(mlops: Command, gateway: Gateway, live: Release) -> None:
    arn = "arn:aws:sagemaker:us-east-1:111111111111:model-package/fraud/7"
    came_from(gateway, live, Source(SourceKind.REGISTRY, key=arn, request="Approved"))
    assert f"From         model package {arn}" in mlops("status", live.release_id).stdout


def test_a_removal_is_told_from_a_release(mlops: Command, live: Release) -> None:
    mlops("remove", WORKLOAD, "--yes", person="ben")
    newest, older = mlops("history", WORKLOAD).stdout.split("asked by ")[:2]
    assert "its removal " in newest
    assert "its removal " not in older
