"""Uploads of what workloads use when something is gone, is taken no more, or dies on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.records import Release, Status
from orchestrator.core.steps.receipts import NOTHING
from tests.fakes.dying import dying_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import ASSETS, MemoryWorld, configuration
from tests.steps.journeys import live
from tests.steps.test_receive_asset import MODEL


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_a_version_that_was_deleted_is_told(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"gone soon")
    world.buckets.remove(ASSETS, MODEL)
    (refused,) = world.deliver(event).releases
    assert refused.status is Status.REFUSED
    assert "deleted before it was read" in refused.problems[0]
    assert world.deliver(event).duplicate


def test_a_version_deleted_between_event_and_package_fails_with_its_name(world: MemoryWorld) -> None:
    live(world)
    (release,) = world.deliver(world.put_asset(MODEL, b"gone soon")).releases
    world.buckets.remove(ASSETS, MODEL)
    Machines(world).settle()
    ended = world.of(release.release_id)
    assert (ended.status, ended.failure) == (Status.FAILED, "SourceGone")
    assert MODEL in ended.reason


def test_an_object_without_a_version_is_refused_where_it_is_in_use(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"x")
    del event["detail"]["object"]["version-id"]
    (refused,) = world.deliver(event).releases
    assert refused.status is Status.REFUSED
    assert "has no version id. Turn versioning on" in refused.problems[0]
    nobodys = world.put_asset("elsewhere.bin", b"x")
    del nobodys["detail"]["object"]["version-id"]
    assert world.deliver(nobodys) == NOTHING


def test_an_asset_that_is_missing_when_the_configuration_comes_starts_nothing_later(world: MemoryWorld) -> None:
    """The configuration was refused for it: the author uploads it and releases anew."""
    release = world.uploaded(configuration(model_artifact_location="later/model.tar.gz"))
    machines = Machines(world)
    machines.settle()
    assert world.of(release.release_id).status is Status.FAILED
    assert world.deliver(world.put_asset("later/model.tar.gz", b"x")) == NOTHING


def test_an_old_configuration_that_the_installation_takes_no_more_is_refused_for_its_workload_alone(
    world: MemoryWorld,
) -> None:
    asked = {"prod": {"any_of": [{"risk": 1}]}}
    world.release(configuration(pipeline_name="one"))
    world.release(configuration(pipeline_name="two", approval=asked))
    world.installation = replace(world.installation, roles={"ml-owner": ("ben@example.com",)})
    receipt = world.deliver(world.put_asset(MODEL, b"a better model"))
    assert {release.status for release in receipt.releases} == {Status.REQUESTED, Status.REFUSED}
    (refused,) = [release for release in receipt.releases if release.status is Status.REFUSED]
    assert refused.problems[0].startswith("two-realtime: $.approval.prod.any_of: this installation has no approver")


def test_dying_anywhere_and_delivered_again_completes_and_never_repeats() -> None:
    def prepared() -> tuple[MemoryWorld, dict[str, Any]]:
        world = MemoryWorld()
        for name in ("one", "two"):
            world.release(configuration(pipeline_name=name))
        return world, world.put_asset(MODEL, b"a better model")

    undisturbed, event = prepared()
    undisturbed.deliver(event)
    for calls in range(1, 200):
        world, event = prepared()
        try:
            with dying_after(world, calls):
                world.deliver(event)
        except Died:
            pass
        else:
            assert calls > 20
            break
        world.clock.pass_hours(1)
        world.deliver(event)
        assert world.fake_tasks.started == undisturbed.fake_tasks.started
        assert all(release.execution_arn for release in world.memory.all(Release))
