"""The function behind the states PlanStaging, PlanProd and Plan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.core.errors import ChangeSetPending, GatesFailed, PlanFailed
from orchestrator.core.records import StageStatus
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.functions.conftest import Called
from tests.steps import journeys


@pytest.fixture
def release_id(memory: MemoryWorld) -> str:
    """A packaged release."""
    release = memory.release()
    memory.package(release.release_id)
    return release.release_id


def test_it_plans_the_stage_and_says_how_long_the_approval_may_take(
    called: Callable[[str], Called], memory: MemoryWorld, release_id: str
) -> None:
    plan_stage = called("plan_stage")
    answer = plan_stage({"release_id": release_id, "stage": "staging"})
    assert answer == {"outcome": "planned", "expires_in_seconds": 72 * 3600, "empty": False}
    assert memory.stage(release_id, "staging").status is StageStatus.PLANNED
    assert plan_stage.last["stage"] == "staging"


def test_its_sessions_in_the_stages_account_carry_the_releases_name(
    called: Callable[[str], Called], release_id: str
) -> None:
    plan_stage = called("plan_stage")
    plan_stage({"release_id": release_id, "stage": "staging"})
    assert [asked.session_name for asked in plan_stage.world.asked] == [release_id]


def test_a_change_set_that_is_still_made_is_retried_by_its_name(
    called: Callable[[str], Called], memory: MemoryWorld, release_id: str
) -> None:
    memory.stacks("staging").pending = 1
    plan_stage = called("plan_stage")
    with pytest.raises(ChangeSetPending):
        plan_stage({"release_id": release_id, "stage": "staging"})
    assert plan_stage({"release_id": release_id, "stage": "staging"})["outcome"] == "planned"


def test_a_refused_plan_is_logged_once_with_its_reason(
    called: Callable[[str], Called], memory: MemoryWorld, release_id: str
) -> None:
    memory.stacks("staging").refuses = "Parameter ImageUri is refused"
    plan_stage = called("plan_stage")
    with pytest.raises(PlanFailed):
        plan_stage({"release_id": release_id, "stage": "staging"})
    (line,) = plan_stage.logged
    assert (line["level"], line["error"]) == ("ERROR", "PlanFailed")
    assert line["why"] == "Parameter ImageUri is refused"


def test_gates_that_stop_the_release_are_logged_once_with_their_reason(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    gates = [{"metric": "auc", "at_least": 0.95, "stages": ["staging"]}]
    values = configuration(metrics="fraud/evaluation.json", gates=gates)
    release = journeys.packaged(memory, journeys.evaluated(memory, values, auc=0.91))
    plan_stage = called("plan_stage")
    with pytest.raises(GatesFailed):
        plan_stage({"release_id": release.release_id, "stage": "staging"})
    (line,) = plan_stage.logged
    assert (line["level"], line["error"]) == ("ERROR", "GatesFailed")
    assert line["why"] == "Stopped before staging by a quality gate: auc 0.91: below 0.95."
    assert memory.stacks("staging").change_sets == {}
