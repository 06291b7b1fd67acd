"""Removals: the product's own state machines, interpreted, take a workload away over the world in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import UnknownWorkload
from orchestrator.core.installation import ApprovalPolicy, StageSettings
from orchestrator.core.records import Release, StageStatus, Status, Verdict
from orchestrator.core.steps.remove_workload import remove_workload
from orchestrator.core.uses import Use
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, RISK, MemoryWorld, configuration, installation
from tests.steps.journeys import STACK

WORKLOAD = "fraud-detector-realtime"
STAGES = ("dev", "staging", "prod")


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def machines(world: MemoryWorld) -> Machines:
    return Machines(world)


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
    return {one.stage: one.release_id for one in world.workload().live}


def test_dev_goes_first_and_staging_and_prod_are_asked_for(world: MemoryWorld, machines: Machines) -> None:
    first = live(world, machines)
    assert where_live(world) == dict.fromkeys(STAGES, first.release_id)
    asked = removal(world, machines)
    assert (asked.status, asked.stage, asked.stages) == (Status.AWAITING_APPROVAL, "staging", STAGES)
    assert world.stacks("dev").stacks == {}
    assert world.stage(asked.release_id, "dev").status is StageStatus.REMOVED
    assert where_live(world) == {"staging": first.release_id, "prod": first.release_id}
    plan = world.stage(asked.release_id, "staging").plan
    assert plan is not None
    assert [(change.action, change.logical_id) for change in plan.resources] == [("remove", "Endpoint")]
    ended = approved(world, machines, asked)
    assert ended.status is Status.SUCCEEDED
    assert [world.stacks(stage).stacks for stage in STAGES] == [{}, {}, {}]
    workload = world.workload()
    assert (workload.live, workload.live_release, workload.live_digest) == ((), "", "")
    assert (workload.running_release, workload.removed_by) == ("", ended.release_id)
    assert workload.listing() is None
    (execution,) = [one for name, one in machines.executions.items() if name == ended.release_id]
    assert execution.path[:5] == ["Package", "ContentChanged", "DeployDev", "RunJobDev", "VerifyDev"]
    assert (execution.path[-1], execution.status) == ("Succeeded", "SUCCEEDED")


def test_what_was_approved_is_what_is_deleted(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    asked = removal(world, machines)
    first = world.approval(asked.release_id, "staging")
    world.stacks("staging").somebody_else_deploys(STACK)
    world.vote(BEN, first)
    machines.settle()
    assert STACK in world.stacks("staging").stacks
    again = world.approval(asked.release_id, "staging")
    assert again.approval_id != first.approval_id
    assert approved(world, machines, asked).status is Status.SUCCEEDED


def test_a_rejection_keeps_the_rest(world: MemoryWorld, machines: Machines) -> None:
    first = live(world, machines)
    asked = removal(world, machines)
    world.vote(BEN, world.approval(asked.release_id, "staging"), Verdict.REJECT, "Still in use")
    machines.settle()
    ended = world.of(asked.release_id)
    assert (ended.status, ended.reason) == (Status.REJECTED, "Still in use")
    assert where_live(world) == {"staging": first.release_id, "prod": first.release_id}
    assert world.workload().live_digest == "", "dev has lost its content: releasing it again is no repetition"
    assert live(world, machines).status is Status.SUCCEEDED
    assert len(world.stacks("staging").executed) == 1, "staging has kept this content"


def test_what_is_deleted_is_waited_for_by_event_or_sweep(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    world.stacks("dev").immediate = False
    begun = removal(world, machines)
    assert begun.status is Status.DEPLOYING
    (wait,) = world.waits()
    assert world.sweep().settled == 0
    world.stacks("dev").finish(STACK)
    assert world.sweep().settled == 1
    machines.settle()
    assert world.of(begun.release_id).status is Status.AWAITING_APPROVAL
    assert wait.subject.startswith("arn:stack:dev")


def test_a_deletion_that_fails_ends_the_removal_with_the_reason(world: MemoryWorld, machines: Machines) -> None:
    first = live(world, machines)
    world.stacks("dev").fails_with = "Schedule (AWS::SageMaker::MonitoringSchedule): an execution is in progress"
    failed = removal(world, machines)
    assert (failed.status, failed.failure, failed.stage) == (Status.FAILED, "RemovalFailed", "dev")
    assert "an execution is in progress" in failed.reason
    assert where_live(world) == dict.fromkeys(STAGES, first.release_id)
    world.stacks("dev").fails_with = ""
    assert approved(world, machines, removal(world, machines, "again")).status is Status.SUCCEEDED


def test_the_same_request_is_one_removal_and_another_one_meanwhile_a_repetition(
    world: MemoryWorld, machines: Machines
) -> None:
    live(world, machines)
    first = removal(world, machines, "one")
    receipt = remove_workload(WORKLOAD, BY_ANA, "one", world.reception)
    assert (receipt.releases[0].release_id, receipt.duplicate) == (first.release_id, True)
    second = removal(world, machines, "two")
    assert (second.status, second.reason) == (
        Status.UNCHANGED,
        f"The same content is on its way already, in release {first.release_id}.",
    )
    assert world.of(first.release_id).status is Status.AWAITING_APPROVAL


def test_a_request_repeated_after_its_end_is_answered_with_it(world: MemoryWorld, machines: Machines) -> None:
    live(world, machines)
    ended = approved(world, machines, removal(world, machines, "one"))
    assert remove_workload(WORKLOAD, BY_ANA, "one", world.reception).releases[0] == ended
    with pytest.raises(UnknownWorkload, match=f"removed already, by release {ended.release_id}"):
        remove_workload(WORKLOAD, BY_ANA, "two", world.reception)


def test_an_unknown_workload_is_refused(world: MemoryWorld) -> None:
    with pytest.raises(UnknownWorkload, match="there is no workload 'nobody'"):
        remove_workload("nobody", BY_ANA, "one", world.reception)
    assert world.fake_tasks.started == {}


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


def test_a_stage_without_a_stack_asks_nobody(world: MemoryWorld, machines: Machines) -> None:
    asked = world.release()
    machines.settle()
    world.vote(BEN, world.approval(asked.release_id, "staging"), Verdict.REJECT, "Not yet")
    machines.settle()
    ended = removal(world, machines)
    assert ended.status is Status.SUCCEEDED
    assert world.stage(ended.release_id, "staging").status is StageStatus.UNCHANGED
    assert world.workload().live == ()


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


@pytest.mark.parametrize("asks", [True, False], ids=["with approval", "without"])
def test_in_a_single_account(asks: bool) -> None:
    prod = StageSettings("prod", "111111111111", RISK if asks else None)
    world = MemoryWorld(installation=installation(prod, mode="single"))
    machines = Machines(world)
    live(world, machines, inference_instance="ml.m5.large")
    begun = removal(world, machines)
    assert begun.status is (Status.AWAITING_APPROVAL if asks else Status.SUCCEEDED)
    assert approved(world, machines, begun).status is Status.SUCCEEDED
    assert world.stacks("prod").stacks == {}


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
