"""Planning a stage: a change set, described; nothing is changed by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import ChangeSetPending, PackageDamaged, PlanFailed, PlanKeepsMoving, StackBusy
from orchestrator.core.records import StageStatus, Status
from orchestrator.core.steps.released import package_key
from tests.fakes.memory_world import PACKAGES, MemoryWorld, configuration
from tests.steps.journeys import STACK, in_dev, live, packaged, planned


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_a_first_plan_creates_the_stack(world: MemoryWorld) -> None:
    release = in_dev(world)
    answer = world.plan(release.release_id, "staging")
    record = world.stage(release.release_id, "staging")
    assert answer == {"outcome": "planned", "expires_in_seconds": 72 * 3600, "empty": False}
    assert record.status is StageStatus.PLANNED
    assert record.plan is not None
    assert record.plan.creates_stack
    assert {change.name for change in record.plan.parameters} >= {"ModelKey", "InferenceInstance"}
    assert world.of(release.release_id).status is Status.PLANNING
    assert world.of(release.release_id).stage == "staging"
    assert world.stacks("staging").executed == []


def test_a_change_set_is_made_of_the_package(world: MemoryWorld) -> None:
    release = planned(world)
    ((request, plan),) = world.stacks("staging").change_sets.values()
    assert request.stack_name == STACK
    assert request.change_set_name == f"r-{release.release_id}-1"
    assert request.capabilities == ("CAPABILITY_IAM",)
    assert request.tags["mlops:stage"] == "staging"
    assert world.buckets.at_url(request.template_url) == world.catalogue.types["byom_realtime_builtin"].template
    assert plan == world.stage(release.release_id, "staging").plan


def test_the_same_content_again_is_an_empty_plan(world: MemoryWorld) -> None:
    live(world)
    again = world.release(configuration(), force=True)
    world.package(again.release_id)
    assert world.plan(again.release_id, "staging")["empty"] is True
    assert world.stacks("staging").change_sets == {}


def test_a_changed_value_shows_before_and_after(world: MemoryWorld) -> None:
    live(world)
    release = packaged(world, configuration(inference_instance="ml.c5.large"))
    world.plan(release.release_id, "prod")
    plan = world.stage(release.release_id, "prod").plan
    assert plan is not None
    (change,) = plan.parameters
    assert (change.name, change.before, change.after) == ("InferenceInstance", "ml.m5.xlarge", "ml.c5.large")
    assert not plan.creates_stack


@pytest.mark.parametrize(
    ("trouble", "error"),
    [({"pending": 1}, ChangeSetPending), ({"busy": True}, StackBusy), ({"refuses": "bad value"}, PlanFailed)],
    ids=["pending", "busy", "refused"],
)
def test_a_plan_that_cannot_be_made_now(world: MemoryWorld, trouble: dict[str, object], error: type[Exception]) -> None:
    release = in_dev(world)
    for name, value in trouble.items():
        setattr(world.stacks("staging"), name, value)
    with pytest.raises(error):
        world.plan(release.release_id, "staging")
    assert world.stage(release.release_id, "staging").plan is None


def test_a_pending_change_set_is_found_by_the_next_run(world: MemoryWorld) -> None:
    release = in_dev(world)
    world.stacks("staging").pending = 1
    with pytest.raises(ChangeSetPending):
        world.plan(release.release_id, "staging")
    assert world.plan(release.release_id, "staging")["outcome"] == "planned"


def test_a_repeated_run_finds_its_own_change_set(world: MemoryWorld) -> None:
    release = planned(world)
    before = world.stage(release.release_id, "staging").plan
    world.plan(release.release_id, "staging")
    assert world.stage(release.release_id, "staging").plan == before
    assert len(world.stacks("staging").change_sets) == 1


def test_a_fourth_plan_is_one_too_many(world: MemoryWorld) -> None:
    release = planned(world)
    record = world.stage(release.release_id, "staging")
    for attempt in (2, 3):
        world.memory.rows[record.key()] = replace(record, attempt=attempt, plan=None)
        assert world.plan(release.release_id, "staging")["outcome"] == "planned"
    world.memory.rows[record.key()] = replace(record, attempt=4, plan=None)
    with pytest.raises(PlanKeepsMoving, match="staging"):
        world.plan(release.release_id, "staging")


def test_a_plan_that_was_overtaken_while_it_was_made_is_not_kept(world: MemoryWorld) -> None:
    release = in_dev(world)
    world.stacks("staging").busy = True
    with pytest.raises(StackBusy):
        world.plan(release.release_id, "staging")
    world.stacks("staging").busy = False
    record = world.stage(release.release_id, "staging")
    rival = replace(record, attempt=2)
    world.memory.before_write_of[type(record)] = lambda: world.memory.rows.update({record.key(): rival})
    world.plan(release.release_id, "staging")
    assert world.stage(release.release_id, "staging").plan is None


def test_an_exchanged_package_is_not_planned(world: MemoryWorld) -> None:
    release = in_dev(world)
    other = packaged(world, configuration(pipeline_name="other", description="x"))
    foreign = world.buckets.read(PACKAGES, package_key(other.release_id))
    key = (PACKAGES, package_key(release.release_id))
    ((version, _, metadata),) = world.buckets.versions[key]
    world.buckets.versions[key] = [(version, foreign, metadata)]
    with pytest.raises(PackageDamaged):
        world.plan(release.release_id, "staging")


def test_the_time_to_decide_is_the_shortest_that_a_policy_asks_for(world: MemoryWorld) -> None:
    release = in_dev(world, configuration(approval={"staging": {"any_of": [{"risk": 1}], "expires_after_hours": 8}}))
    assert world.plan(release.release_id, "staging")["expires_in_seconds"] == 8 * 3600
