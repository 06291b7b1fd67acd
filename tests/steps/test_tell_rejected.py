"""A version that is rejected while it is live: told once, with the way back, which works."""

from __future__ import annotations

import pytest

from orchestrator.core.messages.notice import notice_letter, notice_message
from orchestrator.core.notices import Notice
from orchestrator.core.records import Approval, ApprovalStatus, Status
from orchestrator.core.steps.receipts import NOTHING
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, CHLOE, MemoryWorld, installation
from tests.steps.journeys import live
from tests.steps.test_receive_model_package import APPROVED, NAME, PENDING, REJECTED, arn, register, registered


@pytest.fixture
def world() -> MemoryWorld:
    """Version 1 of the group ``fraud`` is approved; nothing is released."""
    world = MemoryWorld(installation=installation(model_registry=True))
    register(world, 1, APPROVED)
    return world


def notices(world: MemoryWorld) -> tuple[Notice, ...]:
    return world.memory.all(Notice)


def test_a_version_rejected_while_it_is_live_is_told_with_the_way_back(world: MemoryWorld) -> None:
    first = live(world, registered())
    register(world, 2)
    (second,) = world.assess(arn(2), APPROVED).releases
    decide_all(world)
    assert world.workload(NAME).live_release == second.release_id
    assert world.assess(arn(2), REJECTED) == NOTHING
    (notice,) = notices(world)
    assert notice.release_id == second.release_id
    assert notice.subject == f"Version 2 of fraud was rejected while it is live in {NAME}"
    text = "\n".join(notice.lines)
    assert f"It is live in dev, staging, prod, since release {second.release_id}. Nothing was changed" in text
    assert f"go back to version 1, which was live before it (release {first.release_id}) and is Approved now" in text
    commands = [line.split("--model-approval-status ")[1] for line in notice.lines if line.startswith("  ")]
    assert commands == [PENDING, APPROVED]
    assert all(arn(1) in line for line in notice.lines if line.startswith("  "))
    shown = notice_message(notice)
    assert f"`aws sagemaker update-model-package --model-package-arn {arn(1)}" in shown.blocks[0]["text"]["text"]
    letter = notice_letter(notice)
    assert letter.subject.startswith("[notice] Version 2 of fraud was rejected while it is live")
    assert arn(1) in letter.text


def decide_all(world: MemoryWorld) -> None:
    """Everything that runs goes all the way, with every approval given."""
    machines = Machines(world)
    for _ in range(6):
        machines.settle()
        for approval in world.memory.all(Approval):
            if approval.status is ApprovalStatus.PENDING:
                world.vote(CHLOE, approval)
                world.vote(BEN, approval)


def test_the_proposed_way_back_works(world: MemoryWorld) -> None:
    live(world, registered())
    register(world, 2)
    world.assess(arn(2), APPROVED)
    decide_all(world)
    world.assess(arn(2), REJECTED)
    world.assess(arn(1), PENDING)
    (back,) = world.assess(arn(1), APPROVED).releases
    decide_all(world)
    assert world.of(back.release_id).status is Status.SUCCEEDED
    assert world.workload(NAME).live_release == back.release_id
    assert world.of(back.release_id).models == (arn(1),)


def test_a_rejection_is_told_once(world: MemoryWorld) -> None:
    live(world, registered())
    for _ in range(3):
        world.assess(arn(1), REJECTED, "ModelApprovalStatus") if not notices(world) else world.registry_event(arn(1))
    (notice,) = notices(world)
    assert "No other version of the group was live before it" in notice.lines[1]


def test_a_version_that_is_not_live_is_rejected_in_silence(world: MemoryWorld) -> None:
    live(world, registered())
    register(world, 2)
    world.assess(arn(2), REJECTED)
    assert notices(world) == ()
