"""The function behind the states DeployDev, DeployStaging, DeployProd and Deploy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.core.errors import GatesFailed, StepFailed
from orchestrator.core.records import StageStatus
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.functions.conftest import SECRET_TOKEN, Called
from tests.steps import journeys


@pytest.fixture
def event(memory: MemoryWorld) -> dict[str, str]:
    """The state's payload for a packaged release."""
    release_id = memory.release().release_id
    memory.package(release_id)
    return {"release_id": release_id, "stage": "dev", "task_token": SECRET_TOKEN}


def test_it_deploys_and_the_task_is_answered_when_the_stack_has_settled(
    called: Callable[[str], Called], memory: MemoryWorld, event: dict[str, str]
) -> None:
    deploy_stage = called("deploy_stage")
    assert deploy_stage(event) is None
    assert memory.fake_tasks.answers == {SECRET_TOKEN: {"outcome": "deployed"}}
    assert memory.stage(event["release_id"], "dev").status is StageStatus.DEPLOYED
    assert [asked.session_name for asked in deploy_stage.world.asked] == [event["release_id"]]


def test_while_the_stack_works_it_returns_and_the_wait_stands(
    called: Callable[[str], Called], memory: MemoryWorld, event: dict[str, str]
) -> None:
    memory.stacks("dev").immediate = False
    assert called("deploy_stage")(event) is None
    assert memory.fake_tasks.answers == {}
    (wait,) = memory.waits()
    assert wait.token.value == SECRET_TOKEN


def test_an_error_with_the_token_at_hand_does_not_print_it(
    called: Callable[[str], Called], memory: MemoryWorld, event: dict[str, str]
) -> None:
    deploy_stage = called("deploy_stage")
    with pytest.raises(StepFailed, match="no approved plan"):
        deploy_stage(event | {"stage": "prod"})
    assert deploy_stage.last["error"] == "StepFailed"


def test_a_fault_of_our_own_is_logged_with_its_trace_and_without_the_event(
    called: Callable[[str], Called], memory: MemoryWorld, event: dict[str, str]
) -> None:
    deploy_stage = called("deploy_stage")
    with pytest.raises(KeyError, match="qa"):
        deploy_stage(event | {"stage": "qa"})
    assert deploy_stage.last["message"] == "failed unexpectedly"
    assert "Traceback" in deploy_stage.last["exception"]


def test_gates_guard_a_stage_that_is_deployed_without_asking(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    values = configuration(metrics="fraud/evaluation.json", gates=[{"metric": "auc", "at_least": 0.95}])
    release = journeys.packaged(memory, journeys.evaluated(memory, values, auc=0.91))
    with pytest.raises(GatesFailed, match=r"Stopped before dev by a quality gate: auc 0\.91: below 0\.95\."):
        called("deploy_stage")({"release_id": release.release_id, "stage": "dev", "task_token": SECRET_TOKEN})
    assert memory.stacks("dev").stacks == {}
    assert memory.fake_tasks.answers == {}
