"""The REST API: comments, withdrawals, and what a question still waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.records import Release
from tests.fakes.memory_world import BEN, DEV, MemoryWorld
from tests.functions.conftest import Called
from tests.functions.test_api import Client, arn, decide
from tests.steps import journeys

TWO = ApprovalPolicy(((("ml-owner", 2),),))


@pytest.fixture
def call(called: Callable[[str], Called]) -> Client:
    """A caller of the API."""
    return Client(called("api"))


@pytest.fixture
def waiting(memory: MemoryWorld) -> Release:
    """Waits for two owners in staging."""
    dev, staging, prod = memory.installation.stages
    memory.installation = replace(memory.installation, stages=(dev, replace(staging, approval=TWO), prod))
    return journeys.asked(memory)


@pytest.fixture
def digest(memory: MemoryWorld, waiting: Release) -> str:
    """Of the plan that waits."""
    return memory.approval(waiting.release_id, "staging").digest


def test_a_vote_is_taken_back_and_the_record_keeps_both(
    call: Client, memory: MemoryWorld, waiting: Release, digest: str
) -> None:
    assert decide(call, waiting, digest, reason="Looks good.").body["counted"] is True
    taken = decide(call, waiting, digest, decision="withdraw")
    assert (taken.status, taken.body["counted"], taken.body["status"]) == (200, True, "pending")
    assert "is withdrawn" in taken.body["message"]
    again = decide(call, waiting, digest, decision="withdraw")
    assert (again.status, again.body["counted"]) == (200, False)
    approval = call("GET", "/releases/{id}", id=waiting.release_id).body["stages"][1]["approval"]
    assert approval["votes"] == []
    assert [one["by"] for one in approval["withdrawals"]] == ["Ben Okafor"]
    for caller in (BEN, DEV):
        assert decide(call, waiting, digest, caller=arn(caller)).status == 200
    assert len(memory.approval(waiting.release_id, "staging").withdrawals) == 1
    late = decide(call, waiting, digest, decision="withdraw")
    assert late.status == 409
    assert "approved for staging" in late.body["message"]


def test_a_withdrawal_takes_no_reason(call: Client, waiting: Release, digest: str) -> None:
    reply = decide(call, waiting, digest, decision="withdraw", reason="because")
    assert reply.status == 400
    assert "$.reason" in reply.body["message"]


def test_a_comment_that_is_too_long_is_refused(
    call: Client, memory: MemoryWorld, waiting: Release, digest: str
) -> None:
    reply = decide(call, waiting, digest, reason="x" * 513)
    assert reply.status in {400, 409}
    assert "at most 512 characters; this has 513" in reply.body["message"]
    assert memory.approval(waiting.release_id, "staging").votes == ()


def test_what_is_missing_is_told_with_who_could_give_it(call: Client, waiting: Release, digest: str) -> None:
    decide(call, waiting, digest)
    approval = call("GET", "/releases/{id}", id=waiting.release_id).body["stages"][1]["approval"]
    told = str(approval["requirements"])
    assert "ml-owner" in told
    assert "Chloé Martin" in told
    assert "Dev Patel" in told
    assert "Ben Okafor" not in told
