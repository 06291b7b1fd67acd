"""Types that run in the orchestrator's own account: one stage, the single machine, a policy of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import views
from orchestrator.core.installation import ApprovalPolicy, StageSettings
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.mail import question_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.packaging import read_package
from orchestrator.core.pipeline_state import pipeline_state
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.receive_request import receive_body
from tests.fakes.machine import Machines
from tests.fakes.memory_world import (
    BY_ANA,
    CHLOE,
    MULTI_MACHINE,
    PACKAGES,
    SINGLE_MACHINE,
    MemoryWorld,
    configuration,
    installation,
)
from tests.fakes.workload_types import own_type, with_own

RISK = ApprovalPolicy(((("risk", 1),),))
TRAINING = configuration(pipeline_type="own_central", inference_instance="ml.m5.large")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a type that runs in the orchestrator's account."""
    own_type(tmp_path, "own_central", runs_in="orchestrator")
    return tmp_path


@pytest.fixture
def world(folder: Path) -> MemoryWorld:
    """Four accounts; what runs in the orchestrator's is deployed without asking."""
    return MemoryWorld(catalogue=with_own(folder))


@pytest.fixture
def asking(folder: Path) -> MemoryWorld:
    """The same, but the orchestrator's account asks."""
    return MemoryWorld(installation=installation(orchestrator_approval=RISK), catalogue=with_own(folder))


def facts(world: MemoryWorld, release: Release) -> Facts:
    """What people are told of."""
    record = world.stage(release.release_id, "orchestrator")
    approvals = {record.approval_id: world.approval(release.release_id, "orchestrator")} if record.approval_id else {}
    return Facts(world.of(release.release_id), world.installation, {"orchestrator": record}, approvals)


def test_it_has_the_one_stage_and_goes_through_the_single_machine(world: MemoryWorld) -> None:
    release = world.release(TRAINING)
    assert release.stages == ("orchestrator",)
    machine, payload = world.fake_tasks.started[release.release_id]
    assert (machine, payload["stage"]) == (SINGLE_MACHINE, "orchestrator")


def test_it_is_deployed_once_without_asking_where_no_policy_asks(world: MemoryWorld) -> None:
    machines = Machines(world)
    release = world.release(TRAINING)
    machines.settle()
    assert world.of(release.release_id).status is Status.SUCCEEDED
    assert list(world.stacks("orchestrator").stacks) == [release.stack_name]
    assert all(world.stacks(stage).stacks == {} for stage in world.installation.stage_names)
    package = read_package(world.buckets.read(PACKAGES, world.of(release.release_id).package_key))
    assert package.manifest["stages"] == ["orchestrator"]
    assert package.tags("orchestrator")["mlops:stage"] == "orchestrator"


def test_it_waits_for_people_where_the_installation_asks(asking: MemoryWorld) -> None:
    machines = Machines(asking)
    release = asking.release(TRAINING)
    machines.settle()
    assert asking.of(release.release_id).status is Status.AWAITING_APPROVAL
    asking.vote(CHLOE, asking.approval(release.release_id, "orchestrator"))
    machines.settle()
    assert asking.of(release.release_id).status is Status.SUCCEEDED


def test_a_file_may_ask_for_an_approval_of_its_own(world: MemoryWorld) -> None:
    machines = Machines(world)
    release = world.release({**TRAINING, "approval": {"orchestrator": {"any_of": [{"risk": 1}]}}})
    machines.settle()
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL


@pytest.mark.parametrize("stage", ["dev", "prod", "orchestra"])
def test_a_file_may_ask_for_no_other_stages_approval(world: MemoryWorld, stage: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        world.release({**TRAINING, "approval": {stage: {"any_of": [{"risk": 1}]}}})
    assert [problem.path for problem in refused.value.problems] == [f"$.approval.{stage}"]
    assert "orchestrator" in refused.value.problems[0].fix


def test_a_type_of_the_stages_may_not_ask_for_the_orchestrators(world: MemoryWorld) -> None:
    with pytest.raises(BadConfiguration) as refused:
        world.release(configuration(approval={"orchestrator": {"any_of": [{"risk": 1}]}}))
    assert [problem.path for problem in refused.value.problems] == ["$.approval.orchestrator"]


def test_a_value_per_stage_is_refused(world: MemoryWorld) -> None:
    with pytest.raises(BadConfiguration) as refused:
        world.release({**TRAINING, "inference_instance": {"dev": "ml.m5.large", "prod": "ml.m5.large"}})
    assert {problem.path for problem in refused.value.problems} == {"$.inference_instance"}


def test_a_file_with_both_kinds_of_types_makes_both_kinds_of_releases(world: MemoryWorld) -> None:
    machines = Machines(world)
    data = json.dumps({"pipelines": [TRAINING, configuration()]}).encode()
    receipt = receive_body(data, BY_ANA, "token", world.reception)
    machines.settle()
    training, serving = (world.of(release.release_id) for release in receipt.releases)
    assert (training.stages, training.status) == (("orchestrator",), Status.SUCCEEDED)
    assert (serving.stages, serving.status) == (("dev", "staging", "prod"), Status.AWAITING_APPROVAL)
    assert world.fake_tasks.started[serving.release_id][0] == MULTI_MACHINE


def test_in_a_single_account_it_runs_in_the_only_stage(folder: Path) -> None:
    one = installation(StageSettings("prod", "111111111111", RISK), mode="single")
    world = MemoryWorld(installation=one, catalogue=with_own(folder))
    machines = Machines(world)
    release = world.release(TRAINING)
    machines.settle()
    assert release.stages == ("prod",)
    assert world.of(release.release_id).status is Status.AWAITING_APPROVAL


def test_the_pipeline_id_names_the_orchestrators_account(world: MemoryWorld) -> None:
    release = world.release(TRAINING)
    assert ":111111111111:stack/" in Receipt.pipeline_id(release, world.installation)


def test_people_are_told_of_it_as_of_any_other_stage(asking: MemoryWorld) -> None:
    machines = Machines(asking)
    release = asking.release(TRAINING)
    machines.settle()
    seen = facts(asking, release)
    assert seen.waiting is not None
    assert seen.needed(seen.waiting.approval) != ""
    assert "orchestrator" in json.dumps(release_message(seen).blocks)
    assert "orchestrator" in question_letter(seen, seen.waiting, "why").text
    stages = list(seen.stages.values())
    shown = views.detail(seen.release, stages, seen.approvals, asking.installation)
    assert shown["stages"][0]["stage"] == "orchestrator"
    assert shown["stages"][0]["approval"]["needed"]
    state: dict[str, Any] = pipeline_state(seen.release, stages, seen.approvals, asking.installation)
    assert [one["stageName"] for one in state["stageStates"]] == ["Source", "DeployOrchestrator"]


def test_a_view_of_a_stage_that_the_installation_no_longer_has_asks_for_nothing(asking: MemoryWorld) -> None:
    machines = Machines(asking)
    release = asking.release(TRAINING)
    machines.settle()
    seen = facts(asking, release)
    now_single = installation(StageSettings("prod", "111111111111"), mode="single")
    shown = views.detail(seen.release, list(seen.stages.values()), seen.approvals, now_single)
    assert shown["stages"][0]["approval"]["needed"] == ""
