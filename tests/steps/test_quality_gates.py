"""Quality gates on the way of a release: checked when a stage is planned, before people are asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import views
from orchestrator.core.errors import AccessDenied, GatesFailed
from orchestrator.core.gate_results import Fault, GateStatus
from orchestrator.core.installation import StageSettings
from orchestrator.core.messages.mail import end_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.packaging import read_package
from orchestrator.core.records import Figure, Release, StageRecord, StageStatus, Status
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.steps.released import package_key
from orchestrator.core.steps.remove_workload import remove_workload
from tests.fakes.machine import Machines
from tests.fakes.memory_world import (
    ASSETS,
    BEN,
    BY_ANA,
    CHLOE,
    PACKAGES,
    MemoryWorld,
    configuration,
    evaluation,
    installation,
)
from tests.fakes.workload_types import own_type, with_own
from tests.steps import journeys
from tests.steps.journeys import STACK
from tests.steps.test_references import STATISTICS, registered, version

AUC = {"metric": "auc", "not_worse_than_live_by": 0.01}


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def values(*gates: dict[str, Any], instance: str = "ml.m5.2xlarge", **changes: Any) -> dict[str, Any]:
    """A configuration with gates; other content than the usual one."""
    return configuration(
        metrics="fraud/evaluation.json", gates=list(gates) or None, inference_instance=instance, **changes
    )


def live(world: MemoryWorld, **figures: float) -> Release:
    """A release with these figures has gone all the way, without gates."""
    return journeys.live(world, journeys.evaluated(world, **figures))


def started(world: MemoryWorld, machines: Machines, configured: dict[str, Any], **figures: float) -> Release:
    """A release with these figures has gone as far as it goes by itself."""
    journeys.evaluated(world, **figures)
    release = world.release(configured)
    machines.settle()
    return world.of(release.release_id)


def shown(world: MemoryWorld, release: Release) -> str:
    """The release's message in Slack."""
    message = release_message(gather(release.release_id, world.store, world.installation))
    return json.dumps([message.text, message.blocks], ensure_ascii=False)


def test_a_version_that_is_worse_by_too_much_is_stopped_before_staging(world: MemoryWorld) -> None:
    before = live(world, auc=0.965)
    machines = Machines(world)
    release = started(world, machines, values({**AUC, "stages": ["staging", "prod"]}), auc=0.91)
    assert (release.status, release.failure, release.stage) == (Status.FAILED, "GatesFailed", "staging")
    told = "auc 0.91 (live 0.965): worse than live by 0.055, allowed is 0.01"
    assert release.reason == f"Stopped before staging by a quality gate: {told}."
    assert machines.executions[release.release_id].path[-3:] == ["PlanStaging", "RecordFailure", "Failed"]
    record = world.stage(release.release_id, "staging")
    assert (record.status, record.plan, record.approval_id) == (StageStatus.FAILED, None, "")
    assert record.note == release.reason
    (result,) = record.gates
    assert (result.status, result.faults, result.live_release) == (
        GateStatus.FAILED,
        (Fault.WORSE_THAN_LIVE,),
        before.release_id,
    )
    assert world.stacks("staging").change_sets == {}
    assert len(world.stacks("staging").executed) == 1
    assert [one.release_id for one in world.workload().live] == [
        release.release_id,
        before.release_id,
        before.release_id,
    ]
    assert world.workload().running_release == ""


def test_everybody_is_told_which_gate_it_was(world: MemoryWorld) -> None:
    live(world, auc=0.965)
    release = started(world, Machines(world), values({**AUC, "stages": ["staging"]}), auc=0.91)
    told = "auc 0.91 (live 0.965): worse than live by 0.055, allowed is 0.01"
    message = shown(world, release)
    assert "fraud-detector-realtime: stopped before staging by its quality gates" in message
    assert ":x: auc 0.91 (live 0.965): *worse than live by 0.055, allowed is 0.01*" in message
    assert f"> Stopped before staging by a quality gate: {told}." in message
    assert "It stays deployed in *dev*" in message
    letter = end_letter(gather(release.release_id, world.store, world.installation))
    assert letter.subject == "[failed] fraud-detector-realtime (staging)"
    assert f"Reason: Stopped before staging by a quality gate: {told}." in letter.text
    assert f"  FAILED: {told}" in letter.text


def test_with_warn_people_are_asked_and_see_the_warning(world: MemoryWorld) -> None:
    live(world, auc=0.965)
    machines = Machines(world)
    gate = {**AUC, "at_least": 0.9, "on_failure": {"dev": "warn", "staging": "warn", "prod": "stop"}}
    release = started(world, machines, values(gate), auc=0.91)
    assert (release.status, release.stage) == (Status.AWAITING_APPROVAL, "staging")
    message = shown(world, release)
    assert "*Quality gates*: 1 not met (warning)" in message
    assert ":warning: auc 0.91 (live 0.965): *worse than live by 0.055, allowed is 0.01*" in message
    assert "A quality gate does not hold: auc 0.91 (live 0.965)" in message
    world.vote(BEN, world.approval(release.release_id, "staging"))
    machines.settle()
    ended = world.of(release.release_id)
    assert (ended.status, ended.stage) == (Status.FAILED, "prod")
    assert "Stopped before prod by a quality gate" in ended.reason
    assert world.stage(release.release_id, "staging").status is StageStatus.VERIFIED


def test_gates_that_hold_are_shown_and_let_the_release_through(world: MemoryWorld) -> None:
    live(world, auc=0.965)
    machines = Machines(world)
    release = started(world, machines, values({**AUC, "at_least": 0.9}), auc=0.96, f1=0.8)
    message = shown(world, release)
    assert "*Quality gates*: 1 passed" in message
    assert ":white_check_mark: auc 0.96 (live 0.965): at least 0.9, not worse than live by more than 0.01" in message
    assert ":bar_chart: f1 0.8" in message
    assert "does not hold" not in message
    for stage in ("staging", "prod"):
        world.vote(CHLOE, world.approval(release.release_id, stage))
        machines.settle()
    assert world.of(release.release_id).status is Status.SUCCEEDED
    assert all(world.stage(release.release_id, stage).gates for stage in ("dev", "staging", "prod"))


def test_a_stage_without_approval_is_guarded_too(world: MemoryWorld) -> None:
    release = started(world, Machines(world), values({"metric": "auc", "at_least": 0.95}), auc=0.91)
    assert (release.status, release.stage) == (Status.FAILED, "dev")
    assert release.reason == "Stopped before dev by a quality gate: auc 0.91: below 0.95."
    assert world.stacks("dev").stacks == {}
    assert world.stacks("dev").executed == []


def test_in_one_account_its_only_stage_is_guarded() -> None:
    world = MemoryWorld(installation=installation(StageSettings("prod", "111111111111"), mode="single"))
    release = started(
        world,
        Machines(world),
        values({"metric": "auc", "at_least": 0.95}, data_capture_location="bucket/x"),
        auc=0.91,
    )
    assert (release.status, release.failure, release.stage) == (Status.FAILED, "GatesFailed", "prod")


def test_the_orchestrators_own_account_is_guarded(tmp_path: Path) -> None:
    own_type(tmp_path, "own_central", runs_in="orchestrator")
    world = MemoryWorld(catalogue=with_own(tmp_path))
    configured = values({"metric": "auc", "at_least": 0.95}, pipeline_type="own_central", instance="ml.m5.large")
    release = started(world, Machines(world), configured, auc=0.91)
    assert (release.status, release.failure, release.stage) == (Status.FAILED, "GatesFailed", "orchestrator")


def test_every_gate_that_stops_is_named(world: MemoryWorld) -> None:
    gates = [
        {"metric": "auc", "at_least": 0.95},
        {"metric": "f1", "at_least": 0.5},
        {"metric": "recall", "at_least": 0.9},
        {"metric": "precision", "at_least": 0.9, "on_failure": "warn"},
    ]
    release = started(world, Machines(world), values(*gates), auc=0.91, f1=0.8, precision=0.1)
    assert release.reason == (
        "Stopped before dev by 2 quality gates: auc 0.91: below 0.95; "
        "recall not measured: the evaluation has no such figure."
    )


def test_a_forced_release_skips_no_gate(world: MemoryWorld) -> None:
    configured = values(
        {"metric": "auc", "at_least": 0.95, "on_failure": {"dev": "warn", "staging": "warn", "prod": "warn"}}
    )
    journeys.live(world, journeys.evaluated(world, configured, auc=0.96))
    journeys.evaluated(world, auc=0.91)
    release = world.release(values({"metric": "auc", "at_least": 0.95}), force=True)
    world.package(release.release_id)
    with pytest.raises(GatesFailed):
        world.deploy(release.release_id, "dev")


def test_a_plan_that_changes_nothing_is_guarded_too(world: MemoryWorld) -> None:
    """Else a worse evaluation would become what the next release is compared with."""
    gate = {**AUC, "on_failure": "stop"}
    journeys.live(world, journeys.evaluated(world, values(gate), auc=0.965))
    release = journeys.packaged(world, journeys.evaluated(world, values(gate), auc=0.91))
    with pytest.raises(GatesFailed):
        world.deploy(release.release_id, "dev")


def test_a_removal_passes_no_gates(world: MemoryWorld) -> None:
    journeys.live(world, journeys.evaluated(world, values(AUC), auc=0.965))
    removal = remove_workload("fraud-detector-realtime", BY_ANA, "one", world.reception).releases[0]
    machines = Machines(world)
    machines.settle()
    assert world.of(removal.release_id).status is Status.AWAITING_APPROVAL
    assert world.stage(removal.release_id, "staging").gates == ()


def test_what_is_live_in_the_stage_counts_and_not_what_is_live_elsewhere(world: MemoryWorld) -> None:
    old = live(world, auc=0.9)
    newer = journeys.approved(world, journeys.evaluated(world, values(instance="ml.c5.large"), auc=0.97))
    world.deploy(newer.release_id, "staging")
    world.end(newer.release_id, Status.FAILED, "VerificationFailed", "why")
    gate = {**AUC, "on_failure": {"dev": "warn", "staging": "warn", "prod": "stop"}}
    release = journeys.approved(world, journeys.evaluated(world, values(gate), auc=0.91))
    (in_staging,) = world.stage(release.release_id, "staging").gates
    assert (in_staging.status, in_staging.live_release) == (GateStatus.WARNED, newer.release_id)
    world.deploy(release.release_id, "staging")
    world.plan(release.release_id, "prod")
    (in_prod,) = world.stage(release.release_id, "prod").gates
    assert (in_prod.status, in_prod.live_release, in_prod.live) == (GateStatus.PASSED, old.release_id, "0.9")


def test_nothing_live_yet_passes_and_says_so(world: MemoryWorld) -> None:
    release = journeys.asked(world, journeys.evaluated(world, values(AUC), auc=0.5))
    assert ":white_check_mark: auc 0.5: nothing is live yet to compare with" in shown(world, release)


def test_a_live_release_without_figures_passes_and_says_so(world: MemoryWorld) -> None:
    before = journeys.live(world)
    release = journeys.asked(world, journeys.evaluated(world, values(AUC), auc=0.5))
    assert f"not compared: the live release {before.release_id} has no such figure" in shown(world, release)


# Bound to the plan.


def test_the_results_are_part_of_what_is_approved(world: MemoryWorld) -> None:
    release = journeys.approved(world, journeys.evaluated(world, values({"metric": "auc", "at_least": 0.9}), auc=0.96))
    record = world.stage(release.release_id, "staging")
    assert record.plan is not None
    other = replace(record.gates[0], value="0.99")
    world.memory.rows[record.key()] = replace(record, gates=(other,))
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "stale"}
    assert world.stacks("staging").executed == []
    world.plan(release.release_id, "staging")
    anew = world.stage(release.release_id, "staging")
    assert anew.plan is not None
    assert (anew.attempt, anew.gates) == (2, record.gates)
    assert anew.plan.digest != record.plan.digest


def test_what_was_approved_with_its_gates_is_deployed(world: MemoryWorld) -> None:
    release = journeys.approved(world, journeys.evaluated(world, values({"metric": "auc", "at_least": 0.9}), auc=0.96))
    token = world.deploy(release.release_id, "staging")
    assert world.fake_tasks.answers[token.value] == {"outcome": "deployed"}


def test_a_stale_plan_is_judged_anew(world: MemoryWorld) -> None:
    live(world, auc=0.965)
    release = journeys.approved(world, journeys.evaluated(world, values(AUC), auc=0.96))
    world.stacks("staging").somebody_else_deploys(STACK)
    world.deploy(release.release_id, "staging")
    better = replace(world.of(world.workload().live_release), metrics=(Figure("auc", "0.999"),))
    world.memory.rows[better.key()] = better
    with pytest.raises(GatesFailed, match=r"live 0\.999"):
        world.plan(release.release_id, "staging")
    record = world.stage(release.release_id, "staging")
    assert (record.attempt, record.plan, record.gates[0].live) == (2, None, "0.999")


def test_a_package_without_gates_has_the_digest_that_it_always_had(world: MemoryWorld) -> None:
    release = journeys.planned(world)
    ((request, _),) = world.stacks("staging").change_sets.values()
    assert request.content_digest == release.digest
    assert world.stage(release.release_id, "staging").gates == ()


# What is measured.


def test_a_gate_may_look_at_what_is_not_among_the_first_figures(world: MemoryWorld) -> None:
    figures = {f"m{n:02}": float(n) for n in range(20)}
    gates = [
        {"metric": "m15", "at_least": 15},
        {"metric": "binary_classification_metrics.m16", "at_least": 16},
        {"metric": "binary_classification_metrics.confusion_matrix.1.0", "at_most": 4},
    ]
    release = journeys.asked(world, journeys.evaluated(world, values(*gates), **figures))
    kept = [figure.name for figure in world.of(release.release_id).metrics]
    assert kept == [*(f"m{n:02}" for n in range(12)), *(gate["metric"] for gate in gates)]
    assert {result.status for result in world.stage(release.release_id, "staging").gates} == {GateStatus.PASSED}
    line = next(part for part in shown(world, release).split('"') if ":bar_chart:" in part)
    assert "m11" in line
    assert "m15" not in line


@pytest.fixture
def registry() -> MemoryWorld:
    """An installation with the Model Registry, and a version whose statistics lie in a bucket."""
    world = MemoryWorld(installation=installation(model_registry=True))
    world.registry.add(version(1, metrics=STATISTICS))
    world.buckets.put(ASSETS, "registry/statistics.json", evaluation(auc=0.91))
    return world


def manifest(world: MemoryWorld, release: Release) -> dict[str, Any]:
    """Of the release's package."""
    return dict(read_package(world.buckets.read(PACKAGES, package_key(release.release_id))).manifest)


def test_the_model_packages_own_figures_are_judged(registry: MemoryWorld) -> None:
    release = started(registry, Machines(registry), registered(gates=[{"metric": "auc", "at_least": 0.95}]))
    assert release.reason == "Stopped before dev by a quality gate: auc 0.91: below 0.95."


def test_their_file_is_pinned_to_its_version(registry: MemoryWorld) -> None:
    release = journeys.packaged(registry, registered(gates=[{"metric": "auc", "at_least": 0.9}]))
    found = registry.buckets.describe(ASSETS, "registry/statistics.json")
    assert manifest(registry, release)["metrics"] == {
        "uri": STATISTICS,
        "version_id": found.version_id,
        "figures": [{"name": "auc", "value": "0.91"}],
    }
    registry.buckets.put(ASSETS, "registry/statistics.json", evaluation(auc=0.1))
    registry.deploy(release.release_id, "dev")
    assert registry.stage(release.release_id, "dev").gates[0].value == "0.91"


def test_a_file_without_versions_is_read_as_it_is(registry: MemoryWorld) -> None:
    registry.buckets.unversioned.add(ASSETS)
    release = journeys.packaged(registry, registered())
    assert manifest(registry, release)["metrics"]["version_id"] == ""
    assert release.metrics == (Figure("auc", "0.91"),)


def test_a_file_that_may_not_be_read_breaks_the_gates(registry: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(bucket: str, key: str) -> None:
        raise AccessDenied(f"IAM refused s3:GetObject of {key}")

    monkeypatch.setattr(registry.buckets, "newest", denied)
    release = started(registry, Machines(registry), registered(gates=[{"metric": "auc", "at_least": 0}]))
    assert release.failure == "GatesFailed"
    assert "auc not measured: the evaluation has no such figure" in release.reason
    assert "the function Package may not read it" in release.warnings[0]


def test_a_version_without_an_evaluation_breaks_the_gates(registry: MemoryWorld) -> None:
    registry.registry.add(version(1))
    release = started(registry, Machines(registry), registered(gates=[{"metric": "auc", "at_least": 0}]))
    assert release.failure == "GatesFailed"


# What is shown.


def test_our_own_words_are_told_where_awss_are_not() -> None:
    world = MemoryWorld(installation=installation(detailed_errors=False))
    release = started(world, Machines(world), values({"metric": "auc", "at_least": 0.95}), auc=0.91)
    assert "Stopped before dev by a quality gate: auc 0.91: below 0.95." in shown(world, release)


def test_the_api_shows_every_gate_of_a_stage(world: MemoryWorld) -> None:
    before = live(world, auc=0.965)
    gate = {**AUC, "at_least": 0.9, "on_failure": "warn"}
    release = journeys.asked(world, journeys.evaluated(world, values(gate), auc=0.91))
    records = world.memory.under(StageRecord, f"RELEASE#{release.release_id}")
    detail = views.detail(release, records, {}, world.installation)
    staging = next(stage for stage in detail["stages"] if stage["stage"] == "staging")
    assert staging["gates"] == [
        {
            "metric": "auc",
            "status": "warned",
            "faults": ["worse_than_live"],
            "value": 0.91,
            "live": 0.965,
            "at_least": 0.9,
            "at_most": None,
            "not_worse_than_live_by": 0.01,
            "live_release": before.release_id,
            "higher_is_better": True,
            "told": "auc 0.91 (live 0.965): worse than live by 0.055, allowed is 0.01",
        }
    ]
