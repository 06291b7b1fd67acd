"""Planning a stage: a change set, described; nothing is changed by it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core import views
from orchestrator.core.errors import ChangeSetPending, PackageDamaged, PlanFailed, PlanKeepsMoving, StackBusy
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import Release, StageStatus, Status
from orchestrator.core.steps.released import package_key
from tests.fakes.memory_world import BEN, PACKAGES, MemoryWorld, configuration
from tests.fakes.workload_types import own_type, with_own
from tests.steps import journeys
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


# What has changed in a document.

DOCUMENT = {
    "Steps": [
        {
            "Name": "Train",
            "Arguments": {
                "Instance": {"$source": {"from": "inference_instance"}},
                "Count": {"$source": {"from": "instance_count", "as": "raw"}},
            },
        }
    ]
}


@pytest.fixture
def documented(tmp_path: Path) -> MemoryWorld:
    """A workload with a document, live in every stage."""
    own = own_type(tmp_path, "own_central", {"pipeline.json": DOCUMENT})
    file = own / "workload.json"
    values = json.loads(file.read_text())
    values["parameters"] |= {
        "PipelineKey": {"from": "$document:pipeline.json", "as": "uri_key"},
        "PipelineUri": {"from": "$document:pipeline.json"},
    }
    file.write_text(json.dumps(values))
    world = MemoryWorld(catalogue=with_own(tmp_path))
    journeys.live(world, configuration(pipeline_type="own_central", inference_instance="ml.m5.large"))
    return world


def planned_again(world: MemoryWorld) -> Release:
    """Another instance type and count, planned for staging."""
    return journeys.planned(
        world, configuration(pipeline_type="own_central", inference_instance="ml.m5.xlarge", instance_count=2)
    )


def rows(world: MemoryWorld, release: Release) -> dict[str, tuple[str | None, str | None]]:
    """The plan's parameters, before and after."""
    plan = world.stage(release.release_id, "staging").plan
    assert plan is not None
    return {change.name: (change.before, change.after) for change in plan.parameters}


LEAVES = {
    "pipeline.json: Steps.Train.Arguments.Instance": ("ml.m5.large", "ml.m5.xlarge"),
    "pipeline.json: Steps.Train.Arguments.Count": (None, "2"),
}


def test_the_values_that_differ_in_a_document_are_shown(documented: MemoryWorld) -> None:
    release = planned_again(documented)
    found = rows(documented, release)
    assert {name: found[name] for name in LEAVES} == LEAVES
    assert not {"PipelineKey", "PipelineUri"} & set(found)
    assert found["InferenceInstance"] == ("ml.m5.large", "ml.m5.xlarge")


def test_people_see_them_everywhere(documented: MemoryWorld) -> None:
    release = planned_again(documented)
    documented.ask(release.release_id, "staging")
    record = documented.stage(release.release_id, "staging")
    approval = documented.approval(release.release_id, "staging")
    current = documented.of(release.release_id)
    facts = Facts(current, documented.installation, {"staging": record}, {approval.approval_id: approval})
    assert "Steps.Train.Arguments.Count" in json.dumps(release_message(facts).blocks)
    shown = views.detail(current, [record], {approval.approval_id: approval}, documented.installation)
    (stage,) = shown["stages"]
    assert {"name": "pipeline.json: Steps.Train.Arguments.Count", "before": None, "after": "2"} in stage["plan"][
        "parameters"
    ]


def test_the_plan_that_was_shown_so_can_be_approved_and_deployed(documented: MemoryWorld) -> None:
    release = planned_again(documented)
    documented.ask(release.release_id, "staging")
    documented.vote(BEN, documented.approval(release.release_id, "staging"))
    token = documented.deploy(release.release_id, "staging")
    assert documented.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_document_of_an_earlier_release_that_is_gone_leaves_the_keys(documented: MemoryWorld) -> None:
    for bucket, key in list(documented.buckets.versions):
        if key.startswith("documents/"):
            documented.buckets.remove(bucket, key)
    found = rows(documented, planned_again(documented))
    assert {"PipelineKey", "PipelineUri"} <= set(found)
    assert not set(LEAVES) & set(found)


def test_a_first_plan_shows_the_key(documented: MemoryWorld) -> None:
    release = journeys.planned(
        documented,
        configuration(pipeline_type="own_central", pipeline_name="other", inference_instance="ml.m5.large"),
    )
    before, after = rows(documented, release)["PipelineKey"]
    assert before is None
    assert after is not None
    assert after.startswith("documents/")
