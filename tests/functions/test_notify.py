"""The function behind the table's stream and a schedule: what it notes, says and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from functions.notify import handler as notify_handler
from orchestrator.aws.codec import plain
from orchestrator.core.errors import AccessDenied, Throttled
from orchestrator.core.outbox import OUTBOX, Unsaid
from orchestrator.core.records import Record, Release, Status
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import Called
from tests.slack_app.in_process import API_URL, BOT_TOKEN, SlackInProcess

SCHEDULED: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def changed(*records: Record) -> dict[str, Any]:
    """The stream's event of these records."""
    rows = []
    for number, record in enumerate(records):
        pk, sk = record.key()
        item = {"pk": pk, "sk": sk, "kind": record.KIND, "revision": 1, "body": plain(record)}
        image = {name: TypeSerializer().serialize(value) for name, value in item.items()}
        rows.append({"eventName": "MODIFY", "dynamodb": {"NewImage": image, "SequenceNumber": str(number)}})
    return {"Records": rows}


@pytest.fixture
def slack(memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackInProcess]:
    """Slack in this process, and the function's other services."""
    memory.installation = replace(memory.installation, slack_api_url=API_URL, slack_channel="ml-releases")
    secret = SimpleNamespace(bot_token=BOT_TOKEN, configured=True)
    monkeypatch.setattr(notify_handler, "client", lambda service: service)
    monkeypatch.setattr(notify_handler, "slack_secret", lambda client, arn: secret)
    monkeypatch.setattr(notify_handler, "SnsMail", lambda client, arn: memory.mail)
    found = SlackInProcess(memory.clock)
    with found.wired():
        yield found


def lines(notify: Called, message: str) -> list[dict[str, Any]]:
    """What the function has logged under these words."""
    return [line for line in notify.logged if line["message"] == message]


def unsaid(memory: MemoryWorld) -> list[str]:
    return [row.release_id for row in memory.memory.under(Unsaid, OUTBOX)]


def test_a_change_is_told_and_the_outbox_is_counted(
    called: Callable[[str], Called], memory: MemoryWorld, slack: SlackInProcess
) -> None:
    release = memory.release()
    notify = called("notify")
    assert notify(changed(release)) == {"batchItemFailures": []}
    assert len(slack.messages()) == 1
    (outbox,) = lines(notify, "outbox")
    assert (outbox["unsaid"], outbox["oldest_unsaid_seconds"], outbox["refused"]) == (0, 0, 0)


def test_an_outage_fails_no_record_and_the_schedule_makes_it_good(
    called: Callable[[str], Called], memory: MemoryWorld, slack: SlackInProcess
) -> None:
    release = memory.release()
    slack.faults.change({"rate_limit": 1, "retry_after": 90})
    notify = called("notify")
    assert notify(changed(release)) == {"batchItemFailures": []}, "the stream goes on"
    memory.clock.pass_seconds(60)
    notify(SCHEDULED)
    assert lines(notify, "outbox")[-1]["oldest_unsaid_seconds"] == 60
    assert len(slack.calls) == 1
    memory.clock.pass_seconds(60)
    notify(SCHEDULED)
    assert len(slack.messages()) == 1
    assert unsaid(memory) == []


def test_what_cannot_be_noted_is_delivered_again(
    called: Callable[[str], Called], memory: MemoryWorld, slack: SlackInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = memory.release()

    def throttled(record: Record) -> None:
        raise Throttled("DynamoDB wants a slower pace")

    monkeypatch.setattr(memory.memory, "insert", throttled)
    with monkeypatch.context() as other:
        other.setattr(notify_handler, "send_unsaid", lambda *given, **options: None)
        answer = called("notify")(changed(release))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_without_its_secret_slack_is_out_of_reach_and_mail_goes(
    called: Callable[[str], Called], memory: MemoryWorld, slack: SlackInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = memory.release()
    memory.end(release.release_id, Status.FAILED, cause="no capacity")

    def denied(client: object, arn: str) -> object:
        raise AccessDenied("secretsmanager:GetSecretValue")

    with monkeypatch.context() as other:
        other.setattr(notify_handler, "slack_secret", denied)
        called("notify")(changed(memory.of(release.release_id)))
    assert len(memory.mail.sent) == 1
    assert slack.calls == []
    assert unsaid(memory) == [release.release_id]
    memory.clock.pass_seconds(60)
    called("notify")(SCHEDULED)
    assert len(slack.messages()) == 1
    assert len(memory.mail.sent) == 1


def test_a_quiet_minute_reads_no_secret(
    called: Callable[[str], Called], memory: MemoryWorld, slack: SlackInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(client: object, arn: str) -> object:
        raise AssertionError("nothing is to be said")

    monkeypatch.setattr(notify_handler, "slack_secret", asked)
    assert called("notify")(SCHEDULED) == {"batchItemFailures": []}
    assert memory.memory.all(Release) == ()
