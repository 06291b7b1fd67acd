"""Rollbacks: an earlier release's package goes through the product's own state machines once more, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.core.errors import BadRequest, Refused, UnknownRelease, UnknownWorkload
from orchestrator.core.gate_results import Fault, GateStatus
from orchestrator.core.ledger.chain import EntryKind
from orchestrator.core.messages.rollback_dialog import MAX_WHY
from orchestrator.core.origins import SourceKind
from orchestrator.core.plans import Plan
from orchestrator.core.ports import PlanRequest
from orchestrator.core.records import Release, Status, Verdict
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.steps.released import released_package
from orchestrator.core.steps.releases_by_use import in_force
from orchestrator.core.steps.replaced import replaced_by
from orchestrator.core.steps.roll_back import MAX_REASON, Return, roll_back
from orchestrator.core.steps.start_releases import request_key
from orchestrator.core.steps.way_back import way_back
from tests.fakes.machine import Machines
from tests.fakes.memory_world import ASSETS, BEN, BY_ANA, PACKAGES, MemoryWorld, configuration, evaluation
from tests.steps.removals import STAGES, WORKLOAD, approved, live, removal, where_live


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def planned(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[PlanRequest]]:
    """What CloudFormation was asked to plan, by stage, in this order."""
    asked: dict[str, list[PlanRequest]] = {stage: [] for stage in STAGES}
    for stage in STAGES:
        stacks = world.stacks(stage)
        plan = stacks.plan

        def noted(request: PlanRequest, stage: str = stage, plan: Callable[[PlanRequest], Plan] = plan) -> Plan:
            asked[stage].append(request)
            return plan(request)

        monkeypatch.setattr(stacks, "plan", noted)
    return asked


@pytest.fixture
def machines(world: MemoryWorld) -> Machines:
    return Machines(world)


def sized(world: MemoryWorld, machines: Machines, size: str) -> Release:
    """Live with another instance type."""
    return live(world, machines, inference_instance=f"ml.m5.{size}")


def back(world: MemoryWorld, machines: Machines, to: str, request: str = "please", **wish: object) -> Release:
    """The rollback, as far as it goes by itself."""
    receipt = roll_back(Return(WORKLOAD, to, **wish), BY_ANA, request, SourceKind.API, world.reception)  # type: ignore[arg-type]
    machines.settle()
    return world.of(receipt.releases[0].release_id)


def usual(world: MemoryWorld) -> str:
    """Where a rollback goes that names no release."""
    return way_back(WORKLOAD, "", world.store).target.release_id


def offered(world: MemoryWorld, release: Release) -> str:
    """What the button of the release's message goes back to."""
    return gather(release.release_id, world.store, world.installation).back_to


def test_the_same_package_goes_through_every_stage_with_its_approvals(
    world: MemoryWorld, machines: Machines, planned: dict[str, list[PlanRequest]]
) -> None:
    first = sized(world, machines, "large")
    second = sized(world, machines, "xlarge")
    world.buckets.put(ASSETS, "fraud/model.tar.gz", b"a model of later")
    then = {stage: planned[stage][0] for stage in STAGES}
    asked = back(world, machines, first.release_id, because="It answers too slowly.")
    assert (asked.status, asked.stage, asked.stages) == (Status.AWAITING_APPROVAL, "staging", STAGES)
    assert (asked.goes_back_to, asked.instead_of) == (first.release_id, second.release_id)
    assert (asked.package_key, asked.package_version) == (first.package_key, first.package_version)
    assert (asked.digest, asked.asked_because) == (first.digest, "It answers too slowly.")
    own, earlier = (released_package(one, world.objects, PACKAGES).package for one in (asked, first))
    assert own.zip_bytes == earlier.zip_bytes
    ended = approved(world, machines, asked)
    assert ended.status is Status.SUCCEEDED, ended.reason
    assert where_live(world) == dict.fromkeys(STAGES, ended.release_id)
    for stage in STAGES:
        now = planned[stage][-1]
        assert (now.parameters, now.tags) == (then[stage].parameters, then[stage].tags)
        assert world.buckets.at_url(now.template_url) == earlier.template
    assert (world.workload().live_digest, world.workload().live_release) == (first.digest, ended.release_id)


def test_what_is_live_and_what_is_on_its_way_is_refused_and_forced(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    second = sized(world, machines, "xlarge")
    with pytest.raises(Refused, match="The same content is live already"):
        back(world, machines, second.release_id)
    assert back(world, machines, second.release_id, force=True).status is Status.SUCCEEDED
    waiting = back(world, machines, first.release_id)
    with pytest.raises(Refused, match=f"on its way already, in release {waiting.release_id}"):
        back(world, machines, first.release_id, "another")


def test_the_same_request_is_one_rollback(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    asked = back(world, machines, first.release_id)
    wish = Return(WORKLOAD, first.release_id)
    again = roll_back(wish, BY_ANA, "please", SourceKind.API, world.reception)
    assert (again.releases[0].release_id, again.duplicate) == (asked.release_id, True)


def test_going_back_twice_goes_two_releases_back(world: MemoryWorld, machines: Machines) -> None:
    first, second, third = (sized(world, machines, size) for size in ("large", "xlarge", "2xlarge"))
    assert usual(world) == second.release_id
    once = approved(world, machines, back(world, machines, usual(world)))
    assert usual(world) == first.release_id
    twice = approved(world, machines, back(world, machines, usual(world)))
    assert (once.status, twice.status, twice.before) == (Status.SUCCEEDED, Status.SUCCEEDED, once.release_id)
    with pytest.raises(Refused, match="Nothing else of"):
        usual(world)
    assert way_back(WORKLOAD, once.release_id, world.store).target == second, "of a rollback its own origin is meant"
    found = way_back(WORKLOAD, third.release_id, world.store)
    assert (found.live, found.live_from) == (twice, third.updated_at)
    assert approved(world, machines, back(world, machines, third.release_id)).digest == third.digest


def test_behind_a_release_that_ended_half_way_stands_the_last_whole_one(world: MemoryWorld, machines: Machines) -> None:
    sized(world, machines, "large")
    second = sized(world, machines, "xlarge")
    half = world.release(configuration(inference_instance="ml.m5.2xlarge"))
    machines.settle()
    assert usual(world) == second.release_id
    world.vote(BEN, world.approval(half.release_id, "staging"), Verdict.REJECT, "Too dear")
    machines.settle()
    assert usual(world) == second.release_id
    assert offered(world, world.of(half.release_id)) == second.release_id
    assert offered(world, second) == second.release_id
    ended = approved(world, machines, back(world, machines, second.release_id))
    assert (ended.status, ended.instead_of) == (Status.SUCCEEDED, second.release_id)
    assert where_live(world) == dict.fromkeys(STAGES, ended.release_id)


def test_a_message_offers_the_way_back_that_makes_sense_now(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    assert offered(world, first) == "", "nothing was before it"
    second = sized(world, machines, "xlarge")
    assert (offered(world, first), offered(world, second)) == (first.release_id, first.release_id)
    asked = back(world, machines, first.release_id)
    assert offered(world, asked) == "", "it has not ended"
    ended = approved(world, machines, asked)
    assert [offered(world, one) for one in (first, second, ended)] == ["", second.release_id, ""]
    assert replaced_by(ended.release_id, world.store) == (), "nobody has told of either in Slack"
    approved(world, machines, removal(world, machines))
    assert offered(world, second) == ""


def failed(world: MemoryWorld, machines: Machines) -> str:
    release = world.release(configuration(inference_instance="ml.m5.4xlarge"))
    world.package(release.release_id)
    world.end(release.release_id, Status.FAILED, "E", "for the test")
    return release.release_id


def without_package(world: MemoryWorld, machines: Machines) -> str:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    world.buckets.remove(PACKAGES, first.package_key)
    return first.release_id


def without_configuration(world: MemoryWorld, machines: Machines) -> str:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    world.buckets.remove(PACKAGES, request_key(first.release_id))
    return first.release_id


def of_other_stages(world: MemoryWorld, machines: Machines) -> str:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    stages = tuple(stage for stage in world.installation.stages if stage.name != "staging")
    world.installation = replace(world.installation, stages=stages)
    return first.release_id


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (failed, "has ended failed: only a release that has succeeded"),
        (without_package, "is not kept any more"),
        (without_configuration, "is not kept any more"),
        (of_other_stages, "its package holds no parameters for them"),
    ],
)
def test_what_nobody_can_go_back_to_is_refused(
    world: MemoryWorld, machines: Machines, target: Callable[[MemoryWorld, Machines], str], told: str
) -> None:
    to = target(world, machines)
    before = len(world.memory.all(Release))
    with pytest.raises(Refused, match=told):
        back(world, machines, to)
    assert len(world.memory.all(Release)) == before


def test_other_refusals(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    with pytest.raises(UnknownWorkload):
        way_back("nothing-like-it", "", world.store)
    with pytest.raises(UnknownRelease):
        back(world, machines, "nothing-like-it")
    with pytest.raises(BadRequest, match="at most 1000"):
        back(world, machines, first.release_id, because="x" * (MAX_REASON + 1))
    assert MAX_REASON == MAX_WHY
    sized(world, machines, "xlarge")
    with pytest.raises(Refused, match="Look again"):
        back(world, machines, first.release_id, seen_live=first.release_id)
    gone = approved(world, machines, removal(world, machines))
    with pytest.raises(Refused, match=f"has been removed, by release {gone.release_id}"):
        back(world, machines, first.release_id)


def test_a_copy_that_somebody_deleted_ends_it_before_anything_is_touched(
    world: MemoryWorld, machines: Machines
) -> None:
    first = sized(world, machines, "large")
    second = sized(world, machines, "xlarge")
    for bucket, key in list(world.buckets.versions):
        if bucket == PACKAGES and key.endswith("model.tar.gz"):
            world.buckets.remove(bucket, key)
    ended = back(world, machines, first.release_id)
    assert (ended.status, ended.failure) == (Status.FAILED, "SourceGone")
    assert "the copies of fraud/model.tar.gz" in ended.reason
    assert where_live(world) == dict.fromkeys(STAGES, second.release_id)


def test_a_newer_release_takes_its_place_while_it_waits(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    asked = back(world, machines, first.release_id)
    newer = live(world, machines, inference_instance="ml.m5.2xlarge")
    assert (world.of(asked.release_id).status, newer.status) == (Status.SUPERSEDED, Status.SUCCEEDED)


def test_its_configuration_is_the_one_in_force(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    ended = approved(world, machines, back(world, machines, first.release_id))
    standing = in_force(WORKLOAD, world.store)
    assert standing == ended
    (next_one,) = world.deliver(world.put_asset("fraud/model.tar.gz", b"better")).releases
    data = world.objects.read(PACKAGES, request_key(next_one.release_id))
    assert b"ml.m5.large" in data


def test_a_rule_of_today_does_not_stop_what_was_packaged_then(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    sized(world, machines, "xlarge")
    types = dict(world.catalogue.types)
    types.pop(first.workload_type)
    world.catalogue = replace(world.catalogue, types=types)
    assert approved(world, machines, back(world, machines, first.release_id)).status is Status.SUCCEEDED


def test_being_worse_than_live_only_warns(world: MemoryWorld, machines: Machines) -> None:
    gates = [{"metric": "auc", "at_least": 0.9, "not_worse_than_live_by": 0.01}]
    released = []
    for auc, size in ((0.95, "large"), (0.99, "xlarge")):
        world.buckets.put(ASSETS, "fraud/evaluation.json", evaluation(auc=auc))
        released.append(
            live(
                world,
                machines,
                inference_instance=f"ml.m5.{size}",
                metrics="fraud/evaluation.json",
                gates=gates,
            )
        )
    asked = back(world, machines, released[0].release_id)
    assert asked.status is Status.AWAITING_APPROVAL
    (result,) = world.stage(asked.release_id, "staging").gates
    assert (result.status, result.faults) == (GateStatus.WARNED, (Fault.WORSE_THAN_LIVE,))


def test_the_ledger_tells_where_it_goes_back_to_and_why(world: MemoryWorld, machines: Machines) -> None:
    first = sized(world, machines, "large")
    second = sized(world, machines, "xlarge")
    asked = back(world, machines, first.release_id, because="Too slow.")
    entries = world.ledgers.all(WORKLOAD)
    (request,) = [one for one in entries if (one["release"], one["kind"]) == (asked.release_id, EntryKind.REQUEST)]
    assert request["reason"] == "Too slow."
    assert [request["facts"][name] for name in ("asks_for", "goes_back_to", "instead_of")] == [
        "rollback",
        first.release_id,
        second.release_id,
    ]
