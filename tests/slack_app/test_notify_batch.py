"""A batch of the table's stream: each release once, and only what a message shows."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.types import TypeSerializer

from functions.notify.batch import notify_batch, touched
from functions.notify.homes import wake_homes
from orchestrator.aws.codec import plain
from orchestrator.core.errors import ChatUnavailable, UnknownRelease
from orchestrator.core.opened_homes import GROUP, OpenedHome, changed_event
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import ChatMessage, Record, StageStatus, TaskToken, Wait, WaitKind, Workload
from orchestrator.core.steps.notify_release import Notified
from tests.fakes.storage import MemoryStore
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


def test_one_that_fails_keeps_no_other_waiting() -> None:
    seen: list[str] = []
    failed: list[str] = []

    def notify(release_id: str) -> Notified:
        seen.append(release_id)
        if release_id == SECOND.release_id:
            raise ChatUnavailable("Slack is down")
        if release_id == FIRST.release_id:
            raise UnknownRelease("deleted by hand")
        return Notified(("posted",))

    answer = notify_batch(BATCH, notify, lambda release_id, error: failed.append(release_id))
    assert seen == [FIRST.release_id, SECOND.release_id, samples.RELEASE_ID]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert failed == [FIRST.release_id, SECOND.release_id]


def test_an_unexpected_failure_is_delivered_again_too() -> None:
    def notify(release_id: str) -> Notified:
        raise RuntimeError

    answer = notify_batch(BATCH[:1], notify, lambda release_id, error: None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_homes_are_woken_once_for_a_batch_where_somebody_has_opened_one() -> None:
    store, sent = MemoryStore(), list[tuple[str, ...]]()

    def send(*message: str) -> None:
        sent.append(message)

    assert wake_homes(BATCH, store, send) is False
    viewer = Identity(IdentityKind.SLACK, "U0BEN", verified=True)
    store.insert(OpenedHome("U0BEN", viewer, "T0ACME", samples.ASKED, 1_800_000_000))
    assert wake_homes(BATCH[4:], store, send) is False, "nothing that a Home shows"
    assert wake_homes(BATCH, store, send) is True
    assert sent == [(changed_event(), GROUP, "homes-1")]
