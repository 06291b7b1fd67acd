"""A version that is rejected while it is live: told once, with the way back, which works."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import Refused
from orchestrator.core.messages.notice import notice_letter, notice_message
from orchestrator.core.notices import Notice
from orchestrator.core.origins import SourceKind
from orchestrator.core.records import Approval, ApprovalStatus, Status
from orchestrator.core.steps.receipts import NOTHING
from orchestrator.core.steps.roll_back import Return, roll_back
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, MemoryWorld, installation
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
    assert f"go back to version 1, which was live before it (release {first.release_id})." in text
    command = f"mlops rollback {NAME} --to {first.release_id}"
    assert [line.strip() for line in notice.lines if line.startswith("  ")] == [command]
    shown = notice_message(notice)
    assert f"`{command}`" in shown.blocks[0]["text"]["text"]
    (button,) = shown.blocks[1]["elements"]
    assert (button["action_id"], button["value"]) == ("roll_back", first.release_id)
    letter = notice_letter(notice)
    assert letter.subject.startswith("[notice] Version 2 of fraud was rejected while it is live")
    assert command in letter.text


def test_a_version_before_it_that_is_not_approved_has_to_be_first(world: MemoryWorld) -> None:
    live(world, registered())
    register(world, 2)
    world.assess(arn(2), APPROVED)
    decide_all(world)
    world.assess(arn(1), PENDING)
    world.assess(arn(2), REJECTED)
    (notice,) = notices(world)
    assert notice.goes_back_to == ""
    (command,) = [line for line in notice.lines if line.startswith("  ")]
    assert command.endswith(f"--model-package-arn {arn(1)} --model-approval-status Approved")


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
    (second,) = world.assess(arn(2), APPROVED).releases
    decide_all(world)
    world.assess(arn(2), REJECTED)
    (notice,) = notices(world)
    wish = Return(NAME, notice.goes_back_to)
    (back,) = roll_back(wish, BY_ANA, "please", SourceKind.API, world.reception).releases
    decide_all(world)
    with pytest.raises(Refused, match=f"deploys {arn(2)}, which is Rejected in the Model Registry"):
        roll_back(Return(NAME, second.release_id), BY_ANA, "another", SourceKind.API, world.reception)
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
