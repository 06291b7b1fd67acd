"""A batch of the table's stream: each release once, and only what a message shows."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.types import TypeSerializer

from functions.notify.batch import note_batch, touched
from orchestrator.aws.codec import plain
from orchestrator.core.errors import Throttled
from orchestrator.core.opened_homes import Redraw
from orchestrator.core.outbox import ChatMessage, Sender, Unsaid
from orchestrator.core.records import Record, StageStatus, TaskToken, Wait, WaitKind, Workload
from tests.slack_app import samples


def row(record: Record, sequence: int) -> dict[str, Any]:
    """A record as the stream delivers it."""
    pk, sk = record.key()
    item = {"pk": pk, "sk": sk, "kind": record.KIND, "revision": 1, "body": plain(record)}
    image = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": image, "SequenceNumber": str(sequence)}}


FIRST = samples.release(release_id="first-0000000000")
SECOND = samples.release(release_id="second-0000000000")
BATCH = [
    row(FIRST, 1),
    row(SECOND, 2),
    row(samples.approval(release_id=FIRST.release_id), 3),
    row(samples.stage("dev", StageStatus.VERIFIED), 4),
    row(ChatMessage("noise"), 5),
    row(Workload.named("noise"), 6),
    row(Wait(WaitKind.STACK, "arn", "t", "noise", "dev", TaskToken("secret"), samples.ASKED), 7),
    {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "8"}},
]


def test_each_release_is_looked_at_once_and_its_own_bookkeeping_wakes_nobody() -> None:
    assert touched(BATCH) == {FIRST.release_id: "1", SECOND.release_id: "2", samples.RELEASE_ID: "4"}


def test_one_that_cannot_be_noted_keeps_no_other_waiting() -> None:
    noted: list[str] = []
    failed: list[str] = []

    def note(release_id: str) -> None:
        if release_id == SECOND.release_id:
            raise Throttled("DynamoDB wants a slower pace")
        noted.append(release_id)

    answer = note_batch(BATCH, note, lambda release_id, error: failed.append(release_id))
    assert noted == [FIRST.release_id, samples.RELEASE_ID]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert failed == [SECOND.release_id]


def test_the_outboxs_own_rows_wake_nobody() -> None:
    assert touched([row(Unsaid("noise", samples.ASKED), 1), row(Sender(), 2)]) == {}


def test_the_mark_of_a_round_through_the_homes_wakes_nobody() -> None:
    assert touched([row(Redraw(samples.ASKED), 1)]) == {}
