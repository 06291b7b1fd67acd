"""Uploads that come twice, late, or with a configuration: each version once, the newest last, by the one in force."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from orchestrator.core.deliveries import Claim
from orchestrator.core.errors import WorkloadBusy
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import UNKNOWN
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.start_releases import Terms, request_key, start_releases
from tests.fakes.machine import Machines
from tests.fakes.memory_world import ASSETS, PACKAGES, MemoryWorld, configuration
from tests.steps.journeys import live
from tests.steps.test_receive_asset import MODEL, NAME, pinned


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_ten_deliveries_are_one_release(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"a better model")
    receipts = [world.deliver(event) for _ in range(10)]
    assert [receipt.duplicate for receipt in receipts] == [False] + [True] * 9
    assert len({receipt.releases[0].release_id for receipt in receipts}) == 1
    assert len(world.memory.all(Release)) == 2


def test_an_older_version_whose_event_comes_late_is_superseded(world: MemoryWorld) -> None:
    live(world)
    older, newer = world.put_asset(MODEL, b"older"), world.put_asset(MODEL, b"newer")
    (new,) = world.deliver(newer).releases
    (old,) = world.deliver(older).releases
    assert (new.status, old.status) == (Status.REQUESTED, Status.SUPERSEDED)
    assert old.release_id not in world.fake_tasks.started


def test_an_older_version_is_superseded_by_one_that_a_configuration_took(world: MemoryWorld) -> None:
    """The newer version's own event may still be on its way: the bucket is asked."""
    first = live(world)
    older = world.put_asset(MODEL, b"older")
    world.put_asset(MODEL, b"newer")
    second = live(world, configuration(description="with the newer model"))
    (old,) = world.deliver(older).releases
    assert old.status is Status.SUPERSEDED
    assert world.workload(NAME).live_release == second.release_id != first.release_id


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_whatever_the_order_of_events_the_newest_model_is_the_last(world: MemoryWorld, order: Sequence[int]) -> None:
    live(world)
    events = [world.put_asset(MODEL, f"model {number}".encode()) for number in range(3)]
    for at in order:
        for _ in range(2):
            world.deliver(events[at])
    Machines(world).settle()
    newest = world.of(world.workload(NAME).newest_release)
    assert dict(newest.pins)[MODEL] == events[2]["detail"]["object"]["version-id"]
    assert len([row for row in world.memory.all(Claim) if row.releases]) == 4


@pytest.mark.parametrize("model_first", [True, False])
def test_model_and_configuration_together_are_deployed_once(world: MemoryWorld, model_first: bool) -> None:
    live(world)
    model = world.put_asset(MODEL, b"a better model")
    upload = world.put_configuration(configuration(description="with a better model"))
    if model_first:
        world.deliver(model)
    world.receive(upload)
    if not model_first:
        world.deliver(model)
    Machines(world).settle()
    newest = world.of(world.workload(NAME).newest_release)
    assert newest.description == "with a better model"
    assert pinned(world, newest.release_id)[MODEL] == model["detail"]["object"]["version-id"]
    waiting = [one.digest for one in world.memory.all(Release) if one.status is Status.AWAITING_APPROVAL]
    assert waiting == [newest.digest]


def test_the_configuration_in_force_is_the_newest_asked_for_not_the_newest_packaged(world: MemoryWorld) -> None:
    live(world)
    world.uploaded(configuration(description="on its way"))
    (release,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    kept = json.loads(world.buckets.read(PACKAGES, request_key(release.release_id)))
    assert kept["description"] == release.description == "on its way"


def test_a_configuration_that_cannot_be_packaged_leaves_the_former_in_force(world: MemoryWorld) -> None:
    live(world, configuration(description="good"))
    world.uploaded(configuration(description="bad", verify={"sample": "missing.csv", "content_type": "text/csv"}))
    Machines(world).settle()
    (release,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    assert release.description == "good"


def test_an_upload_never_brings_back_a_configuration_that_a_newer_one_replaces(world: MemoryWorld) -> None:
    """The newer configuration was asked for before the upload's event, and is seen only after it."""
    live(world)
    newer = world.put_configuration(configuration(description="newer"))
    asked_first = world.clock()
    event = world.put_asset(MODEL, b"a better model")
    world.clock.pass_seconds(5)
    (by_use,) = world.deliver(event).releases
    data = world.buckets.read(ASSETS, newer.key, newer.version_id)
    source = Source(SourceKind.S3, newer.bucket, newer.key, newer.version_id)
    (configured,) = start_releases(source, UNKNOWN, data, world.reception, Terms(asked_at=asked_first)).releases
    assert configured.order > by_use.order
    Machines(world).settle()
    assert world.workload(NAME).newest_release == configured.release_id
    assert pinned(world, configured.release_id)[MODEL] == event["detail"]["object"]["version-id"]


def test_a_model_whose_event_comes_late_is_in_the_package_already(world: MemoryWorld) -> None:
    """Model and configuration are uploaded at once, and the model's event finds the configuration known."""
    late = world.put_asset(MODEL, b"a model with a late event")
    asked = world.uploaded()
    (again,) = world.deliver(late).releases
    with pytest.raises(WorkloadBusy, match=f"{asked.release_id}, whose configuration this one has, is being packaged"):
        world.package(again.release_id)
    assert world.package(asked.release_id) == {"outcome": "packaged"}
    assert world.package(again.release_id) == {"outcome": "unchanged"}
    assert world.of(again.release_id).reason == (
        f"The same content is on its way already, in release {asked.release_id}."
    )
    assert world.workload().running_release == asked.release_id


def test_a_model_that_is_not_in_the_package_takes_its_turn(world: MemoryWorld) -> None:
    asked = world.uploaded()
    assert world.package(asked.release_id) == {"outcome": "packaged"}
    (better,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    with pytest.raises(WorkloadBusy, match="has its turn"):
        world.package(better.release_id)
    assert world.workload().newest_release == better.release_id


def test_a_model_does_not_wait_for_a_configuration_of_which_no_package_can_be_made(world: MemoryWorld) -> None:
    asked = world.uploaded()
    (again,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    world.end(asked.release_id, Status.FAILED)
    assert world.package(again.release_id) == {"outcome": "packaged"}


def test_a_model_is_released_though_one_with_the_same_content_was_decided_against(world: MemoryWorld) -> None:
    asked = world.uploaded()
    assert world.package(asked.release_id) == {"outcome": "packaged"}
    (again,) = world.deliver(world.put_asset(MODEL, b"a model")).releases
    world.store.update(Release, asked.key(), lambda found: replace(found, ended_by="Ana"))
    with pytest.raises(WorkloadBusy, match="has its turn"):
        world.package(again.release_id)
