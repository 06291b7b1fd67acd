"""Verifying: is it in service, and does it answer its sample?"""

from __future__ import annotations

import pytest

from orchestrator.core.errors import VerificationFailed
from orchestrator.core.ports import Answer
from orchestrator.core.records import Release, StageStatus, Status
from tests.fakes.memory_world import ASSETS, MemoryWorld, configuration
from tests.steps.journeys import STACK, live, packaged


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def deployed(world: MemoryWorld, values: object = None) -> Release:
    release = packaged(world, values)
    world.deploy(release.release_id, "dev")
    return release


def test_the_endpoint_answers_the_pinned_sample(world: MemoryWorld) -> None:
    release = deployed(world)
    world.buckets.put(ASSETS, "fraud/sample.csv", b"another sample")
    answer = world.verify(release.release_id, "dev")
    assert answer["outcome"] == "verified"
    assert world.fake_accounts.endpoints("dev").asked == [(f"{STACK}-endpoint", b"1,2,3", "text/csv")]
    record = world.stage(release.release_id, "dev")
    assert record.status is StageStatus.VERIFIED
    assert "answered the sample with status 200" in record.note
    assert world.of(release.release_id).status is Status.VERIFYING


def test_without_a_sample_being_in_service_is_enough(world: MemoryWorld) -> None:
    release = deployed(world, configuration(verify=None))
    world.verify(release.release_id, "dev")
    assert world.fake_accounts.endpoints("dev").asked == []
    assert "is in service" in world.stage(release.release_id, "dev").note


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [("Failed", "no space left", "is Failed, not InService. no space left"), ("Absent", "", "is Absent")],
)
def test_an_endpoint_that_is_not_in_service(world: MemoryWorld, status: str, reason: str, words: str) -> None:
    release = deployed(world)
    world.fake_accounts.endpoints("dev").status_of = (status, reason)
    with pytest.raises(VerificationFailed, match=words):
        world.verify(release.release_id, "dev")
    assert world.stage(release.release_id, "dev").status is StageStatus.DEPLOYED


def test_a_wrong_answer_is_shown_in_part(world: MemoryWorld) -> None:
    release = deployed(world)
    world.fake_accounts.endpoints("dev").answer = Answer(500, b"boom \xff" + b"x" * 5_000, "text/plain")
    with pytest.raises(VerificationFailed, match="status 500 instead of 200: boom") as failed:
        world.verify(release.release_id, "dev")
    assert len(str(failed.value)) < 600


def test_the_configuration_may_expect_another_status(world: MemoryWorld) -> None:
    release = deployed(world, configuration(verify={"sample": "fraud/sample.csv", "expect_status": 400}))
    world.fake_accounts.endpoints("dev").answer = Answer(400, b"", "text/plain")
    assert world.verify(release.release_id, "dev")["outcome"] == "verified"


def test_an_answer_that_comes_too_late_is_none(world: MemoryWorld) -> None:
    release = deployed(world, configuration(verify={"sample": "fraud/sample.csv", "timeout_seconds": 7}))
    world.fake_accounts.endpoints("dev").seconds = 7.1
    told = f"endpoint {STACK}-endpoint in dev did not answer the sample within 7 s"
    with pytest.raises(VerificationFailed, match=told):
        world.verify(release.release_id, "dev")
    assert world.stage(release.release_id, "dev").status is StageStatus.DEPLOYED


@pytest.mark.parametrize(
    ("verify", "seconds"),
    [({"timeout_seconds": 7}, 6.9), ({}, 59.9)],
    ids=["in the time of the configuration", "in a minute, where it says nothing"],
)
def test_an_answer_in_time_is_enough(world: MemoryWorld, verify: dict[str, int], seconds: float) -> None:
    release = deployed(world, configuration(verify={"sample": "fraud/sample.csv", **verify}))
    world.fake_accounts.endpoints("dev").seconds = seconds
    assert world.verify(release.release_id, "dev")["outcome"] == "verified"


def test_a_stack_without_the_output_is_told(world: MemoryWorld) -> None:
    release = packaged(world)
    with pytest.raises(VerificationFailed, match="no output 'EndpointName'"):
        world.verify(release.release_id, "dev")


def test_an_unchanged_stage_is_verified_too(world: MemoryWorld) -> None:
    live(world)
    again = world.release(configuration(), force=True)
    world.package(again.release_id)
    world.deploy(again.release_id, "dev")
    assert world.verify(again.release_id, "dev")["outcome"] == "verified"
    assert world.stage(again.release_id, "dev").status is StageStatus.VERIFIED
