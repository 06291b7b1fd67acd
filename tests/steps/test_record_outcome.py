"""The named ends: how it ended is written, what is left over is tidied away, the next release has its turn."""

from __future__ import annotations

import json

import pytest

from orchestrator.core.errors import AccessDenied, PlanFailed, Throttled
from orchestrator.core.records import ApprovalStatus, StageRecord, StageStatus, Status, Verdict
from orchestrator.core.steps.record_outcome import readable_cause
from tests.fakes.memory_world import BEN, MemoryWorld, configuration, digest_of
from tests.steps.journeys import STACK, approved, asked, in_dev, live, packaged


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_a_success_is_live_and_passes_its_turn_on(world: MemoryWorld) -> None:
    release = live(world)
    workload = world.workload()
    assert release.status is Status.SUCCEEDED
    assert (workload.live_release, workload.live_digest) == (release.release_id, release.digest)
    assert (workload.running_release, workload.running_digest) == ("", "")


def test_a_rejected_first_release_leaves_no_change_set_and_no_stack(world: MemoryWorld) -> None:
    release = asked(world)
    world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "AUC fell by two points")
    answer = world.end(release.release_id, Status.REJECTED)
    ended = world.of(release.release_id)
    assert (ended.status, ended.reason, ended.ended_by) == (Status.REJECTED, "AUC fell by two points", "Ben Okafor")
    assert answer == {"outcome": "rejected", "error": "Failed", "reason": "AUC fell by two points"}
    assert world.stacks("staging").change_sets == {}
    assert world.stacks("staging").stacks == {}
    assert world.stage(release.release_id, "staging").status is StageStatus.DISCARDED
    assert world.stacks("dev").stacks[STACK].status == "CREATE_COMPLETE"
    assert world.workload().running_release == ""


def test_a_rejected_update_leaves_the_stack_as_it_was(world: MemoryWorld) -> None:
    live(world)
    before = world.stacks("staging").stacks[STACK]
    release = asked(world, configuration(inference_instance="ml.c5.large"))
    world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "too dear")
    world.end(release.release_id, Status.REJECTED)
    assert world.stacks("staging").change_sets == {}
    assert world.stacks("staging").stacks[STACK] == before
    assert world.stacks("staging").stacks[STACK].status == "CREATE_COMPLETE"


def test_expired(world: MemoryWorld) -> None:
    release = asked(world)
    world.end(release.release_id, Status.EXPIRED)
    assert world.of(release.release_id).reason == "Nobody decided about staging in time."
    approval = world.approval(release.release_id, "staging")
    assert (approval.status, approval.token) == (ApprovalStatus.EXPIRED, None)
    assert world.stacks("staging").stacks == {}
    assert world.sweep().answered == 0


def test_superseded_names_its_successor(world: MemoryWorld) -> None:
    release = asked(world)
    world.end(release.release_id, Status.SUPERSEDED)
    assert world.of(release.release_id).reason == "A newer release took over."
    assert world.approval(release.release_id, "staging").status is ApprovalStatus.SUPERSEDED


def test_a_failure_keeps_the_reason_and_marks_the_stage(world: MemoryWorld) -> None:
    world.stacks("dev").fails_with = "Endpoint (AWS::SageMaker::Endpoint): no capacity"
    release = packaged(world)
    token = world.deploy(release.release_id, "dev")
    answer = world.end(release.release_id, Status.FAILED, *world.fake_tasks.failures[token.value])
    assert answer == {
        "outcome": "failed",
        "error": "DeploymentFailed",
        "reason": "Endpoint (AWS::SageMaker::Endpoint): no capacity",
    }
    assert world.stage(release.release_id, "dev").status is StageStatus.FAILED
    assert world.workload().running_release == ""


def test_a_failure_before_the_first_stage(world: MemoryWorld) -> None:
    release = world.release()
    world.end(release.release_id, Status.FAILED, "SourceGone", json.dumps({"errorMessage": "gone"}))
    assert world.of(release.release_id).reason == "gone"
    assert world.of(release.release_id).stage == ""
    assert world.memory.all(StageRecord) == ()


def test_a_failure_to_plan(world: MemoryWorld) -> None:
    release = in_dev(world)
    world.stacks("staging").refuses = "Parameter ImageUri is refused"
    with pytest.raises(PlanFailed):
        world.plan(release.release_id, "staging")
    world.end(release.release_id, Status.FAILED, "PlanFailed", "Parameter ImageUri is refused")
    record = world.stage(release.release_id, "staging")
    assert (record.status, record.note) == (StageStatus.FAILED, "Parameter ImageUri is refused")


def test_a_failure_to_verify_marks_the_stage_though_it_is_deployed(world: MemoryWorld) -> None:
    release = packaged(world)
    world.deploy(release.release_id, "dev")
    world.end(release.release_id, Status.FAILED, "VerificationFailed", "status 500")
    record = world.stage(release.release_id, "dev")
    assert (record.status, record.note) == (StageStatus.FAILED, "status 500")
    assert world.stacks("dev").stacks[STACK].status == "CREATE_COMPLETE"


def test_an_empty_plan_has_nothing_to_discard(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    live(world)
    again = world.release(configuration(), force=True)
    world.package(again.release_id)
    world.plan(again.release_id, "staging")

    def asked_to(plan: object) -> None:
        raise AssertionError("an empty plan has no change set")

    monkeypatch.setattr(world.stacks("staging"), "discard", asked_to)
    world.end(again.release_id, Status.FAILED, "E", "x")
    assert world.of(again.release_id).reason == "x"


def test_a_repeated_end_passes_a_turn_on_that_the_first_one_could_not(world: MemoryWorld) -> None:
    release = packaged(world)
    held = world.workload()
    world.end(release.release_id, Status.FAILED, "E", "x")
    world.memory.rows[held.key()] = held
    world.end(release.release_id, Status.FAILED, "E", "x")
    assert world.workload().running_release == ""


def test_a_failure_after_the_approval_discards_the_plan(world: MemoryWorld) -> None:
    release = approved(world)
    world.end(release.release_id, Status.FAILED, "StepFailed", "x")
    assert world.stacks("staging").change_sets == {}
    assert world.stage(release.release_id, "staging").status is StageStatus.FAILED
    assert world.approval(release.release_id, "staging").status is ApprovalStatus.APPROVED


def test_a_stage_that_was_verified_stays_verified(world: MemoryWorld) -> None:
    release = in_dev(world)
    world.end(release.release_id, Status.FAILED, "AccessDenied", "x")
    assert world.stage(release.release_id, "dev").status is StageStatus.VERIFIED


def test_a_repeated_end_changes_nothing(world: MemoryWorld) -> None:
    release = asked(world)
    answer = world.end(release.release_id, Status.FAILED, "E", "why")
    before = digest_of(world.memory.rows)
    assert world.end(release.release_id, Status.FAILED, "E", "why") == answer
    assert world.end(release.release_id, Status.EXPIRED)["outcome"] == "failed"
    assert digest_of(world.memory.rows) == before


def test_a_late_failure_does_not_undo_a_success(world: MemoryWorld) -> None:
    """As the rule for executions that were stopped may report it, after the release has ended by itself."""
    release = live(world)
    before = digest_of(world.memory.rows)
    assert world.end(release.release_id, Status.FAILED, "Aborted", "")["outcome"] == "succeeded"
    assert digest_of(world.memory.rows) == before


def test_an_execution_that_was_stopped_frees_the_turn(world: MemoryWorld) -> None:
    release = asked(world)
    world.end(release.release_id, Status.FAILED, "Execution ABORTED", "")
    assert world.of(release.release_id).reason == "Execution ABORTED"
    assert world.stacks("staging").stacks == {}
    assert world.package(world.release(configuration()).release_id) == {"outcome": "packaged"}


def test_an_end_never_takes_the_turn_of_another(world: MemoryWorld) -> None:
    waiting = world.release()
    running = packaged(world, configuration(description="x"))
    world.end(waiting.release_id, Status.FAILED, "WorkloadBusy", "x")
    assert world.workload().running_release == running.release_id


def test_a_plan_that_cannot_be_deleted_is_told_with_the_reason(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asked(world)

    def denied(plan: object, *, rejected: str = "") -> None:
        raise AccessDenied("mlops-deploy may not do cloudformation:DeleteChangeSet")

    monkeypatch.setattr(world.stacks("staging"), "discard", denied)
    world.end(release.release_id, Status.EXPIRED)
    ended = world.of(release.release_id)
    assert ended.status is Status.EXPIRED
    assert "in time." in ended.reason
    assert "cloudformation:DeleteChangeSet" in ended.reason
    assert world.workload().running_release == ""


def test_a_throttled_tidying_is_tried_again(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    release = asked(world)

    def throttled(plan: object, *, rejected: str = "") -> None:
        raise Throttled("slow down")

    with monkeypatch.context() as slow:
        slow.setattr(world.stacks("staging"), "discard", throttled)
        with pytest.raises(Throttled):
            world.end(release.release_id, Status.EXPIRED)
        assert not world.of(release.release_id).status.ended
    world.end(release.release_id, Status.EXPIRED)
    assert world.of(release.release_id).status is Status.EXPIRED


@pytest.mark.parametrize(
    ("error", "cause", "readable"),
    [
        ("DeploymentFailed", "Endpoint: no capacity", "Endpoint: no capacity"),
        ("PlanFailed", '{"errorMessage": "bad value", "errorType": "PlanFailed", "stackTrace": []}', "bad value"),
        ("States.Timeout", "", "A step did not end in time."),
        ("Lambda.Unknown", "", "Lambda.Unknown"),
        ("", "", "An unknown error"),
        ("E", "[1]", "[1]"),
        ("E", '{"errorMessage": 7}', '{"errorMessage": 7}'),
        ("E", "x" * 9_000, "x" * 2_000),
        ("States.Timeout", "{not json", "{not json"),
    ],
)
def test_causes_are_made_readable(error: str, cause: str, readable: str) -> None:
    assert readable_cause(error, cause) == readable
