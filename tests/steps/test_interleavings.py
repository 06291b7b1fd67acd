"""Between two writes of one function, and between two functions at once, nothing is lost, doubled or reversed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.deliveries import LatestRequest, Unfinished
from orchestrator.core.errors import AccessDenied, TurnLost, WorkloadBusy
from orchestrator.core.origins import SourceKind
from orchestrator.core.records import Release, StageStatus, Status, Verdict
from orchestrator.core.steps.remove_workload import remove_workload
from orchestrator.core.uses import users_of_object
from tests.fakes.dying import dying_after, standing_still_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, MemoryWorld, configuration
from tests.steps.journeys import asked, in_dev, live, packaged

WORKLOAD = "fraud-detector-realtime"
MODEL = "fraud/model.tar.gz"
SAMPLE = "fraud/sample.csv"


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def queued(world: MemoryWorld, description: str, **options: Any) -> Release:
    """Asked for a second later, and waiting for its turn."""
    world.clock.moment += timedelta(seconds=1)
    release = world.release(configuration(description=description), **options)
    with pytest.raises(WorkloadBusy):
        world.package(release.release_id)
    return release


def removal(world: MemoryWorld) -> Release:
    world.clock.moment += timedelta(seconds=1)
    return remove_workload(WORKLOAD, BY_ANA, "remove", world.reception).releases[0]


def of_assets(world: MemoryWorld) -> list[Release]:
    return [release for release in world.memory.all(Release) if release.source.kind is SourceKind.ASSET]


def to_the_end(world: MemoryWorld) -> None:
    """Everything runs, and whatever is asked is approved."""
    machines = Machines(world)
    for _ in range(12):
        machines.settle()
        for release in world.memory.all(Release):
            if release.status is Status.AWAITING_APPROVAL:
                for voter in (CHLOE, BEN):
                    world.vote(voter, world.approval(release.release_id, release.stage))
    machines.settle()


def test_a_second_upload_is_never_turned_away_wherever_the_first_one_stands() -> None:
    for calls in range(1, 200):
        world = MemoryWorld()
        packaged(world)
        first, second = world.put_asset(MODEL, b"v2"), world.put_asset(SAMPLE, b"9")
        both: list[Release] = []
        with standing_still_after(world, calls, lambda: both.extend(world.deliver(second).releases)):  # noqa: B023
            both += world.deliver(first).releases
        if len(both) < 2:
            assert calls > 20
            return
        assert len({release.order for release in both}) == 2
    raise AssertionError("the function has no end")


def test_a_second_upload_takes_what_the_first_has_announced_when_that_one_never_comes(world: MemoryWorld) -> None:
    base = packaged(world)
    announced = LatestRequest(WORKLOAD, "announced", "2026-06-01T00:00:00.000Z", base.release_id, (("x/1", "v1"),))
    world.memory.rows[announced.key()] = announced
    (release,) = world.deliver(world.put_asset(MODEL, b"x")).releases
    assert release.rank > announced.rank
    assert release.description == base.description


def test_uploads_go_on_while_a_call_has_died_and_is_never_made_again() -> None:
    for calls in range(1, 200):
        world = MemoryWorld()
        packaged(world)
        world.clock.moment += timedelta(seconds=1)
        try:
            with dying_after(world, calls):
                world.release(configuration(description="dead"), request="dead")
            return
        except Died:
            pass
        (release,) = world.deliver(world.put_asset(MODEL, b"new")).releases
        assert release.status is Status.REQUESTED


def test_what_an_outage_held_back_comes_in_the_order_it_was_asked_for(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(world, configuration(description="old"))

    def refused(*_: Any, **__: Any) -> Any:
        raise AccessDenied("the KMS key is disabled")

    with monkeypatch.context() as outage:
        outage.setattr(world.buckets, "write_once", refused)
        upload = world.put_configuration(configuration(description="new"))
        with pytest.raises(AccessDenied):
            world.receive(upload)
        world.clock.moment += timedelta(minutes=6)
        model = world.put_asset(MODEL, b"v2")
        with pytest.raises(AccessDenied):
            world.deliver(model)
    world.clock.moment += timedelta(minutes=30)
    (configured,) = world.receive(upload).releases
    world.deliver(model)
    to_the_end(world)
    assert world.of(configured.release_id).status is Status.SUCCEEDED
    assert world.workload().live_release == configured.release_id


def test_an_upload_that_died_before_its_start_never_overtakes_a_configuration_asked_for_since(
    world: MemoryWorld,
) -> None:
    old = packaged(world, configuration(description="old"))
    world.end(old.release_id, Status.FAILED, "E", "x")
    model = world.put_asset(MODEL, b"v2")
    for calls in range(1, 80):
        try:
            with dying_after(world, calls):
                world.deliver(model)
        except Died:
            if of_assets(world):
                break
    (first,) = of_assets(world)
    world.clock.moment += timedelta(seconds=20)
    configured = world.release(configuration(description="new"))
    world.clock.moment += timedelta(seconds=40)
    assert world.deliver(model).releases[0].release_id == first.release_id
    (second,) = world.deliver(world.put_asset(SAMPLE, b"9,9")).releases
    assert second.description == "new"
    assert configured.order > world.of(first.release_id).order
    to_the_end(world)
    assert world.of(world.workload().live_release).description == "new"


def test_the_same_content_as_a_release_that_was_superseded_is_not_on_its_way(world: MemoryWorld) -> None:
    holder = asked(world, configuration(description="X"))
    other = queued(world, "Y")
    again = queued(world, "X")
    world.end(holder.release_id, Status.SUPERSEDED)
    assert world.package(other.release_id)["outcome"] == "superseded"
    assert world.package(again.release_id)["outcome"] == "packaged"


def test_the_same_content_as_a_release_that_was_rejected_is_not_on_its_way(world: MemoryWorld) -> None:
    holder = asked(world, configuration(description="X"))
    world.vote(BEN, world.approval(holder.release_id, "staging"), Verdict.REJECT, "not today")
    again = queued(world, "X")
    world.end(holder.release_id, Status.REJECTED)
    assert world.package(again.release_id)["outcome"] == "packaged"


def test_a_configuration_that_waited_for_a_removal_is_found_by_what_it_uses(world: MemoryWorld) -> None:
    world.end(live(world).release_id, Status.SUCCEEDED)
    away = removal(world)
    world.package(away.release_id)
    again = queued(world, "again")
    assert users_of_object(world.memory, MODEL) == (WORKLOAD,)
    world.end(away.release_id, Status.SUCCEEDED)
    (between,) = world.deliver(world.put_asset(MODEL, b"while nothing has the turn")).releases
    assert (between.status, between.description) == (Status.REQUESTED, "again")
    assert world.package(again.release_id)["outcome"] == "packaged"
    world.end(again.release_id, Status.SUCCEEDED)
    (after,) = world.deliver(world.put_asset(MODEL, b"v3")).releases
    assert after.description == "again"


def test_an_upload_for_a_configuration_that_waits_behind_a_removal_is_released(world: MemoryWorld) -> None:
    world.end(live(world).release_id, Status.SUCCEEDED)
    away = removal(world)
    world.package(away.release_id)
    queued(world, "again")
    (uploaded,) = world.deliver(world.put_asset(MODEL, b"v2")).releases
    assert (uploaded.status, uploaded.description) == (Status.REQUESTED, "again")


@pytest.mark.parametrize("waits", [True, False], ids=["queued", "with its turn"])
def test_an_upload_gives_way_to_a_removal_and_says_so(world: MemoryWorld, waits: bool) -> None:
    before = in_dev(world) if waits else live(world)
    if not waits:
        world.end(before.release_id, Status.SUCCEEDED)
    away = removal(world)
    if waits:
        with pytest.raises(WorkloadBusy):
            world.package(away.release_id)
    else:
        world.package(away.release_id)
    (uploaded,) = world.deliver(world.put_asset(MODEL, b"nightly")).releases
    assert (uploaded.status, uploaded.ended_by) == (Status.SUPERSEDED, away.release_id)
    assert f"being removed by release {away.release_id}" in uploaded.reason
    if waits:
        world.end(before.release_id, Status.FAILED, "E", "x")
        assert world.package(away.release_id)["outcome"] == "packaged"


def test_a_release_does_not_give_way_to_one_that_died_before_its_turn(world: MemoryWorld) -> None:
    holder = packaged(world, configuration(description="X"))
    first = queued(world, "Y")
    second = queued(world, "Z")
    world.end(second.release_id, Status.FAILED, "ExecutionEnded", "stopped by an operator")
    world.end(holder.release_id, Status.FAILED, "E", "x")
    assert world.package(first.release_id)["outcome"] == "packaged"


def test_one_workload_that_cannot_be_released_keeps_no_other_from_it(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("aaa", "bbb", "ccc"):
        packaged(world, configuration(model_name=name, data_capture_location=f"capture-bucket/{name}"))
    newest = {release.workload: release for release in world.memory.all(Release)}
    broken = f"requests/{newest['aaa-realtime'].release_id}.json"
    read = world.buckets.read

    def refused(bucket: str, key: str, version_id: str = "") -> bytes:
        if key == broken:
            raise AccessDenied("s3:GetObject")
        return read(bucket, key, version_id)

    event = world.put_asset(MODEL, b"new")
    with monkeypatch.context() as trouble:
        trouble.setattr(world.buckets, "read", refused)
        with pytest.raises(AccessDenied):
            world.deliver(event)
    assert {release.workload for release in of_assets(world)} == {"bbb-realtime", "ccc-realtime"}
    world.deliver(event)
    assert len(of_assets(world)) == 3


def test_a_release_that_was_never_started_is_found_however_many_came_after_it(world: MemoryWorld) -> None:
    for calls in range(1, 60):
        try:
            with dying_after(world, calls):
                world.release(configuration(model_name="lost"), request="lost")
        except Died:
            if world.memory.all(Release):
                break
    (lost,) = world.memory.all(Release)
    for number in range(250):
        world.clock.moment += timedelta(seconds=1)
        other = world.release(configuration(model_name=f"m{number}"))
        world.end(other.release_id, Status.FAILED, "E", "x")
    world.clock.moment += timedelta(minutes=16)
    for _ in range(2):
        world.sweep()
        world.clock.moment += timedelta(minutes=1)
    assert lost.release_id in world.fake_tasks.started
    assert {one.release_id for one in world.memory.all(Unfinished)} == {lost.release_id}


def test_what_outlived_its_release_verifies_nothing(world: MemoryWorld) -> None:
    release = packaged(world)
    world.deploy(release.release_id, "dev")
    world.end(release.release_id, Status.FAILED, "ExecutionEnded", "stopped")
    packaged(world, configuration(description="next"))
    before = world.stage(release.release_id, "dev").status
    with pytest.raises(TurnLost):
        world.verify(release.release_id, "dev")
    assert world.stage(release.release_id, "dev").status is before is not StageStatus.VERIFIED


def test_a_removal_that_outlived_its_turn_deletes_nothing(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.end(live(world).release_id, Status.SUCCEEDED)
    away = removal(world)
    world.package(away.release_id)
    stacks = world.stacks("dev")
    still_valid = stacks.still_valid

    def meanwhile(*given: Any) -> bool:
        monkeypatch.undo()
        world.end(away.release_id, Status.FAILED, "ExecutionEnded", "stopped")
        after = packaged(world, configuration(description="next", data_capture_location="capture-bucket/next"))
        world.deploy(after.release_id, "dev")
        return bool(still_valid(*given))

    monkeypatch.setattr(stacks, "still_valid", meanwhile)
    with pytest.raises(TurnLost):
        world.deploy(away.release_id, "dev")
    assert stacks.stacks


def test_a_token_answers_for_one_caller_and_one_wish(world: MemoryWorld) -> None:
    first = world.release(request="key")
    assert world.release(request="key").release_id == first.release_id
    assert world.release(request="key", force=True).release_id != first.release_id
    somebody_else = replace(BY_ANA, value=f"{BY_ANA.value}x")
    assert world.release(request="key", requester=somebody_else).release_id != first.release_id
