"""The function behind the schedule."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.records import TaskToken
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import SECRET_TOKEN, Called

SCHEDULED = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}


def deploying(memory: MemoryWorld) -> str:
    """A release whose deployment in dev has not ended; its id."""
    release_id = memory.release().release_id
    memory.package(release_id)
    memory.stacks("dev").immediate = False
    memory.deploy(release_id, "dev", TaskToken(SECRET_TOKEN))
    return release_id


def test_a_deployment_whose_event_was_lost_is_settled(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    deploying(memory)
    sweep_waits = called("sweep_waits")
    nothing = {
        "outcome": "swept",
        "open": 1,
        "settled": 0,
        "answered": 0,
        "reminded": 0,
        "outside": 0,
        "mended": [],
        "failures": [],
    }
    assert sweep_waits(SCHEDULED) == nothing
    (name,) = memory.stacks("dev").working()
    memory.stacks("dev").finish(name)
    assert sweep_waits(SCHEDULED)["settled"] == 1
    assert memory.fake_tasks.answers == {SECRET_TOKEN: {"outcome": "deployed"}}
    assert (sweep_waits.last["open"], sweep_waits.last["settled"]) == (1, 1)


def test_a_wait_that_cannot_be_looked_at_is_in_the_log(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    """Nobody reads what a scheduled function answers."""
    release_id = deploying(memory)
    del memory.fake_accounts.by_stage["dev"]
    sweep_waits = called("sweep_waits")
    sweep_waits(SCHEDULED)
    (failure,) = sweep_waits.last["failures"]
    assert failure.startswith(f"{release_id} in dev:")
