"""Whole releases: the product's own state machines, interpreted, over the world in memory."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import AccessDenied
from orchestrator.core.installation import StageSettings
from orchestrator.core.records import Release, StageStatus, Status, Verdict
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, CHLOE, RISK, MemoryWorld, configuration, installation
from tests.steps.journeys import STACK


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def machines(world: MemoryWorld) -> Machines:
    return Machines(world)


def started(world: MemoryWorld, machines: Machines, **changes: object) -> Release:
    """A release that has gone as far as it goes by itself."""
    release = world.release(configuration(**changes))
    machines.settle()
    return world.of(release.release_id)


def approve_everything(world: MemoryWorld, machines: Machines, release: Release) -> Release:
    while (current := world.of(release.release_id)).status is Status.AWAITING_APPROVAL:
        world.vote(CHLOE, world.approval(release.release_id, current.stage))
        machines.settle()
    return current


def test_through_every_stage_with_two_approvals(world: MemoryWorld, machines: Machines) -> None:
    release = started(world, machines)
    assert release.status is Status.AWAITING_APPROVAL
    assert approve_everything(world, machines, release).status is Status.SUCCEEDED
    assert [len(world.stacks(stage).executed) for stage in ("dev", "staging", "prod")] == [1, 1, 1]
    assert world.workload().live_release == release.release_id
    assert world.workload().running_release == ""
    (execution,) = machines.executions.values()
    assert execution.status == "SUCCEEDED"
    assert execution.path == [
        "Package",
        "ContentChanged",
        "DeployDev",
        "RunJobDev",
        "VerifyDev",
        "PlanStaging",
        "WaitForStagingApproval",
        "StagingDecision",
        "DeployStaging",
        "StagingDeployed",
        "RunJobStaging",
        "VerifyStaging",
        "PlanProd",
        "WaitForProdApproval",
        "ProdDecision",
        "DeployProd",
        "ProdDeployed",
        "RunJobProd",
        "VerifyProd",
        "Succeeded",
    ]


def test_the_same_content_again_is_unchanged(world: MemoryWorld, machines: Machines) -> None:
    approve_everything(world, machines, started(world, machines))
    again = started(world, machines)
    assert again.status is Status.UNCHANGED
    assert machines.executions[again.release_id].path == ["Package", "ContentChanged", "Unchanged"]


def test_forced_it_goes_through_with_nothing_to_approve(world: MemoryWorld, machines: Machines) -> None:
    approve_everything(world, machines, started(world, machines))
    again = world.release(configuration(), force=True)
    machines.settle()
    assert world.of(again.release_id).status is Status.SUCCEEDED
    assert [len(world.stacks(stage).executed) for stage in ("dev", "staging", "prod")] == [1, 1, 1]


def test_rejected(world: MemoryWorld, machines: Machines) -> None:
    release = started(world, machines)
    world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "AUC fell")
    machines.settle()
    ended = world.of(release.release_id)
    assert (ended.status, ended.reason) == (Status.REJECTED, "AUC fell")
    assert world.stacks("staging").stacks == {}
    assert world.stacks("prod").stacks == {}


def test_expired(world: MemoryWorld, machines: Machines) -> None:
    release = started(world, machines)
    world.clock.pass_hours(72)
    machines.settle()
    assert world.of(release.release_id).status is Status.EXPIRED


def test_a_decision_in_the_last_minute_but_one_is_heard(world: MemoryWorld, machines: Machines) -> None:
    release = started(world, machines)
    world.clock.pass_hours(71.98)
    world.vote(BEN, world.approval(release.release_id, "staging"))
    machines.settle()
    assert world.of(release.release_id).stage == "prod"


def test_superseded_by_a_newer_one(world: MemoryWorld, machines: Machines) -> None:
    older = started(world, machines)
    newer = started(world, machines, description="newer")
    machines.settle()
    machines.settle()
    assert world.of(older.release_id).status is Status.SUPERSEDED
    assert world.of(older.release_id).ended_by == newer.release_id
    assert approve_everything(world, machines, newer).status is Status.SUCCEEDED


def test_of_three_the_newest_goes_on(world: MemoryWorld, machines: Machines) -> None:
    world.stacks("dev").immediate = False
    running, middle, newest = (started(world, machines, description=word) for word in ("one", "two", "three"))
    world.stacks("dev").finish(STACK)
    world.stacks("dev").immediate = True
    world.sweep()
    for _ in range(4):
        machines.settle()
    statuses = [world.of(one.release_id).status for one in (running, middle, newest)]
    assert statuses == [Status.SUPERSEDED, Status.SUPERSEDED, Status.AWAITING_APPROVAL]
    assert machines.executions[middle.release_id].path == ["Package", "ContentChanged", "Superseded"]


def test_a_plan_that_went_stale_is_shown_and_approved_again(world: MemoryWorld, machines: Machines) -> None:
    approve_everything(world, machines, started(world, machines))
    release = started(world, machines, inference_instance="ml.c5.large")
    first = world.approval(release.release_id, "staging")
    world.stacks("staging").somebody_else_deploys(STACK)
    world.vote(BEN, first)
    machines.settle()
    second = world.approval(release.release_id, "staging")
    assert second.approval_id != first.approval_id
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL
    assert approve_everything(world, machines, release).status is Status.SUCCEEDED


def test_a_stage_that_keeps_moving_ends_the_release(world: MemoryWorld, machines: Machines) -> None:
    approve_everything(world, machines, started(world, machines))
    release = started(world, machines, inference_instance="ml.c5.large")
    for _ in range(3):
        world.stacks("staging").somebody_else_deploys(STACK)
        world.vote(BEN, world.approval(release.release_id, "staging"))
        machines.settle()
    ended = world.of(release.release_id)
    assert ended.status is Status.FAILED
    assert "3 plans for staging" in ended.reason


def test_a_rollback_in_prod_leaves_staging_released(world: MemoryWorld, machines: Machines) -> None:
    world.stacks("prod").fails_with = "Endpoint (AWS::SageMaker::Endpoint): no capacity"
    release = approve_everything(world, machines, started(world, machines))
    assert (release.status, release.stage) == (Status.FAILED, "prod")
    assert release.reason == "Endpoint (AWS::SageMaker::Endpoint): no capacity"
    assert world.stage(release.release_id, "staging").status is StageStatus.VERIFIED
    assert world.stage(release.release_id, "prod").status is StageStatus.FAILED
    assert machines.executions[release.release_id].status == "FAILED"
    world.stacks("prod").fails_with = ""
    again = approve_everything(world, machines, started(world, machines))
    assert again.status is Status.SUCCEEDED
    assert len(world.stacks("staging").executed) == 1, "staging has this content already"


def test_a_missing_asset_fails_before_anything_is_deployed(world: MemoryWorld, machines: Machines) -> None:
    asked = world.uploaded(configuration(model_artifact_location="fraud/forgotten.tar.gz"))
    machines.settle()
    release = world.of(asked.release_id)
    assert release.status is Status.FAILED
    assert "$.model_artifact_location" in release.reason
    assert world.stacks("dev").stacks == {}


def test_a_refused_call_ends_the_release_and_frees_the_turn(
    world: MemoryWorld, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(request: object) -> object:
        raise AccessDenied("mlops-deploy may not do cloudformation:CreateChangeSet")

    with monkeypatch.context() as refusing:
        refusing.setattr(world.stacks("staging"), "plan", denied)
        release = started(world, machines)
    assert (release.status, release.stage) == (Status.FAILED, "staging")
    assert "cloudformation:CreateChangeSet" in release.reason
    assert started(world, machines, description="x").status is Status.AWAITING_APPROVAL


def test_an_event_resumes_while_nothing_polls(world: MemoryWorld, machines: Machines) -> None:
    world.stacks("dev").immediate = False
    release = started(world, machines)
    assert release.status is Status.DEPLOYING
    world.stacks("dev").finish(STACK)
    machines.settle()
    assert world.of(release.release_id).status is Status.DEPLOYING
    assert world.sweep().settled == 1
    machines.settle()
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL


def test_a_deployment_that_never_ends_times_out_and_its_wait_goes(world: MemoryWorld, machines: Machines) -> None:
    world.stacks("dev").immediate = False
    release = started(world, machines)
    world.clock.pass_hours(12.1)
    machines.settle()
    ended = world.of(release.release_id)
    assert (ended.status, ended.reason) == (Status.FAILED, "A step did not end in time.")
    world.sweep()
    assert world.waits() == ()


@pytest.mark.parametrize("asks", [True, False], ids=["with approval", "without"])
def test_in_a_single_account(asks: bool) -> None:
    prod = StageSettings("prod", "111111111111", RISK if asks else None)
    world = MemoryWorld(installation=installation(prod, mode="single"))
    machines = Machines(world)
    release = started(world, machines, inference_instance="ml.m5.large")
    if asks:
        assert release.status is Status.AWAITING_APPROVAL
        world.vote(BEN, world.approval(release.release_id, "prod"))
        machines.settle()
    assert world.of(release.release_id).status is Status.SUCCEEDED
    assert machines.executions[release.release_id].path[:3] == ["Package", "ContentChanged", "Plan"]


def test_a_file_of_two_workloads_is_two_releases(world: MemoryWorld, machines: Machines) -> None:
    file = {"pipelines": [configuration(), configuration(pipeline_name="second")]}
    receipt = world.receive(world.put_configuration(file))
    machines.settle()
    assert [world.of(one.release_id).status for one in receipt.releases] == [Status.AWAITING_APPROVAL] * 2
    assert len(world.stacks("dev").stacks) == 2
