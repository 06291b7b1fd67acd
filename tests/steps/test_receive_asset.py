"""Uploads of what workloads use: each is a release of all its users, and of nobody else; nobody's is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import WorkloadBusy
from orchestrator.core.origins import SourceKind
from orchestrator.core.packaging import read_package
from orchestrator.core.records import Release, Status, Workload
from orchestrator.core.steps.receipts import NOTHING
from orchestrator.core.steps.release_again import origin
from orchestrator.core.steps.released import package_key
from tests.fakes.dying import dying_after
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


def test_a_model_uploaded_while_the_first_configuration_is_on_its_way_is_not_lost(world: MemoryWorld) -> None:
    first = world.uploaded()
    (second,) = world.deliver(world.put_asset(MODEL, b"a better model")).releases
    assert world.package(first.release_id)["outcome"] == "packaged"
    assert second.order > first.order


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
