"""The REST API: a workload's audit ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.ledger.chain import REQUESTS, EntryKind, Head
from orchestrator.core.ledger.verification import Fault, head_of, row_of, verify
from orchestrator.core.records import Release
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import Called
from tests.functions.test_api import Client, documented
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"
ROUTE = "/workloads/{id}/ledger"


@pytest.fixture
def call(called: Callable[[str], Called]) -> Client:
    """A caller of the API."""
    return Client(called("api"))


@pytest.fixture
def live(memory: MemoryWorld) -> Release:
    """A release that went all the way."""
    return journeys.live(memory)


def whole(call: Client, limit: int = 100, ledger: str = WORKLOAD) -> tuple[list[dict[str, Any]], Any]:
    """Every entry, page by page, and the head."""
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        reply = call("GET", ROUTE, id=ledger, query={"after": str(after), "limit": str(limit)})
        assert reply.status == 200
        found += reply.body["entries"]
        if reply.body["next"] is None:
            return found, reply.body["head"]
        after = reply.body["next"]


@pytest.mark.parametrize("limit", [1, 3, 21, 500])
def test_the_ledger_is_read_page_by_page_and_verified_by_the_caller(call: Client, live: Release, limit: int) -> None:
    found, head = whole(call, limit)
    assert [row["sequence"] for row in found] == list(range(1, 22))
    verdict = verify(WORKLOAD, map(row_of, found), head_of(head))
    assert (verdict.sound, verdict.head) == (True, head_of(head))
    assert {row["entry"]["release"] for row in found} == {live.release_id}


def test_a_page_says_where_the_next_begins_and_the_last_has_no_entry(call: Client, live: Release) -> None:
    first = call("GET", ROUTE, id=WORKLOAD, query={"limit": "20"}).body
    second = call("GET", ROUTE, id=WORKLOAD, query={"after": "20"}).body
    third = call("GET", ROUTE, id=WORKLOAD, query={"after": "21"}).body
    assert [(len(page["entries"]), page["next"]) for page in (first, second, third)] == [(20, 20), (1, 21), (0, None)]
    assert first["head"] == second["head"] == third["head"] == {"sequence": 21, "hash": second["entries"][0]["hash"]}


def test_what_became_no_release_is_in_a_ledger_of_its_own(call: Client, memory: MemoryWorld) -> None:
    assert call("GET", ROUTE, id=REQUESTS).body["entries"] == []
    memory.receive(memory.put_configuration(b"{", "broken/mlops-config.json"))
    found, _ = whole(call, ledger=REQUESTS)
    assert [row["entry"]["kind"] for row in found] == ["request", "outcome"]


def test_a_workload_without_a_ledger_has_an_empty_one(call: Client, memory: MemoryWorld) -> None:
    journeys.packaged(memory)
    memory._told = len(memory.memory.changes)  # it was released before there were ledgers
    reply = call("GET", ROUTE, id=WORKLOAD)
    assert (reply.status, reply.body["entries"], reply.body["head"], reply.body["next"]) == (200, [], None, None)


@pytest.mark.parametrize("name", ["nobody", "../x", "ü", "a" * 1000])
def test_an_unknown_workload_is_not_found(call: Client, live: Release, name: str) -> None:
    reply = call("GET", ROUTE, id=name)
    assert (reply.status, "there is no workload" in reply.body["message"]) == (404, True)


@pytest.mark.parametrize("after", ["-1", "1.5", "x", "", "٣", "9" * 12, "1" * 5000])
def test_another_place_is_refused(call: Client, live: Release, after: str) -> None:
    reply = call("GET", ROUTE, id=WORKLOAD, query={"after": after})
    assert (reply.status, "sequence number" in reply.body["message"]) == (400, True)


@pytest.mark.parametrize("limit", ["0", "501", "all"])
def test_another_limit_is_refused(call: Client, live: Release, limit: str) -> None:
    assert call("GET", ROUTE, id=WORKLOAD, query={"limit": limit}).status == 400


@pytest.mark.parametrize("text", ["", "[", '"x"', "NaN", '{"n":Infinity}', "[" * 100_000, "{}"])
def test_a_row_that_holds_no_entry_is_given_as_it_is_and_seen_by_whoever_verifies(
    call: Client, memory: MemoryWorld, live: Release, text: str
) -> None:
    rows = memory.ledgers.entries[WORKLOAD]
    rows[5] = replace(rows[5], text=text)
    found, head = whole(call)
    broken = verify(WORKLOAD, map(row_of, found), head_of(head)).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (5, Fault.UNREADABLE)


def test_a_row_behind_the_head_is_given_too(call: Client, memory: MemoryWorld, live: Release) -> None:
    ledgers = memory.ledgers
    ledgers.heads[WORKLOAD] = Head(20, ledgers.entries[WORKLOAD][20].hash)
    found, head = whole(call, 20)
    broken = verify(WORKLOAD, map(row_of, found), head_of(head)).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (21, Fault.AFTER_THE_HEAD)


def test_the_description_knows_every_kind_of_entry() -> None:
    kinds = documented()["components"]["schemas"]["LedgerEntry"]["properties"]["kind"]["enum"]
    assert kinds == [kind.value for kind in EntryKind]
