"""A hundred uploads and a hundred releases at once, in the world in memory, in orders that a seed decides."""

from __future__ import annotations

import random

import pytest

from orchestrator.core.deliveries import Claim
from orchestrator.core.events import Upload
from orchestrator.core.records import Release, Status
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, CHLOE, MemoryWorld, configuration

SEEDS = (1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long))
UPLOADS, DELIVERIES = 100, 10
RELEASES = 50


def deployed_in_order(world: MemoryWorld) -> None:
    """Of each object no older version was deployed after a newer one, in any stage."""
    for stage in world.installation.stage_names:
        last: dict[str, int] = {}
        for token in world.stacks(stage).executed:
            release = world.of(token.removesuffix(f"-{stage}-{token.rsplit('-', 1)[-1]}"))
            number = int(release.source.version_id.split("-")[0].removeprefix("v"))
            assert number > last.get(release.workload, 0), f"{release.workload} in {stage}"
            last[release.workload] = number


def until_all_have_ended(world: MemoryWorld, machines: Machines) -> None:
    """Everybody approves what is asked; events are lost, the sweeper is not."""
    for _ in range(400):
        for stage in world.installation.stage_names:
            stacks = world.stacks(stage)
            for name in stacks.working():
                stacks.finish(name)
        world.sweep()
        machines.settle()
        for release in world.memory.all(Release):
            if release.status is Status.AWAITING_APPROVAL:
                for who in (BEN, CHLOE):
                    world.vote(who, world.approval(release.release_id, release.stage))
        if not machines.running():
            return
    raise AssertionError("the releases never end")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thousand_deliveries_of_a_hundred_uploads_are_a_hundred_claims(seed: int) -> None:
    """Ten workloads, ten versions each; every event ten times, in any order, with machines at work in between."""
    chance = random.Random(seed)  # noqa: S311 - an order of events, no secret
    world = MemoryWorld()
    machines = Machines(world)
    for stage in world.installation.stage_names:
        world.stacks(stage).immediate = False
    uploads: list[Upload] = []
    for number in range(UPLOADS):
        model = f"model-{number % 10}"
        values = configuration(model_name=model, data_capture_location=f"capture-bucket/{number}")
        if number % 7 == 3:
            values["colour"] = "no key of a configuration"
        uploads.append(world.put_configuration(values, f"{model}/mlops-config.json"))
    events = uploads * DELIVERIES
    chance.shuffle(events)
    for count, upload in enumerate(events):
        world.receive(upload)
        if count % 20 == 0:
            machines.settle()
            for stage in world.installation.stage_names:
                for name in world.stacks(stage).working():
                    if chance.random() < 0.5:
                        world.stacks(stage).finish(name)
            world.sweep()
    assert len(world.memory.all(Claim)) == UPLOADS
    assert len(world.memory.all(Release)) == UPLOADS
    until_all_have_ended(world, machines)
    assert len(world.memory.all(Claim)) == UPLOADS
    assert {one.status for one in world.memory.all(Release)} <= {
        Status.SUCCEEDED,
        Status.SUPERSEDED,
        Status.UNCHANGED,
        Status.REFUSED,
    }
    assert sum(len(world.stacks(stage).executed) for stage in world.installation.stage_names) >= 10
    deployed_in_order(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_releases_of_one_workload_and_fifty_of_others_at_once(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order of steps, no secret
    world = MemoryWorld()
    machines = Machines(world)
    for stage in world.installation.stage_names:
        world.stacks(stage).immediate = False
    names = ["the-one"] * RELEASES + [f"other-{number}" for number in range(RELEASES)]
    uploads = [
        world.put_configuration(
            configuration(model_name=name, data_capture_location=f"capture-bucket/{number}"),
            f"{name}/mlops-config.json",
        )
        for number, name in enumerate(names)
    ]
    for upload in uploads:
        world.receive(upload)
    for _ in range(3_000):
        running = machines.running()
        if not running:
            break
        machines.tick(chance.choice(running))
        for stage in world.installation.stage_names:
            stacks = world.stacks(stage)
            working = stacks.working()
            assert len(working) == len(set(working))
            if working and chance.random() < 0.2:
                stacks.finish(chance.choice(working))
        if chance.random() < 0.05:
            world.sweep()
    until_all_have_ended(world, machines)
    releases = world.memory.all(Release)
    the_one = sorted((one for one in releases if one.workload == "the-one-realtime"), key=lambda one: one.order)
    assert len(releases) == 2 * RELEASES
    assert the_one[-1].status is Status.SUCCEEDED
    assert {one.status for one in the_one[:-1]} <= {Status.SUCCEEDED, Status.SUPERSEDED}
    assert all(one.ended_by for one in the_one if one.status is Status.SUPERSEDED)
    assert all(one.status is Status.SUCCEEDED for one in releases if one.workload != "the-one-realtime")
    assert world.workload("the-one-realtime").live_release == the_one[-1].release_id
    assert world.waits() == ()
    deployed_in_order(world)
