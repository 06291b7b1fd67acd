"""The function behind the named ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.records import Status
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import Called


@pytest.fixture
def release_id(memory: MemoryWorld) -> str:
    """A packaged release."""
    release = memory.release()
    memory.package(release.release_id)
    return release.release_id


LAMBDA_CAUSE = json.dumps(
    {"errorMessage": "IAM refused x to y", "errorType": "AccessDenied", "stackTrace": ["File handler.py"]}
)


@pytest.mark.parametrize(
    ("failure", "error", "reason"),
    [
        ({"Error": "AccessDenied", "Cause": LAMBDA_CAUSE}, "AccessDenied", "IAM refused x to y"),
        ({"Error": "DeploymentFailed", "Cause": "Endpoint: no capacity"}, "DeploymentFailed", "Endpoint: no capacity"),
        ({"Error": "States.Timeout"}, "States.Timeout", "A step did not end in time."),
        ({"Error": "States.TaskFailed"}, "States.TaskFailed", "States.TaskFailed"),
    ],
    ids=["of a function", "of a stack", "without a cause", "with an error only"],
)
def test_a_failure_is_recorded_in_words_for_people(
    called: Callable[[str], Called],
    memory: MemoryWorld,
    release_id: str,
    failure: dict[str, Any],
    error: str,
    reason: str,
) -> None:
    record_outcome = called("record_outcome")
    answer = record_outcome({"release_id": release_id, "outcome": "failed", "failure": failure})
    assert answer == {"outcome": "failed", "error": error, "reason": reason}
    assert (memory.of(release_id).status, memory.of(release_id).reason) == (Status.FAILED, reason)


@pytest.mark.parametrize("outcome", ["succeeded", "unchanged", "rejected", "expired", "superseded"])
def test_every_other_end_is_recorded(
    called: Callable[[str], Called], memory: MemoryWorld, release_id: str, outcome: str
) -> None:
    record_outcome = called("record_outcome")
    assert record_outcome({"release_id": release_id, "outcome": outcome})["outcome"] == outcome
    assert memory.of(release_id).status is Status(outcome)
    assert record_outcome.last["outcome"] == outcome
    assert memory.workload().running_release == ""
