"""The REST API: what a rollback would do, and starting one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.records import Release
from tests.fakes.memory_world import BEN, MemoryWorld, configuration
from tests.functions.conftest import Called
from tests.functions.test_api import Client, arn
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"
ROLLBACK, PROPOSAL = "/releases/{id}/rollback", "/workloads/{id}/rollback"


@pytest.fixture
def call(called: Callable[[str], Called]) -> Client:
    """A caller of the API."""
    return Client(called("api"))


@pytest.fixture
def both(memory: MemoryWorld) -> tuple[Release, Release]:
    """Two releases that were live one after the other."""
    return journeys.live(memory), journeys.live(memory, configuration(inference_instance="ml.m5.2xlarge"))


def test_what_it_would_do(call: Client, both: tuple[Release, Release]) -> None:
    first, second = both
    found = call("GET", PROPOSAL, id=WORKLOAD).body
    assert (found["to"]["release_id"], found["live"]["release_id"]) == (first.release_id, second.release_id)
    assert (found["to"]["live_from"], found["to"]["live_until"]) == (first.updated_at, second.updated_at)
    named = call("GET", PROPOSAL, id=WORKLOAD, query={"to": second.release_id}).body
    assert named["to"]["release_id"] == second.release_id


def test_it_starts_once_and_is_shown(call: Client, memory: MemoryWorld, both: tuple[Release, Release]) -> None:
    first, second = both
    replies = [
        call("POST", ROLLBACK, id=first.release_id, caller=arn(BEN), body=body, headers={"Idempotency-Key": "k"})
        for body in ({"reason": "Too slow."}, {"reason": "Too slow."}, {"reason": "Too dear."})
    ]
    assert [reply.status for reply in replies] == [202, 202, 202]
    ids = [reply.body["release_id"] for reply in replies]
    assert ids[0] == ids[1] != ids[2]
    assert [reply.body["message"] for reply in replies[:2]] == [
        "The rollback has started.",
        "This request has been taken before.",
    ]
    shown = call("GET", "/releases/{id}", id=ids[0]).body
    assert (shown["kind"], shown["goes_back_to"], shown["instead_of"]) == (
        "rollback",
        first.release_id,
        second.release_id,
    )
    assert (shown["asked_because"], shown["requester"]) == ("Too slow.", "Ben Okafor")
    assert ids[0] in memory.fake_tasks.started


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("[]", "JSON object"),
        ("{", "JSON"),
        ({"reason": 7}, "$.reason should be text"),
        ({"force": "true"}, "$.force should be true or false"),
        ({"reason": "x" * 1001}, "at most 1000"),
    ],
)
def test_a_body_of_another_shape_is_refused(call: Client, both: tuple[Release, Release], body: Any, told: str) -> None:
    reply = call("POST", ROLLBACK, id=both[0].release_id, body=body)
    assert reply.status == 400
    assert told in reply.body["message"]


def test_what_is_not_there_and_what_cannot_be(call: Client, both: tuple[Release, Release]) -> None:
    first, second = both
    assert call("POST", ROLLBACK, id="nothing-like-it").status == 404
    assert call("GET", PROPOSAL, id="nothing-like-it").status == 404
    assert call("GET", PROPOSAL, id=WORKLOAD, query={"to": "nothing-like-it"}).status == 404
    live = call("POST", ROLLBACK, id=second.release_id)
    assert (live.status, "live already" in live.body["message"]) == (409, True)
    assert call("POST", ROLLBACK, id=second.release_id, body={"force": True}).status == 202
    assert call("POST", ROLLBACK, id=first.release_id).status == 202
    removal = call("DELETE", "/workloads/{id}", id=WORKLOAD).body["release_id"]
    refused = call("POST", ROLLBACK, id=removal)
    assert (refused.status, "is a removal" in refused.body["message"]) == (409, True)


def test_with_nothing_before_it_there_is_nothing_to_go_back_to(call: Client, memory: MemoryWorld) -> None:
    journeys.live(memory)
    reply = call("GET", PROPOSAL, id=WORKLOAD)
    assert (reply.status, "nothing to go back to" in reply.body["message"]) == (409, True)
