"""Approvals in the Model Registry: each one a release of what uses the group, whatever SageMaker tells how often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.facts import ModelContainer
from orchestrator.core.origins import SourceKind
from orchestrator.core.packaging import read_package
from orchestrator.core.ports import ModelVersion
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.receipts import NOTHING
from orchestrator.core.steps.released import package_key
from tests.fakes.memory_world import PACKAGES, MemoryWorld, configuration, installation
from tests.steps.journeys import live

PREFIX = "arn:aws:sagemaker:us-east-1:111111111111:"
GROUP = f"{PREFIX}model-package-group/fraud"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAME = "fraud-detector-realtime"
PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"


def arn(number: int, group: str = "fraud") -> str:
    """ARN of a version."""
    return f"{PREFIX}model-package/{group}/{number}"


def register(world: MemoryWorld, number: int, approval: str = PENDING, **changes: Any) -> str:
    """Register a version of the group."""
    containers = (ModelContainer(IMAGE, f"s3://models/fraud/{number}/model.tar.gz"),)
    world.registry.add(replace(ModelVersion(arn(number), approval, "Completed", containers), **changes))
    return arn(number)


def registered(name: str = GROUP, **changes: Any) -> dict[str, Any]:
    """A configuration that names a model package."""
    drop = dict.fromkeys(("model_framework", "model_framework_version", "model_artifact_location"))
    return configuration(**drop, model_package_name=name, **changes)


@pytest.fixture
def world() -> MemoryWorld:
    """Version 1 of the group ``fraud`` is approved; nothing is released."""
    world = MemoryWorld(installation=installation(model_registry=True))
    register(world, 1, APPROVED)
    return world


def deployed(world: MemoryWorld, release: Release) -> str:
    """The version that a release was packaged with."""
    package = read_package(world.buckets.read(PACKAGES, package_key(release.release_id)))
    return package.parameters("prod")["ModelPackageName"]


@pytest.mark.parametrize("named", [GROUP, arn(1)], ids=["its group", "a version of it"])
def test_an_approved_version_is_released_wherever_its_group_is_used(world: MemoryWorld, named: str) -> None:
    live(world, registered(named))
    register(world, 2, modified_by="arn:aws:iam::111111111111:user/ben")
    (release,) = world.assess(arn(2), APPROVED).releases
    assert (release.workload, release.source.kind, release.source.key) == (NAME, SourceKind.REGISTRY, arn(2))
    assert (release.requester.value, release.requester.verified) == ("arn:aws:iam::111111111111:user/ben", False)
    assert release.pins == ((GROUP, arn(2)),)
    assert world.package(release.release_id) == {"outcome": "packaged"}
    assert deployed(world, release) == arn(2)
    assert world.of(release.release_id).models == (arn(2),)
    assert world.of(release.release_id).warnings == ()


def test_the_events_version_is_deployed_also_when_a_newer_one_was_approved_meanwhile(world: MemoryWorld) -> None:
    live(world, registered())
    register(world, 2)
    (release,) = world.assess(arn(2), APPROVED).releases
    register(world, 3, APPROVED)
    assert world.package(release.release_id) == {"outcome": "packaged"}
    assert deployed(world, release) == arn(2)


def test_an_older_version_is_shown_as_a_downgrade(world: MemoryWorld) -> None:
    register(world, 2, APPROVED)
    register(world, 3, APPROVED)
    live(world, registered())
    world.assess(arn(1), REJECTED)
    (release,) = world.assess(arn(1), APPROVED).releases
    world.package(release.release_id)
    assert world.of(release.release_id).warnings == (
        "This is a downgrade: it deploys version 1 of fraud, and version 3 is live in dev, staging, prod.",
    )


def test_a_configuration_that_names_an_older_version_is_a_downgrade_too(world: MemoryWorld) -> None:
    register(world, 2, APPROVED)
    live(world, registered(arn(2)))
    release = world.release(registered(arn(1)))
    world.package(release.release_id)
    assert world.of(release.release_id).warnings[0].startswith("This is a downgrade: it deploys version 1 of fraud")


def test_ten_events_of_one_approval_are_one_release(world: MemoryWorld) -> None:
    live(world, registered())
    register(world, 2)
    first = world.assess(arn(2), APPROVED)
    again = [world.registry_event(arn(2), "ModelApprovalStatus") for _ in range(5)]
    again += [world.registry_event(arn(2)) for _ in range(5)]
    assert not first.duplicate
    assert all(receipt.duplicate and receipt.releases == first.releases for receipt in again)


@pytest.mark.parametrize("between", [REJECTED, PENDING])
def test_a_version_that_is_approved_anew_is_released_anew(world: MemoryWorld, between: str) -> None:
    live(world, registered())
    register(world, 2)
    (first,) = world.assess(arn(2), APPROVED).releases
    world.assess(arn(2), between)
    (second,) = world.assess(arn(2), APPROVED).releases
    assert first.release_id != second.release_id


def test_a_version_taken_back_and_approved_before_anybody_looked_is_released_anew(world: MemoryWorld) -> None:
    """Both events arrive after both changes: the version was approved each time it was looked at."""
    live(world, registered())
    register(world, 2)
    (first,) = world.assess(arn(2), APPROVED).releases
    register(world, 2, APPROVED, modified="2026-03-02T12:00:00+00:00")
    (second,) = world.registry_event(arn(2), "ModelApprovalStatus").releases
    assert first.release_id != second.release_id
    assert world.registry_event(arn(2), "ModelApprovalStatus").duplicate


@pytest.mark.parametrize("field", ["CustomerMetadataProperties", "ModelLifeCycle", "ApprovalDescription"])
def test_a_change_of_something_else_is_no_approval(world: MemoryWorld, field: str) -> None:
    live(world, registered())
    register(world, 2)
    world.assess(arn(2), APPROVED)
    before = len(world.memory.all(Release))
    register(world, 2, APPROVED, modified="2026-03-02T12:00:00+00:00")
    assert world.registry_event(arn(2), field) == NOTHING
    assert world.registry_event(arn(2), "ModelApprovalStatus").duplicate
    assert len(world.memory.all(Release)) == before


def test_a_change_of_an_older_approved_version_is_no_downgrade(world: MemoryWorld) -> None:
    """It was approved before anybody here had heard of it."""
    register(world, 2, APPROVED)
    live(world, registered())
    assert world.registry_event(arn(1), "ModelPackageDescription") == NOTHING


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Failed", "Deleting"])
def test_an_approved_version_is_released_once_it_is_complete(world: MemoryWorld, status: str) -> None:
    live(world, registered())
    register(world, 2, status=status)
    assert world.assess(arn(2), APPROVED) == NOTHING
    register(world, 2, APPROVED, modified="2026-03-02T12:00:00+00:00")
    assert len(world.registry_event(arn(2), "ModelPackageStatus").releases) == 1


def test_what_waits_for_its_approval_starts_nothing(world: MemoryWorld) -> None:
    live(world, registered())
    register(world, 2)
    assert world.registry_event(arn(2)) == NOTHING


def test_a_group_that_nobody_uses_starts_nothing(world: MemoryWorld) -> None:
    live(world, registered())
    other = arn(1, "churn")
    world.registry.add(replace(world.registry.versions[arn(1)], arn=other))
    before = dict(world.memory.rows)
    assert world.assess(other, APPROVED) == NOTHING
    assert world.memory.rows == before


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:sagemaker:us-east-1:999999999999:model-package/fraud/2",
        f"{PREFIX}model-package/fraud",
        "model-package/fraud/2",
        "nonsense",
    ],
    ids=["another account", "without versions", "no ARN", "nonsense"],
)
def test_what_is_no_version_of_this_registry_starts_nothing(world: MemoryWorld, other: str) -> None:
    live(world, registered())
    assert world.registry_event(other) == NOTHING


def test_a_version_that_is_gone_is_told(world: MemoryWorld) -> None:
    live(world, registered())
    (refused,) = world.registry_event(arn(9)).releases
    assert refused.status is Status.REFUSED
    assert refused.problems == (f"There is no model package {arn(9)} any more.",)


def test_an_approved_version_stays_when_something_else_is_uploaded(world: MemoryWorld) -> None:
    """The configuration names version 1; version 2 was approved after it."""
    live(world, registered(arn(1)))
    register(world, 2)
    (approved,) = world.assess(arn(2), APPROVED).releases
    (release,) = world.deliver(world.put_asset("fraud/sample.csv", b"7,8,9")).releases
    assert dict(release.pins)[GROUP] == arn(2)
    assert world.package(approved.release_id)["outcome"] == "packaged"
    world.end(approved.release_id, Status.REJECTED)
    assert world.package(release.release_id)["outcome"] == "packaged"
    assert deployed(world, release) == arn(2)
