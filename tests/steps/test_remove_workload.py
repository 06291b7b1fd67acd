"""Removals: the product's own state machines, interpreted, take a workload away over the world in memory."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import UnknownWorkload
from orchestrator.core.installation import StageSettings
from orchestrator.core.records import StageStatus, Status, Verdict
from orchestrator.core.steps.remove_workload import remove_workload
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, BY_ANA, RISK, MemoryWorld, installation
from tests.steps.journeys import STACK
from tests.steps.removals import STAGES, WORKLOAD, approved, live, removal, where_live


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def machines(world: MemoryWorld) -> Machines:
    return Machines(world)


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


def test_a_stage_without_a_stack_asks_nobody(world: MemoryWorld, machines: Machines) -> None:
    asked = world.release()
    machines.settle()
    world.vote(BEN, world.approval(asked.release_id, "staging"), Verdict.REJECT, "Not yet")
    machines.settle()
    ended = removal(world, machines)
    assert ended.status is Status.SUCCEEDED
    assert world.stage(ended.release_id, "staging").status is StageStatus.UNCHANGED
    assert world.workload().live == ()


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
