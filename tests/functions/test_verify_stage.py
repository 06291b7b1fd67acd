"""The function behind the states VerifyDev, VerifyStaging, VerifyProd and Verify."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.core.errors import VerificationFailed
from orchestrator.core.ports import Answer
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import Called


@pytest.fixture
def event(memory: MemoryWorld) -> dict[str, str]:
    """The state's payload for a release that is deployed in dev."""
    release_id = memory.release().release_id
    memory.package(release_id)
    memory.deploy(release_id, "dev")
    return {"release_id": release_id, "stage": "dev"}


def test_it_sends_the_sample_and_tells_what_it_saw(
    called: Callable[[str], Called], memory: MemoryWorld, event: dict[str, str]
) -> None:
    verify_stage = called("verify_stage")
    answer = verify_stage(event)
    assert answer["outcome"] == "verified"
    assert "status 200" in answer["note"]
    assert [body for _, body, _ in memory.fake_accounts.endpoints("dev").asked] == [b"1,2,3"]
    assert verify_stage.last["outcome"] == "verified"


def test_a_wrong_answer_is_an_error_that_ends_the_release(
    called: Callable[[str], Called], memory: MemoryWorld, event: dict[str, str]
) -> None:
    memory.fake_accounts.endpoints("dev").answer = Answer(500, b"no model", "text/plain")
    verify_stage = called("verify_stage")
    with pytest.raises(VerificationFailed, match="no model"):
        verify_stage(event)
    assert verify_stage.last["error"] == "VerificationFailed"
