"""Removals on their way: a workload is made live and taken away, by the product's own state machines, interpreted."""

from __future__ import annotations

from orchestrator.core.records import Release, Status
from orchestrator.core.steps.remove_workload import remove_workload
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, MemoryWorld, configuration

WORKLOAD = "fraud-detector-realtime"
STAGES = ("dev", "staging", "prod")


def approved(world: MemoryWorld, machines: Machines, release: Release) -> Release:
    """Everything that is asked is approved, to the end; by two, as one whose requester is unknown needs."""
    machines.settle()
    for _ in STAGES:
        current = world.of(release.release_id)
        for voter in (CHLOE, BEN) if current.status is Status.AWAITING_APPROVAL else ():
            world.vote(voter, world.approval(release.release_id, current.stage))
        machines.settle()
    return world.of(release.release_id)


def live(world: MemoryWorld, machines: Machines, **changes: object) -> Release:
    """Released to every stage."""
    release = approved(world, machines, world.release(configuration(**changes)))
    assert release.status is Status.SUCCEEDED, release.reason
    return release


def removal(world: MemoryWorld, machines: Machines, request: str = "please") -> Release:
    """The removal, as far as it goes by itself."""
    receipt = remove_workload(WORKLOAD, BY_ANA, request, world.reception)
    machines.settle()
    return world.of(receipt.releases[0].release_id)


def where_live(world: MemoryWorld) -> dict[str, str]:
    """Stage → the release that is live there."""
    return {one.stage: one.release_id for one in world.workload().live}
