"""Removals among releases: which one gives way, what a configuration demands, and what an upload starts afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.records import Release, Status, Verdict
from orchestrator.core.uses import Use
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, CHLOE, MemoryWorld, configuration
from tests.steps.removals import STAGES, approved, live, removal, where_live


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def machines(world: MemoryWorld) -> Machines:
    return Machines(world)


def test_a_newer_release_supersedes_a_removal_that_waits(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    asked = removal(world, machines)
    newer = world.release(configuration(description="newer"))
    for _ in range(3):
        machines.settle()
    assert world.of(asked.release_id).status is Status.SUPERSEDED
    assert world.of(asked.release_id).ended_by == newer.release_id
    assert approved(world, machines, newer).status is Status.SUCCEEDED
    assert where_live(world) == dict.fromkeys(STAGES, newer.release_id)


def test_a_removal_supersedes_a_release_that_waits(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    waiting = world.release(configuration(inference_instance="ml.c5.large"))
    machines.settle()
    asked = removal(world, machines)
    for _ in range(3):
        machines.settle()
    assert world.of(waiting.release_id).status is Status.SUPERSEDED
    assert approved(world, machines, asked).status is Status.SUCCEEDED


def test_released_again_it_is_known_again(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    approved(world, machines, removal(world, machines))
    again = live(world, machines)
    workload = world.workload()
    assert (workload.live_release, workload.removed_by) == (again.release_id, "")
    assert where_live(world) == dict.fromkeys(STAGES, again.release_id)


def test_what_a_live_configuration_demands_is_demanded_of_its_removal(world: MemoryWorld, machines: Machines) -> None:
    demand = {"staging": {"any_of": [{"risk": 2}]}}
    released = world.release(configuration(approval=demand))
    machines.settle()
    for voter in (BEN, CHLOE):
        world.vote(voter, world.approval(released.release_id, "staging"))
    assert approved(world, machines, released).status is Status.SUCCEEDED
    weaker = world.release(configuration(inference_instance="ml.c5.large"))
    machines.settle()
    world.vote(BEN, world.approval(weaker.release_id, "staging"), Verdict.REJECT, "Not so")
    machines.settle()
    asked = removal(world, machines)
    world.vote(BEN, world.approval(asked.release_id, "staging"))
    machines.settle()
    assert world.of(asked.release_id).status is Status.AWAITING_APPROVAL
    world.vote(CHLOE, world.approval(asked.release_id, "staging"))
    machines.settle()
    assert world.of(asked.release_id).stage == "prod"


def test_the_stages_tell_since_when_they_have_what_they_have(world: MemoryWorld, machines: Machines) -> None:
    first = live(world, machines)
    before = {one.stage: one.since for one in world.workload().live}
    world.clock.pass_hours(1)
    again = world.release(configuration(), force=True)
    assert approved(world, machines, again).status is Status.SUCCEEDED
    assert {one.stage: (one.release_id, one.since) for one in world.workload().live} == {
        stage: (again.release_id, moment) for stage, moment in before.items()
    }
    assert {one.digest for one in world.workload().live} == {first.digest}
    asked = world.release(configuration(inference_instance="ml.c5.large"))
    machines.settle()
    dev, staging, _ = world.workload().live
    assert (dev.release_id, staging.release_id) == (asked.release_id, again.release_id)
    assert dev.since > before["dev"]


def test_a_policy_of_the_installation_stands_whatever_the_configuration_said(
    world: MemoryWorld, machines: Machines
) -> None:
    live(world, machines)
    strict = ApprovalPolicy(((("risk", 2),),))
    stages = tuple(replace(one, approval=strict) if one.name == "staging" else one for one in world.installation.stages)
    world.installation = replace(world.installation, stages=stages)
    asked = removal(world, machines)
    world.vote(BEN, world.approval(asked.release_id, "staging"))
    assert world.of(asked.release_id).stage == "staging"
    assert world.approval(asked.release_id, "staging").status.value == "pending"


def test_an_upload_of_what_it_used_does_not_bring_it_back(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    asked = removal(world, machines)
    (late,) = _model_uploaded(world)
    assert (late.status, late.ended_by) == (Status.SUPERSEDED, asked.release_id), "a removal waits for people"
    ended = approved(world, machines, asked)
    assert ended.status is Status.SUCCEEDED
    assert world.memory.all(Use) == ()
    assert _model_uploaded(world) == ()


def test_after_a_removal_that_was_rejected_an_upload_starts_a_release_again(
    world: MemoryWorld, machines: Machines
) -> None:
    live(world, machines)
    asked = removal(world, machines)
    world.vote(BEN, world.approval(asked.release_id, "staging"), Verdict.REJECT, "Still in use")
    machines.settle()
    (release,) = _model_uploaded(world)
    assert approved(world, machines, release).status is Status.SUCCEEDED


def _model_uploaded(world: MemoryWorld) -> tuple[Release, ...]:
    world.clock.pass_hours(1)
    return world.deliver(world.put_asset("fraud/model.tar.gz", f"a model of {world.clock()}".encode())).releases
