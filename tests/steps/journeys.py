"""Releases on their way: each function takes one to a place where tests begin."""

from __future__ import annotations

from orchestrator.core.records import Release, Status
from tests.fakes.memory_world import ASSETS, BEN, CHLOE, MemoryWorld, configuration, evaluation

STACK = "mlops-pipeline-fraud-detector-byompipelinerealtimebuiltin"


def packaged(world: MemoryWorld, values: object = None) -> Release:
    """It has its turn."""
    release = world.release(values)
    assert world.package(release.release_id) == {"outcome": "packaged"}
    return world.of(release.release_id)


def in_dev(world: MemoryWorld, values: object = None) -> Release:
    """It is deployed in dev."""
    release = packaged(world, values)
    world.deploy(release.release_id, "dev")
    world.verify(release.release_id, "dev")
    return world.of(release.release_id)


def planned(world: MemoryWorld, values: object = None) -> Release:
    """Its plan for staging is made."""
    release = in_dev(world, values)
    world.plan(release.release_id, "staging")
    return world.of(release.release_id)


def asked(world: MemoryWorld, values: object = None) -> Release:
    """It waits for the approval of staging."""
    release = planned(world, values)
    world.ask(release.release_id, "staging")
    return world.of(release.release_id)


def approved(world: MemoryWorld, values: object = None) -> Release:
    """Staging is approved, and not deployed yet."""
    release = asked(world, values)
    world.vote(BEN, world.approval(release.release_id, "staging"))
    return world.of(release.release_id)


def evaluated(world: MemoryWorld, values: object = None, **figures: float) -> object:
    """The configuration with its evaluation file, which is uploaded with these figures."""
    world.buckets.put(ASSETS, "fraud/evaluation.json", evaluation(**figures))
    return values or configuration(metrics="fraud/evaluation.json")


def live(world: MemoryWorld, values: object = None) -> Release:
    """It has gone all the way."""
    release = approved(world, values)
    world.deploy(release.release_id, "staging")
    world.verify(release.release_id, "staging")
    world.plan(release.release_id, "prod")
    world.ask(release.release_id, "prod")
    if not (plan := world.stage(release.release_id, "prod").plan) or not plan.empty:
        world.vote(CHLOE, world.approval(release.release_id, "prod"))
    world.deploy(release.release_id, "prod")
    world.verify(release.release_id, "prod")
    world.end(release.release_id, Status.SUCCEEDED)
    return world.of(release.release_id)
