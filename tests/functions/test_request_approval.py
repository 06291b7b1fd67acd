"""The function behind the states WaitForStagingApproval, WaitForProdApproval and WaitForApproval."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.records import ApprovalStatus, TaskToken
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import SECRET_TOKEN, Called


def test_it_asks_and_keeps_the_token_in_the_record_alone(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    release_id = memory.release().release_id
    memory.package(release_id)
    memory.plan(release_id, "staging")
    request_approval = called("request_approval")
    event = {"release_id": release_id, "stage": "staging", "task_token": SECRET_TOKEN}
    assert request_approval(event) is None
    approval = memory.approval(release_id, "staging")
    assert (approval.status, approval.token) == (ApprovalStatus.PENDING, TaskToken(SECRET_TOKEN))
    assert memory.fake_tasks.answers == {}
    assert request_approval.last["message"] == "done"


def test_where_nobody_has_to_be_asked_it_answers_at_once(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    release_id = memory.release().release_id
    memory.package(release_id)
    memory.plan(release_id, "dev")
    called("request_approval")({"release_id": release_id, "stage": "dev", "task_token": SECRET_TOKEN})
    assert memory.fake_tasks.answers == {SECRET_TOKEN: {"decision": "approved"}}
