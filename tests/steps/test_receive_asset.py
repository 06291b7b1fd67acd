"""Uploads of what workloads use: each version once, in order, with the configuration in force; nobody's is nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.deliveries import Claim
from orchestrator.core.errors import WorkloadBusy
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.packaging import read_package
from orchestrator.core.people import UNKNOWN
from orchestrator.core.records import Release, Status, Workload
from orchestrator.core.steps.receipts import NOTHING
from orchestrator.core.steps.release_again import origin
from orchestrator.core.steps.released import package_key
from orchestrator.core.steps.start_releases import Terms, request_key, start_releases
from tests.fakes.dying import dying_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import ASSETS, PACKAGES, MemoryWorld, configuration, digest_of, evaluation
from tests.steps.journeys import live

MODEL = "fraud/model.tar.gz"
NAME = "fraud-detector-realtime"


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def pinned(world: MemoryWorld, release_id: str) -> dict[str, str]:
    """Key → version that a release was packaged with."""
    package = read_package(world.buckets.read(PACKAGES, package_key(release_id)))
    return {asset["key"]: asset["version_id"] for asset in package.manifest["assets"]}


def test_a_new_model_is_a_release_pinned_to_it(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"a better model", {"requester": "ana@example.com"})
    (release,) = world.deliver(event).releases
    assert (release.workload, release.status) == (NAME, Status.REQUESTED)
    assert release.source.kind is SourceKind.ASSET
    assert release.pins == ((MODEL, event["detail"]["object"]["version-id"]),)
    assert release.requester.value == "ana@example.com"
    assert not release.requester.verified
    assert release.release_id in world.fake_tasks.started
    world.buckets.put(ASSETS, MODEL, b"a third model, before the second is packaged")
    assert world.package(release.release_id) == {"outcome": "packaged"}
    assert pinned(world, release.release_id)[MODEL] == event["detail"]["object"]["version-id"]


@pytest.mark.parametrize(
    ("key", "data"),
    [("fraud/sample.csv", b"7,8,9"), ("fraud/evaluation.json", evaluation(auc=0.97))],
    ids=["the sample of the smoke test", "the metrics"],
)
def test_whatever_the_configuration_names_counts(world: MemoryWorld, key: str, data: bytes) -> None:
    world.buckets.put(ASSETS, "fraud/evaluation.json", evaluation(auc=0.9))
    live(world, configuration(metrics="fraud/evaluation.json"))
    (release,) = world.deliver(world.put_asset(key, data)).releases
    assert world.package(release.release_id)["outcome"] == "packaged"


def test_every_workload_that_uses_it_is_released_and_no_other(world: MemoryWorld) -> None:
    world.buckets.put(ASSETS, "other/model.tar.gz", b"another model")
    for name in ("one", "two"):
        world.release(configuration(pipeline_name=name))
    world.release(configuration(pipeline_name="three", model_artifact_location="other/model.tar.gz"))
    receipt = world.deliver(world.put_asset(MODEL, b"a better model"))
    assert {release.workload for release in receipt.releases} == {"one-realtime", "two-realtime"}


def test_nobodys_upload_costs_two_queries_and_leaves_nothing(world: MemoryWorld) -> None:
    live(world)
    before = digest_of(world.memory.rows)
    with dying_after(world, 100) as countdown:
        assert world.deliver(world.put_asset("somewhere/else.bin", b"x")) == NOTHING
    assert countdown.made == ["MemoryStore.under", "MemoryStore.under"]
    assert digest_of(world.memory.rows) == before


@pytest.mark.parametrize(
    "key",
    ["fraud/", "model_card_exports/fraud.pdf", f"../{MODEL}", f"{MODEL}.bak", "fraud", f"FRAUD/{MODEL}"],
    ids=["a folder's marker", "our own export", "dots", "a copy", "a parent", "another case"],
)
def test_what_is_no_upload_of_somebodys_starts_nothing(world: MemoryWorld, key: str) -> None:
    live(world)
    started = dict(world.fake_tasks.started)
    assert world.deliver(world.put_asset(key, b"")) == NOTHING
    assert world.fake_tasks.started == started


def test_assets_uploaded_before_their_configuration_start_nothing(world: MemoryWorld) -> None:
    assert world.deliver(world.put_asset(MODEL, b"a model")) == NOTHING
    assert world.memory.rows == {}


def test_an_asset_that_is_missing_when_the_configuration_comes_starts_nothing_later(world: MemoryWorld) -> None:
    """The configuration was refused for it: the author uploads it and releases anew."""
    release = world.uploaded(configuration(model_artifact_location="later/model.tar.gz"))
    machines = Machines(world)
    machines.settle()
    assert world.of(release.release_id).status is Status.FAILED
    assert world.deliver(world.put_asset("later/model.tar.gz", b"x")) == NOTHING


def test_a_model_uploaded_while_the_first_configuration_is_on_its_way_is_not_lost(world: MemoryWorld) -> None:
    first = world.uploaded()
    (second,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    assert world.package(first.release_id)["outcome"] == "packaged"
    assert second.order > first.order


def test_ten_deliveries_are_one_release(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"a better model")
    receipts = [world.deliver(event) for _ in range(10)]
    assert [receipt.duplicate for receipt in receipts] == [False] + [True] * 9
    assert len({receipt.releases[0].release_id for receipt in receipts}) == 1
    assert len(world.memory.all(Release)) == 2


def test_an_older_version_whose_event_comes_late_is_superseded(world: MemoryWorld) -> None:
    live(world)
    older, newer = world.put_asset(MODEL, b"older"), world.put_asset(MODEL, b"newer")
    (new,) = world.deliver(newer).releases
    (old,) = world.deliver(older).releases
    assert (new.status, old.status) == (Status.REQUESTED, Status.SUPERSEDED)
    assert old.release_id not in world.fake_tasks.started


def test_an_older_version_is_superseded_by_one_that_a_configuration_took(world: MemoryWorld) -> None:
    """The newer version's own event may still be on its way: the bucket is asked."""
    first = live(world)
    older = world.put_asset(MODEL, b"older")
    world.put_asset(MODEL, b"newer")
    second = live(world, configuration(description="with the newer model"))
    (old,) = world.deliver(older).releases
    assert old.status is Status.SUPERSEDED
    assert world.workload(NAME).live_release == second.release_id != first.release_id


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_whatever_the_order_of_events_the_newest_model_is_the_last(world: MemoryWorld, order: Sequence[int]) -> None:
    live(world)
    events = [world.put_asset(MODEL, f"model {number}".encode()) for number in range(3)]
    for at in order:
        for _ in range(2):
            world.deliver(events[at])
    Machines(world).settle()
    newest = world.of(world.workload(NAME).newest_release)
    assert dict(newest.pins)[MODEL] == events[2]["detail"]["object"]["version-id"]
    assert len([row for row in world.memory.all(Claim) if row.releases]) == 4


def test_a_version_that_was_deleted_is_told(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"gone soon")
    world.buckets.remove(ASSETS, MODEL)
    (refused,) = world.deliver(event).releases
    assert refused.status is Status.REFUSED
    assert "deleted before it was read" in refused.problems[0]
    assert world.deliver(event).duplicate


def test_a_version_deleted_between_event_and_package_fails_with_its_name(world: MemoryWorld) -> None:
    live(world)
    (release,) = world.deliver(world.put_asset(MODEL, b"gone soon")).releases
    world.buckets.remove(ASSETS, MODEL)
    Machines(world).settle()
    ended = world.of(release.release_id)
    assert (ended.status, ended.failure) == (Status.FAILED, "SourceGone")
    assert MODEL in ended.reason


def test_an_object_without_a_version_is_refused_where_it_is_in_use(world: MemoryWorld) -> None:
    live(world)
    event = world.put_asset(MODEL, b"x")
    del event["detail"]["object"]["version-id"]
    (refused,) = world.deliver(event).releases
    assert refused.status is Status.REFUSED
    assert "has no version id. Turn versioning on" in refused.problems[0]
    nobodys = world.put_asset("elsewhere.bin", b"x")
    del nobodys["detail"]["object"]["version-id"]
    assert world.deliver(nobodys) == NOTHING


@pytest.mark.parametrize("model_first", [True, False])
def test_model_and_configuration_together_are_deployed_once(world: MemoryWorld, model_first: bool) -> None:
    live(world)
    model = world.put_asset(MODEL, b"a better model")
    upload = world.put_configuration(configuration(description="with a better model"))
    if model_first:
        world.deliver(model)
    world.receive(upload)
    if not model_first:
        world.deliver(model)
    Machines(world).settle()
    newest = world.of(world.workload(NAME).newest_release)
    assert newest.description == "with a better model"
    assert pinned(world, newest.release_id)[MODEL] == model["detail"]["object"]["version-id"]
    waiting = [one.digest for one in world.memory.all(Release) if one.status is Status.AWAITING_APPROVAL]
    assert waiting == [newest.digest]


def test_releases_by_use_remember_what_brought_their_configuration(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = world.put_configuration(configuration())
    (asked,) = world.receive(upload).releases
    world.package(asked.release_id)
    for content in (b"better", b"best"):
        (release,) = world.deliver(world.put_asset("fraud/model.tar.gz", content)).releases
        assert release.source.kind is SourceKind.ASSET
        assert release.configured_by == asked.source
    monkeypatch.setattr(world.memory, "listed", lambda *_, **__: pytest.fail("it was looked for among all releases"))
    found = origin(asked.workload, world.store, ASSETS)
    assert (found.latest.release_id, found.bucket, found.key) == (release.release_id, ASSETS, upload.key)


def test_the_same_bytes_again_end_unchanged(world: MemoryWorld) -> None:
    live(world)
    (release,) = world.deliver(world.put_asset(MODEL, b"a model")).releases
    assert world.package(release.release_id) == {"outcome": "unchanged"}


def test_a_configuration_that_no_longer_names_it_frees_it(world: MemoryWorld) -> None:
    live(world)
    world.buckets.put(ASSETS, "new/model.tar.gz", b"another model")
    live(world, configuration(model_artifact_location="new/model.tar.gz"))
    assert world.deliver(world.put_asset(MODEL, b"x")) == NOTHING
    assert world.deliver(world.put_asset("new/model.tar.gz", b"y")).releases


def test_the_configuration_in_force_is_the_newest_asked_for_not_the_newest_packaged(world: MemoryWorld) -> None:
    live(world)
    world.uploaded(configuration(description="on its way"))
    (release,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    kept = json.loads(world.buckets.read(PACKAGES, request_key(release.release_id)))
    assert kept["description"] == release.description == "on its way"


def test_a_configuration_that_cannot_be_packaged_leaves_the_former_in_force(world: MemoryWorld) -> None:
    live(world, configuration(description="good"))
    world.uploaded(configuration(description="bad", verify={"sample": "missing.csv", "content_type": "text/csv"}))
    Machines(world).settle()
    (release,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    assert release.description == "good"


def test_an_upload_never_brings_back_a_configuration_that_a_newer_one_replaces(world: MemoryWorld) -> None:
    """The newer configuration was asked for before the upload's event, and is seen only after it."""
    live(world)
    newer = world.put_configuration(configuration(description="newer"))
    asked_first = world.clock()
    event = world.put_asset(MODEL, b"a better model")
    world.clock.pass_seconds(5)
    (by_use,) = world.deliver(event).releases
    data = world.buckets.read(ASSETS, newer.key, newer.version_id)
    source = Source(SourceKind.S3, newer.bucket, newer.key, newer.version_id)
    (configured,) = start_releases(source, UNKNOWN, data, world.reception, Terms(asked_at=asked_first)).releases
    assert configured.order > by_use.order
    Machines(world).settle()
    assert world.workload(NAME).newest_release == configured.release_id
    assert pinned(world, configured.release_id)[MODEL] == event["detail"]["object"]["version-id"]


TRAINING = {
    "pipeline_type": "model_training_builtin",
    "model_name": "fraud",
    "model_framework": "xgboost",
    "model_framework_version": "1.7-1",
    "training_data": "fraud/data/",
    "job_output_location": "fraud/data/results",
    "algo_hyperparamaters": {"num_round": 100},
    "instance_type": "ml.m5.xlarge",
}


def trained(world: MemoryWorld) -> Release:
    """A release that trains with what lies below a prefix."""
    world.buckets.put(ASSETS, "fraud/data/part-1.csv", b"1,2")
    release = world.release(TRAINING)
    assert world.package(release.release_id) == {"outcome": "packaged"}
    return world.of(release.release_id)


def test_new_data_below_a_prefix_are_a_release_of_other_content(world: MemoryWorld) -> None:
    first = trained(world)
    (release,) = world.deliver(world.put_asset("fraud/data/part-2.csv", b"3,4")).releases
    assert release.workload == first.workload
    with pytest.raises(WorkloadBusy):
        world.package(release.release_id)
    assert world.of(release.release_id).digest != first.digest


def test_the_same_data_below_a_prefix_are_the_same_content(world: MemoryWorld) -> None:
    first = trained(world)
    (release,) = world.deliver(world.put_asset("fraud/data/part-1.csv", b"1,2")).releases
    assert world.package(release.release_id) == {"outcome": "unchanged"}
    assert world.of(release.release_id).digest == first.digest


def test_what_a_job_writes_below_its_own_input_does_not_start_it_again(world: MemoryWorld) -> None:
    first = trained(world)
    assert world.deliver(world.put_asset("fraud/data/results/job-1/model.tar.gz", b"x")).releases == ()
    again = world.release(TRAINING)
    assert world.package(again.release_id) == {"outcome": "unchanged"}
    assert world.of(again.release_id).digest == first.digest
    assert world.deliver(world.put_asset("fraud/data/results-of-others/x.csv", b"5,6")).releases


def test_a_workload_that_was_removed_is_released_by_no_upload(world: MemoryWorld) -> None:
    live(world)
    world.memory.update(Workload, Workload.named(NAME).key(), lambda found: replace(found, removed_by="a-removal"))
    assert world.deliver(world.put_asset(MODEL, b"x")).releases == ()


def test_an_old_configuration_that_the_installation_takes_no_more_is_refused_for_its_workload_alone(
    world: MemoryWorld,
) -> None:
    asked = {"prod": {"any_of": [{"risk": 1}]}}
    world.release(configuration(pipeline_name="one"))
    world.release(configuration(pipeline_name="two", approval=asked))
    world.installation = replace(world.installation, roles={"ml-owner": ("ben@example.com",)})
    receipt = world.deliver(world.put_asset(MODEL, b"a better model"))
    assert {release.status for release in receipt.releases} == {Status.REQUESTED, Status.REFUSED}
    (refused,) = [release for release in receipt.releases if release.status is Status.REFUSED]
    assert refused.problems[0].startswith("two-realtime: $.approval.prod.any_of: this installation has no approver")


def test_dying_anywhere_and_delivered_again_completes_and_never_repeats() -> None:
    def prepared() -> tuple[MemoryWorld, dict[str, Any]]:
        world = MemoryWorld()
        for name in ("one", "two"):
            world.release(configuration(pipeline_name=name))
        return world, world.put_asset(MODEL, b"a better model")

    undisturbed, event = prepared()
    undisturbed.deliver(event)
    for calls in range(1, 200):
        world, event = prepared()
        try:
            with dying_after(world, calls):
                world.deliver(event)
        except Died:
            pass
        else:
            assert calls > 20
            break
        world.clock.pass_hours(1)
        world.deliver(event)
        assert world.fake_tasks.started == undisturbed.fake_tasks.started
        assert all(release.execution_arn for release in world.memory.all(Release))
