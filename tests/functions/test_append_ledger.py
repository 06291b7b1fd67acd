"""AppendLedger: a batch of the table's stream, what fails in it, and what is logged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.append_ledger.batch import PATIENCE
from orchestrator.core.errors import Throttled
from orchestrator.core.ledger.chain import REQUESTS
from orchestrator.core.ledger.changes import TOLD, Change
from orchestrator.core.records import Record
from tests.aws.test_ledger import image
from tests.fakes.ledger import MemoryLedgers, told
from tests.fakes.memory_world import BEN, MemoryWorld
from tests.functions.conftest import SECRET_TOKEN, Called
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"


def streamed(change: Change, age_seconds: float = 0) -> dict[str, Any]:
    """A change as Lambda delivers it."""
    pk, sk = change.key
    images = {"OldImage": (change.before, change.revision_before), "NewImage": (change.after, change.revision)}
    told_of: dict[str, Any] = {
        name: image(record, revision) for name, (record, revision) in images.items() if isinstance(record, Record)
    }
    return {
        "eventName": "INSERT" if not change.before else "MODIFY" if change.after else "REMOVE",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
            "SequenceNumber": change.number,
            "ApproximateCreationDateTime": 1772366400.0 - age_seconds,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **told_of,
        },
    }


def stream(memory: MemoryWorld) -> list[dict[str, Any]]:
    """Everything that has happened, as the filter lets it through."""
    changes = [change for change in memory.memory.changes if isinstance(change.after or change.before, TOLD)]
    memory._told = len(memory.memory.changes)
    return [streamed(change) for change in changes]


@pytest.fixture
def append(called: Callable[[str], Called]) -> Called:
    """The function."""
    return called("append_ledger")


def entries(memory: MemoryWorld, ledger: str = WORKLOAD) -> list[str]:
    """What the ledger tells; it must be sound."""
    assert memory.fake_ledgers.verdict(ledger).sound
    return told(memory.fake_ledgers.all(ledger))


def test_a_whole_release_is_appended_and_each_head_is_logged(append: Called, memory: MemoryWorld) -> None:
    journeys.live(memory)
    assert append({"Records": stream(memory)}) == {"batchItemFailures": []}
    found = entries(memory)
    assert (found[0], found[-1], len(found)) == ("request", "prod outcome succeeded", 21)
    logged = [line for line in append.logged if line["message"] == "appended"]
    rows = memory.fake_ledgers.page(WORKLOAD, 0, 100)
    assert [(line["sequence"], line["hash"]) for line in logged] == [(row.sequence, row.hash) for row in rows]
    assert {line["ledger"] for line in logged} == {WORKLOAD}


def test_the_same_batch_again_appends_nothing(append: Called, memory: MemoryWorld) -> None:
    journeys.live(memory)
    batch = stream(memory)
    for _ in range(2):
        append({"Records": batch})
    append({"Records": batch[::-1]})
    assert len(entries(memory)) == 21


def test_rows_of_other_kinds_tell_nothing(append: Called, memory: MemoryWorld) -> None:
    journeys.packaged(memory)
    everything = [streamed(change) for change in memory.memory.changes]
    memory._told = len(everything)
    assert len(everything) > len(stream(memory))
    assert append({"Records": everything}) == {"batchItemFailures": []}
    assert entries(memory) == ["request", "package"]


def test_no_task_token_is_logged_or_appended(append: Called, memory: MemoryWorld) -> None:
    release = journeys.planned(memory)
    from orchestrator.core.records import TaskToken

    memory.ask(release.release_id, "staging", TaskToken(SECRET_TOKEN))
    memory.vote(BEN, memory.approval(release.release_id, "staging"))
    batch = stream(memory)
    assert SECRET_TOKEN in json.dumps(batch)
    append({"Records": batch})
    assert SECRET_TOKEN not in json.dumps(memory.fake_ledgers.all(WORKLOAD))
    assert SECRET_TOKEN not in append.output


class Refusing(MemoryLedgers):
    """Ledgers that AWS lets nobody append to for a while, but for some."""

    def __init__(self, ledger: str, times: int) -> None:
        super().__init__()
        self.ledger, self.times = ledger, times

    def append(self, ledger: str, *given: Any) -> Any:
        if ledger == self.ledger and self.times:
            self.times -= 1
            raise Throttled("slower")
        return super().append(ledger, *given)


def test_after_a_failure_nothing_more_of_its_release_is_told_and_the_others_go_on(
    append: Called, memory: MemoryWorld
) -> None:
    from tests.fakes.memory_world import configuration

    one = journeys.packaged(memory)
    other = journeys.packaged(memory, configuration(model_name="churn"))
    batch = stream(memory)
    memory.fake_ledgers = Refusing(WORKLOAD, 1)
    answer = append({"Records": batch})
    of_one = [
        row["dynamodb"]["SequenceNumber"]
        for row in batch
        if row["dynamodb"]["NewImage"]["body"]["M"]["release_id"]["S"] == one.release_id
    ]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == of_one
    assert entries(memory) == []
    assert entries(memory, other.workload) == ["request", "package"]
    (line,) = [line for line in append.logged if line["message"] == "not appended"]
    assert (line["release_id"], line["error"]) == (one.release_id, "Throttled")
    assert append({"Records": batch}) == {"batchItemFailures": []}
    assert entries(memory) == entries(memory, other.workload) == ["request", "package"]


def broken(memory: MemoryWorld, age_seconds: float) -> list[dict[str, Any]]:
    """A release whose second change has a status that nobody here knows."""
    journeys.packaged(memory)
    changes = [change for change in memory.memory.changes if isinstance(change.after, TOLD)]
    memory._told = len(memory.memory.changes)
    batch = [streamed(change, age_seconds) for change in changes]
    batch[1]["dynamodb"]["NewImage"]["body"]["M"]["status"] = {"S": "teleported"}
    batch[2]["dynamodb"]["OldImage"]["body"]["M"]["status"] = {"S": "teleported"}
    return batch


def test_a_change_that_nobody_can_read_is_waited_for(append: Called, memory: MemoryWorld) -> None:
    batch = broken(memory, 0)
    failures = append({"Records": batch})["batchItemFailures"]
    assert failures[0] == {"itemIdentifier": batch[1]["dynamodb"]["SequenceNumber"]}
    assert entries(memory) == ["request"]


def test_after_hours_it_is_told_as_such_and_the_rest_goes_on(append: Called, memory: MemoryWorld) -> None:
    batch = broken(memory, PATIENCE.total_seconds() + 60)
    assert append({"Records": batch}) == {"batchItemFailures": []}
    assert entries(memory)[:3] == ["request", "record_unreadable", "record_unreadable"]
    append({"Records": batch})
    assert entries(memory).count("record_unreadable") == 2


def test_a_refusal_of_aws_is_waited_for_however_long(append: Called, memory: MemoryWorld) -> None:
    journeys.packaged(memory)
    batch = stream(memory)
    for row in batch:
        row["dynamodb"]["ApproximateCreationDateTime"] -= PATIENCE.total_seconds() + 60
    memory.fake_ledgers = Refusing(WORKLOAD, 1)
    assert append({"Records": batch})["batchItemFailures"]
    assert append({"Records": batch}) == {"batchItemFailures": []}
    assert entries(memory) == ["request", "package"]


def test_a_row_of_a_deleted_release_is_told_beside_the_workloads(append: Called, memory: MemoryWorld) -> None:
    release = journeys.asked(memory)
    memory.memory.delete(memory.of(release.release_id))
    assert append({"Records": stream(memory)}) == {"batchItemFailures": []}
    assert entries(memory)[-1] == "record_deleted"
    assert set(entries(memory, REQUESTS)) == {"record_unreadable"}


def test_nothing_is_appended_of_nothing(append: Called, memory: MemoryWorld) -> None:
    assert append({"Records": []}) == append({}) == {"batchItemFailures": []}
    assert memory.fake_ledgers.heads == {}


def test_a_lost_race_is_repeated_within_the_call(
    append: Called, memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    journeys.packaged(memory)
    batch = stream(memory)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    other = replace(memory.memory.changes[-1], number="other")
    release = next(change for change in memory.memory.changes if isinstance(change.after, TOLD))
    memory.fake_ledgers.before_append = lambda: memory.append(replace(release, number=other.number))
    append({"Records": batch})
    assert waited
    assert entries(memory) == ["request", "request", "package"]
