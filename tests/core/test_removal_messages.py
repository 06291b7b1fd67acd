"""What people read of a removal, in each state, in Slack and by e-mail: a table a product owner can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.headlines import headline, left_behind, sentence
from orchestrator.core.messages.mail import end_letter, question_letter
from orchestrator.core.messages.question import question_reply
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import Release, StageRecord, Status, Verdict
from orchestrator.core.steps.remove_workload import remove_workload
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, MemoryWorld, configuration, installation
from tests.fakes.workload_types import own_type, with_own
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"
World = tuple[MemoryWorld, Machines, str]


@pytest.fixture
def removal() -> World:
    """Asked for, with everything live."""
    world = MemoryWorld()
    journeys.live(world)
    receipt = remove_workload(WORKLOAD, BY_ANA, "please", world.reception)
    return world, Machines(world), receipt.releases[0].release_id


def facts(world: MemoryWorld, release_id: str) -> Facts:
    release = world.of(release_id)
    stages = {one.stage: one for one in world.memory.under(StageRecord, f"RELEASE#{release_id}")}
    approvals = {one.approval_id: world.approval(release_id, one.stage) for one in stages.values() if one.approval_id}
    return Facts(release, world.installation, stages, approvals)


def rejected(world: MemoryWorld, machines: Machines, name: str) -> None:
    machines.settle()
    world.vote(BEN, world.approval(name, "staging"), Verdict.REJECT, "Still in use")
    machines.settle()


def removed(world: MemoryWorld, machines: Machines, name: str) -> None:
    machines.settle()
    for stage in ("staging", "prod"):
        world.vote(CHLOE, world.approval(name, stage))
        machines.settle()


def failing(world: MemoryWorld, machines: Machines, name: str) -> None:
    world.stacks("staging").fails_with = "Schedule (AWS::SageMaker::MonitoringSchedule): an execution is in progress"
    machines.settle()
    world.vote(BEN, world.approval(name, "staging"))
    machines.settle()


def superseded(world: MemoryWorld, machines: Machines, name: str) -> None:
    machines.settle()
    world.release(configuration(inference_instance="ml.c5.large"))
    for _ in range(3):
        machines.settle()


def expired(world: MemoryWorld, machines: Machines, name: str) -> None:
    machines.settle()
    world.clock.pass_hours(72)
    machines.settle()


def deleting(world: MemoryWorld, machines: Machines, name: str) -> None:
    world.stacks("dev").immediate = False
    machines.settle()


@pytest.mark.parametrize(
    ("happens", "head", "says"),
    [
        (lambda world, machines, name: None, "about to be removed", [f"{WORKLOAD} is about to be removed."]),
        (deleting, "being removed from dev", [":rocket: *dev*"]),
        (
            lambda world, machines, name: machines.settle(),
            "remove from staging?",
            [
                f"{WORKLOAD} waits for approval to be removed from staging.",
                ":wastebasket: dev → :hourglass_flowing_sand: *staging* → :white_large_square: prod",
                "1 resource removed",
                ":wastebasket: *1 removed*",
                "`Endpoint` AWS::SageMaker::Endpoint",
                f"{WORKLOAD} will be removed from staging with everything that is listed here",
                "Approve removal from stag",
            ],
        ),
        (
            removed,
            "removed from dev, staging and prod",
            [f"{WORKLOAD} was removed from dev, staging and prod.", ":wastebasket: prod"],
        ),
        (
            rejected,
            "rejected for staging",
            [
                f"The removal of {WORKLOAD} was rejected for staging.",
                "It is gone from dev. It stays as it was in staging and prod.",
            ],
        ),
        (
            failing,
            "failed in staging",
            [
                "an execution is in progress",
                "It is gone from dev. In staging CloudFormation has deleted what it could. It stays as it was in prod.",
            ],
        ),
        (superseded, "superseded by a newer release", ["took its place", "It is gone from dev."]),
        (expired, "expired before staging was decided", ["Nobody decided about staging in time."]),
    ],
    ids=["asked for", "deleting", "waiting", "removed", "rejected", "failed", "superseded", "expired"],
)
def test_each_state(
    removal: World, happens: Callable[[MemoryWorld, Machines, str], None], head: str, says: list[str]
) -> None:
    world, machines, name = removal
    happens(world, machines, name)
    found = facts(world, name)
    assert headline(found) == f"{WORKLOAD}: {head}"
    shown = json.dumps(release_message(found).blocks, ensure_ascii=False)
    assert [words for words in says if words not in shown] == []
    assert "deployed" not in shown
    if found.release.status.ended:
        letter = end_letter(found)
        assert sentence(found) in letter.text
        assert "deployed" not in letter.text


THERE = "the orchestrator's account"


@pytest.mark.parametrize(
    ("verdict", "waiting", "says", "left"),
    [
        (
            Verdict.APPROVE,
            f"waits for approval to be removed from {THERE}.",
            f"was removed from {THERE}.",
            "",
        ),
        (
            Verdict.REJECT,
            f"waits for approval to be removed from {THERE}.",
            f"was rejected for {THERE}.",
            f"It stays as it was in {THERE}.",
        ),
    ],
    ids=["removed", "rejected"],
)
def test_the_orchestrators_stage_has_its_place_for_a_name(
    tmp_path: Path, verdict: Verdict, waiting: str, says: str, left: str
) -> None:
    own_type(tmp_path, "own_central", runs_in="orchestrator")
    asks = ApprovalPolicy(((("risk", 1),),))
    world = MemoryWorld(installation=installation(orchestrator_approval=asks), catalogue=with_own(tmp_path))
    machines = Machines(world)
    values = configuration(pipeline_type="own_central", inference_instance="ml.m5.large")
    release = world.release(values)
    machines.settle()
    world.vote(CHLOE, world.approval(release.release_id, "orchestrator"))
    machines.settle()
    removal = remove_workload(release.workload, BY_ANA, "please", world.reception).releases[0].release_id
    machines.settle()
    assert sentence(facts(world, removal)).endswith(waiting)
    world.vote(CHLOE, world.approval(removal, "orchestrator"), verdict, "Still in use")
    machines.settle()
    found = facts(world, removal)
    assert sentence(found).endswith(says)
    assert left_behind(found) == left


def test_the_question_says_that_it_is_about_a_removal(removal: World) -> None:
    world, machines, name = removal
    machines.settle()
    found = facts(world, name)
    assert found.waiting is not None
    assert "waits for your decision about its removal from *staging*" in json.dumps(
        question_reply(found, found.waiting).blocks
    )
    letter = question_letter(found, found.waiting, "Slack is not there.")
    assert letter.subject == f"[approval needed] {WORKLOAD}: remove from staging?"
    assert "removed: Endpoint (AWS::SageMaker::Endpoint)" in letter.text


@pytest.mark.parametrize(
    ("verdict", "reason", "words"),
    [
        (Verdict.APPROVE, "", f"The removal of {WORKLOAD} is approved for staging by Ben Okafor."),
        (Verdict.REJECT, "Still in use", f"The removal of {WORKLOAD} was rejected for staging by Ben Okafor."),
    ],
)
def test_the_voter_is_told_what_was_decided(removal: World, verdict: Verdict, reason: str, words: str) -> None:
    world, machines, name = removal
    machines.settle()
    assert world.vote(BEN, world.approval(name, "staging"), verdict, reason).sentence == words


def test_a_release_of_the_workload_is_told_as_before(removal: World) -> None:
    world, _, _ = removal
    released = next(one for one in world.memory.all(Release) if not one.removes)
    assert (released.status, headline(facts(world, released.release_id))) == (
        Status.SUCCEEDED,
        f"{WORKLOAD}: released to prod",
    )
