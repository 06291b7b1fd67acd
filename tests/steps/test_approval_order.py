"""Approvals in the Model Registry whose events come late, or in the other order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core import events
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.receive_model_package import receive_model_package
from orchestrator.core.uses import users_of_group
from tests.events import samples
from tests.fakes.memory_world import MemoryWorld, installation
from tests.steps.journeys import live
from tests.steps.test_receive_model_package import arn, register, registered

APPROVED, REJECTED = "Approved", "Rejected"


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld(installation=installation(model_registry=True))
    register(world, 1, APPROVED)
    live(world, registered())
    for number in (2, 3):
        register(world, number)
    return world


def approve(world: MemoryWorld, number: int, minute: int, approval: str = APPROVED) -> events.ModelPackageChanged:
    """The registry's own state; its event."""
    known = world.registry.versions[arn(number)]
    moment = f"2026-03-01T10:{minute:02}:00"
    world.registry.add(replace(known, approval=approval, modified=f"{moment}.123456+00:00"))
    return events.ModelPackageChanged(arn(number), ("ModelApprovalStatus",), f"{moment}Z")


def deliver(world: MemoryWorld, event: events.ModelPackageChanged) -> tuple[Release, ...]:
    return receive_model_package(event, users_of_group(world.store, "fraud"), world.reception).releases


def test_an_older_approval_whose_event_comes_late_releases_nothing(world: MemoryWorld) -> None:
    older, newer = approve(world, 2, 0), approve(world, 3, 5)
    (release,) = deliver(world, newer)
    assert arn(3) in dict(release.pins).values()
    (late,) = deliver(world, older)
    assert (late.status, late.reason) == (Status.SUPERSEDED, f"{arn(3)} was approved after this version.")
    assert world.of(release.release_id).status is Status.REQUESTED


def test_an_older_version_that_is_approved_later_is_meant(world: MemoryWorld) -> None:
    deliver(world, approve(world, 3, 0))
    (release,) = deliver(world, approve(world, 2, 5))
    assert release.status is Status.REQUESTED


def test_an_approval_that_was_taken_back_stands_in_no_others_way(world: MemoryWorld) -> None:
    older, newer = approve(world, 2, 0), approve(world, 3, 5)
    deliver(world, newer)
    deliver(world, approve(world, 3, 6, REJECTED))
    (release,) = deliver(world, older)
    assert release.status is Status.REQUESTED


def test_an_event_with_an_empty_list_of_changes_says_as_little_as_one_without(world: MemoryWorld) -> None:
    event = samples.model_package_changed(arn(2))
    event["detail"]["UpdatedModelPackageFields"] = []
    assert events.model_package(event).changed is None
    approve(world, 2, 0)
    (release,) = deliver(world, events.model_package(event))
    assert release.status is Status.REQUESTED
