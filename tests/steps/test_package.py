"""Package: what is released is pinned once, and one release of a workload has its turn at a time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.errors import SourceGone, WorkloadBusy
from orchestrator.core.figures import MAX_BYTES
from orchestrator.core.packaging import read_package
from orchestrator.core.ports import ObjectVersion
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import ApprovalStatus, Figure, Release, StageStatus, Status, Verdict, Workload
from orchestrator.core.steps.progress import live_figures
from orchestrator.core.steps.released import package_key, released_package
from tests.fakes.memory_world import ASSETS, BEN, PACKAGES, MemoryWorld, configuration
from tests.steps import journeys

PACKAGED = {"outcome": "packaged"}
UNCHANGED = {"outcome": "unchanged"}
SUPERSEDED = {"outcome": "superseded"}


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def waiting_in_staging(world: MemoryWorld, release: Release) -> None:
    """The release has its turn, is in dev, and asks for staging."""
    assert world.package(release.release_id) == PACKAGED
    world.deploy(release.release_id, "dev")
    world.plan(release.release_id, "staging")
    world.ask(release.release_id, "staging")


def live(world: MemoryWorld, release: Release) -> None:
    """The release has gone all the way."""
    assert world.package(release.release_id) == PACKAGED
    world.end(release.release_id, Status.SUCCEEDED)


def test_assets_are_pinned_to_the_version_they_have_now(world: MemoryWorld) -> None:
    release = world.release()
    assert world.package(release.release_id) == PACKAGED
    package = released_package(world.of(release.release_id), world.objects, PACKAGES)
    parameters = package.parameters("prod")
    assert world.buckets.read(PACKAGES, parameters["ModelKey"]) == b"a model"
    world.buckets.put(ASSETS, "fraud/model.tar.gz", b"another model")
    assert world.buckets.read(PACKAGES, parameters["ModelKey"]) == b"a model"
    assert parameters["InferenceInstance"] == "ml.m5.xlarge"
    assert package.parameters("dev")["InferenceInstance"] == "ml.t2.medium"
    assert package.sample is not None
    assert world.buckets.read(package.sample.bucket, package.sample.key, package.sample.version_id) == b"1,2,3"


def test_the_package_says_where_it_came_from(world: MemoryWorld) -> None:
    release = world.release()
    world.package(release.release_id)
    manifest = read_package(world.buckets.read(PACKAGES, package_key(release.release_id))).manifest
    assert manifest["provenance"]["requested_by"] == "Ana Silva"
    assert manifest["provenance"]["requester_verified"] is True
    assert manifest["provenance"]["release_id"] == release.release_id


def test_a_repeated_run_goes_on_with_the_first_package(world: MemoryWorld) -> None:
    release = world.release()
    world.package(release.release_id)
    first = world.of(release.release_id)
    assert world.package(release.release_id) == PACKAGED
    assert world.of(release.release_id).package_version == first.package_version


def test_a_run_after_one_that_died_adopts_its_package_though_an_asset_was_overwritten(world: MemoryWorld) -> None:
    release = world.release()
    world.package(release.release_id)
    written = world.of(release.release_id)
    # The first run died between writing the package and noting it.
    world.memory.rows[written.key()] = replace(written, package_key="", package_version="", digest="")
    world.buckets.put(ASSETS, "fraud/model.tar.gz", b"another model")
    assert world.package(release.release_id) == PACKAGED
    again = world.of(release.release_id)
    assert (again.package_version, again.digest) == (written.package_version, written.digest)
    assert released_package(again, world.objects, PACKAGES).package.digest == written.digest


EVALUATED = configuration(metrics="fraud/evaluation.json")


def test_the_figures_of_the_evaluation_file_are_kept(world: MemoryWorld) -> None:
    release = world.release(journeys.evaluated(world, accuracy=0.972028, auc=1, recall=1e-7))
    assert world.package(release.release_id) == PACKAGED
    kept = (Figure("accuracy", "0.972028"), Figure("auc", "1"), Figure("recall", "1e-07"))
    assert world.of(release.release_id).metrics == kept
    manifest = released_package(world.of(release.release_id), world.objects, PACKAGES).package.manifest
    assert [figure["name"] for figure in manifest["metrics"]["figures"]] == ["accuracy", "auc", "recall"]
    assert manifest["metrics"]["key"] == "fraud/evaluation.json"


def test_a_run_after_one_that_died_shows_the_figures_of_the_package_that_it_adopts(world: MemoryWorld) -> None:
    release = world.release(journeys.evaluated(world, accuracy=0.9))
    world.package(release.release_id)
    written = world.of(release.release_id)
    world.memory.rows[written.key()] = replace(written, package_key="", package_version="", digest="", metrics=())
    journeys.evaluated(world, accuracy=0.99)
    assert world.package(release.release_id) == PACKAGED
    assert world.of(release.release_id).metrics == (Figure("accuracy", "0.9"),)


@pytest.mark.parametrize("by_then", [b"{}", None], ids=["overwritten by one without figures", "deleted"])
def test_a_run_after_one_that_died_goes_on_whatever_became_of_the_evaluation(
    world: MemoryWorld, by_then: bytes | None
) -> None:
    release = world.release(journeys.evaluated(world, accuracy=0.9))
    world.package(release.release_id)
    written = world.of(release.release_id)
    world.memory.rows[written.key()] = replace(written, package_key="", package_version="", digest="", metrics=())
    if by_then is None:
        world.buckets.remove(ASSETS, "fraud/evaluation.json")
    else:
        world.buckets.put(ASSETS, "fraud/evaluation.json", by_then)
    assert world.package(release.release_id) == PACKAGED
    again = world.of(release.release_id)
    assert (again.digest, again.metrics) == (written.digest, written.metrics)


def test_an_unusable_evaluation_file_and_missing_assets_are_told_together(world: MemoryWorld) -> None:
    world.buckets.put(ASSETS, "fraud/evaluation.json", b"{}")
    release = world.uploaded(configuration(metrics="fraud/evaluation.json", model_artifact_location="no/model.tar.gz"))
    with pytest.raises(BadConfiguration) as refused:
        world.package(release.release_id)
    assert [problem.path for problem in refused.value.problems] == ["$.model_artifact_location", "$.metrics"]


def test_a_release_without_an_evaluation_file_has_no_figures(world: MemoryWorld) -> None:
    release = world.release()
    world.package(release.release_id)
    assert world.of(release.release_id).metrics == ()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"not json", "the evaluation file is refused at $: the document is not valid JSON"),
        (b'{"a": 1, "a": 2}', 'the key "a" appears twice'),
        (b"[]", "the evaluation file is no JSON object"),
        (b"{}", "the evaluation file has no figures"),
        (b" " * (MAX_BYTES + 1), "the evaluation file has 262,145 bytes, 262,144 are allowed"),
    ],
    ids=["no JSON", "a key twice", "a list", "no figures", "too large"],
)
def test_an_evaluation_file_that_says_nothing_is_a_problem_of_the_configuration(
    world: MemoryWorld, data: bytes, what: str
) -> None:
    world.buckets.put(ASSETS, "fraud/evaluation.json", data)
    release = world.release(EVALUATED)
    with pytest.raises(BadConfiguration) as refused:
        world.package(release.release_id)
    (problem,) = refused.value.problems
    assert problem.path == "$.metrics"
    assert what in problem.what
    assert world.of(release.release_id).package_key == ""


def test_an_evaluation_file_that_is_too_large_is_not_read(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.buckets.put(ASSETS, "fraud/evaluation.json", b" " * (MAX_BYTES + 1))
    release = world.release(EVALUATED)
    read: list[str] = []
    real = world.buckets.read

    def noted(bucket: str, key: str, version_id: str = "") -> bytes:
        read.append(f"{bucket}/{key}")
        return real(bucket, key, version_id)

    monkeypatch.setattr(world.buckets, "read", noted)
    with pytest.raises(BadConfiguration):
        world.package(release.release_id)
    assert not [place for place in read if place.startswith(PACKAGES) and place.endswith("evaluation.json")]


def test_the_figures_stand_beside_those_of_the_live_release_until_the_end(world: MemoryWorld) -> None:
    first = journeys.live(world, journeys.evaluated(world, accuracy=0.965))
    assert live_figures(world.store, first) == ()
    second = world.release(journeys.evaluated(world, accuracy=0.972, auc=0.99))
    assert live_figures(world.store, second) == ()
    world.package(second.release_id)
    assert live_figures(world.store, world.of(second.release_id)) == (Figure("accuracy", "0.965"),)
    world.end(second.release_id, Status.REJECTED)
    assert live_figures(world.store, world.of(second.release_id)) == ()


def test_there_is_nothing_beside_the_figures_where_the_live_release_had_none(world: MemoryWorld) -> None:
    journeys.live(world)
    second = world.release(journeys.evaluated(world, accuracy=0.972))
    world.package(second.release_id)
    assert live_figures(world.store, world.of(second.release_id)) == ()


def test_missing_assets_are_all_reported(world: MemoryWorld) -> None:
    release = world.uploaded(
        configuration(model_artifact_location="no/model.tar.gz", verify={"sample": "no/sample.csv"})
    )
    with pytest.raises(BadConfiguration) as refused:
        world.package(release.release_id)
    assert sorted(problem.path for problem in refused.value.problems) == [
        "$.model_artifact_location",
        "$.verify.sample",
    ]
    assert world.workload() == Workload.named(release.workload)


def test_an_asset_version_that_goes_away_while_it_is_pinned(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = world.release()
    copy = world.buckets.copy_once

    def deleted_between(source: ObjectVersion, bucket: str, key: str) -> ObjectVersion:
        world.buckets.remove(ASSETS, "fraud/model.tar.gz")
        return copy(source, bucket, key)

    monkeypatch.setattr(world.buckets, "copy_once", deleted_between)
    with pytest.raises(SourceGone):
        world.package(release.release_id)


@pytest.mark.parametrize("force", [False, True])
def test_the_live_content_again_is_unchanged_unless_forced(world: MemoryWorld, force: bool) -> None:
    first = world.release()
    live(world, first)
    again = world.release(force=force)
    assert world.package(again.release_id) == (PACKAGED if force else UNCHANGED)
    if not force:
        assert first.release_id in world.of(again.release_id).reason
        world.end(again.release_id, Status.UNCHANGED)
        assert world.of(again.release_id).status is Status.UNCHANGED
        assert "live already" in world.of(again.release_id).reason
        assert world.workload().live_release == first.release_id


def test_the_same_bytes_uploaded_again_are_no_new_content(world: MemoryWorld) -> None:
    live(world, world.release())
    world.buckets.put(ASSETS, "fraud/model.tar.gz", b"a model")
    assert world.package(world.release().release_id) == UNCHANGED


def test_a_new_model_under_the_same_key_is_new_content(world: MemoryWorld) -> None:
    live(world, world.release())
    world.buckets.put(ASSETS, "fraud/model.tar.gz", b"a better model")
    assert world.package(world.release().release_id) == PACKAGED


def test_the_content_of_the_running_release_again_is_unchanged(world: MemoryWorld) -> None:
    running = world.release()
    waiting_in_staging(world, running)
    again = world.release()
    assert world.package(again.release_id) == UNCHANGED
    assert "on its way" in world.of(again.release_id).reason
    assert world.approval(running.release_id, "staging").status is ApprovalStatus.PENDING


@pytest.mark.parametrize("outcome", [Status.REJECTED, Status.EXPIRED, Status.FAILED])
def test_after_a_bad_end_the_same_content_starts_anew(world: MemoryWorld, outcome: Status) -> None:
    first = world.release()
    waiting_in_staging(world, first)
    world.end(first.release_id, outcome)
    assert world.package(world.release().release_id) == PACKAGED


def test_what_was_live_starts_anew_after_a_later_release_has_changed_a_stage(world: MemoryWorld) -> None:
    """Dev holds the content of the rejected release then: calling the former content live would be wrong."""
    live(world, world.release())
    rejected = world.release(configuration(description="another"))
    waiting_in_staging(world, rejected)
    world.end(rejected.release_id, Status.REJECTED)
    assert world.package(world.release().release_id) == PACKAGED


def test_what_was_live_stays_live_when_a_later_release_has_changed_nothing(world: MemoryWorld) -> None:
    live(world, world.release())
    failed = world.release(configuration(description="another"))
    world.package(failed.release_id)
    world.end(failed.release_id, Status.FAILED, "Throttled", "")
    assert world.package(world.release().release_id) == UNCHANGED


def test_a_newer_release_supersedes_one_that_waits_for_approval(world: MemoryWorld) -> None:
    older = world.release()
    waiting_in_staging(world, older)
    token = world.approval(older.release_id, "staging").token
    assert token is not None
    newer = world.release(configuration(description="newer"))
    with pytest.raises(WorkloadBusy):
        world.package(newer.release_id)
    assert world.approval(older.release_id, "staging").status is ApprovalStatus.SUPERSEDED
    assert world.fake_tasks.answers[token.value] == {"decision": "superseded"}
    world.end(older.release_id, Status.SUPERSEDED)
    ended = world.of(older.release_id)
    assert (ended.status, ended.ended_by) == (Status.SUPERSEDED, newer.release_id)
    assert newer.release_id in ended.reason
    assert world.package(newer.release_id) == PACKAGED


def test_an_approval_that_was_given_is_not_superseded(world: MemoryWorld) -> None:
    older = world.release()
    waiting_in_staging(world, older)
    world.vote(BEN, world.approval(older.release_id, "staging"))
    newer = world.release(configuration(description="newer"))
    with pytest.raises(WorkloadBusy):
        world.package(newer.release_id)
    assert world.approval(older.release_id, "staging").status is ApprovalStatus.APPROVED


def test_a_release_waits_behind_one_that_deploys(world: MemoryWorld) -> None:
    older = world.release()
    assert world.package(older.release_id) == PACKAGED
    world.stacks("dev").immediate = False
    world.deploy(older.release_id, "dev")
    newer = world.release(configuration(description="newer"))
    with pytest.raises(WorkloadBusy):
        world.package(newer.release_id)
    assert world.of(older.release_id).status is Status.DEPLOYING
    assert world.workload().running_release == older.release_id


def test_of_two_that_wait_the_newer_goes_and_the_older_is_superseded(world: MemoryWorld) -> None:
    """Whichever of them asks first when the turn is free: old content must never follow new content."""
    running = world.release()
    world.package(running.release_id)
    middle = world.release(configuration(description="middle"))
    newest = world.release(configuration(description="newest"))
    for waiting in (middle, newest):
        with pytest.raises(WorkloadBusy):
            world.package(waiting.release_id)
    world.end(running.release_id, Status.SUCCEEDED)
    assert world.package(middle.release_id) == SUPERSEDED
    assert world.of(middle.release_id).ended_by == newest.release_id
    assert world.package(newest.release_id) == PACKAGED
    world.end(middle.release_id, Status.SUPERSEDED)
    assert world.workload().running_release == newest.release_id


def test_an_older_release_that_comes_late_does_not_supersede_a_newer_one(world: MemoryWorld) -> None:
    late = world.release()
    newer = world.release(configuration(description="newer"))
    waiting_in_staging(world, newer)
    assert world.package(late.release_id) == SUPERSEDED
    assert world.approval(newer.release_id, "staging").status is ApprovalStatus.PENDING


def test_a_holder_that_ended_but_could_not_pass_its_turn_on_is_helped(world: MemoryWorld) -> None:
    dead = world.release()
    world.package(dead.release_id)
    record = world.of(dead.release_id)
    world.memory.rows[record.key()] = replace(record, status=Status.SUCCEEDED)
    assert world.package(world.release().release_id) == UNCHANGED
    assert world.workload().live_release == dead.release_id
    assert world.package(world.release(configuration(description="x")).release_id) == PACKAGED


def test_workloads_do_not_wait_for_each_other(world: MemoryWorld) -> None:
    assert world.package(world.release().release_id) == PACKAGED
    assert world.package(world.release(configuration(pipeline_name="other")).release_id) == PACKAGED


def test_two_that_want_the_free_turn_at_once(world: MemoryWorld) -> None:
    one, other = world.release(), world.release(configuration(description="newer"))
    world.memory.before_write_of[Workload] = lambda: world.package(other.release_id)
    assert world.package(one.release_id) == SUPERSEDED
    assert world.workload().running_release == other.release_id
    assert world.workload().generation == 1


def test_a_changed_tag_changes_the_content_but_no_parameter(world: MemoryWorld) -> None:
    plain, tagged = world.release(), world.release(configuration(tags={"team": "payments"}), request="tagged")
    world.package(plain.release_id)
    world.end(plain.release_id, Status.SUCCEEDED)
    assert world.package(tagged.release_id) == PACKAGED
    packages = [released_package(world.of(one.release_id), world.objects, PACKAGES) for one in (plain, tagged)]
    assert packages[0].parameters("dev") == packages[1].parameters("dev")
    assert packages[1].tags("dev")["team"] == "payments"
    assert packages[0].package.digest != packages[1].package.digest


def test_nothing_that_is_deployed_names_the_release(world: MemoryWorld) -> None:
    """Else an unchanged model would be a changed resource in every plan."""
    release = world.release()
    world.package(release.release_id)
    package = released_package(world.of(release.release_id), world.objects, PACKAGES)
    for stage in release.stages:
        deployed = json.dumps([package.parameters(stage), package.tags(stage)])
        assert release.release_id not in deployed
        assert release.created_at not in deployed


def test_a_rejection_is_no_reason_to_wait(world: MemoryWorld) -> None:
    older = world.release()
    waiting_in_staging(world, older)
    world.vote(BEN, world.approval(older.release_id, "staging"), Verdict.REJECT, "not now")
    world.end(older.release_id, Status.REJECTED)
    assert world.stage(older.release_id, "staging").status is StageStatus.DISCARDED
    assert world.package(world.release(configuration(description="x")).release_id) == PACKAGED
