"""Whole releases: the product's own state machines, interpreted, over the world in memory."""

from __future__ import annotations

from orchestrator.core.records import Status
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, CHLOE, MemoryWorld


def test_a_release_goes_through_every_stage_with_two_approvals() -> None:
    world = MemoryWorld()
    machines = Machines(world)
    release = world.release()
    machines.settle()
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL
    world.vote(BEN, world.approval(release.release_id, "staging"))
    machines.settle()
    world.vote(CHLOE, world.approval(release.release_id, "prod"))
    machines.settle()
    assert world.of(release.release_id).status is Status.SUCCEEDED
    assert [len(world.stacks(stage).executed) for stage in ("dev", "staging", "prod")] == [1, 1, 1]
    assert world.workload().live_release == release.release_id
    assert world.workload().running_release == ""
