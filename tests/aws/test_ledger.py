"""The ledger in the table: one suite for the fake and DynamoDB; and the table's stream as changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ReadTimeoutError
from types_boto3_dynamodb.client import DynamoDBClient

from orchestrator.aws.codec import plain
from orchestrator.aws.ledger import DynamoLedgers, bare_change_of, change_of
from orchestrator.core.errors import AccessDenied, CallRefused, OrchestratorError, Throttled
from orchestrator.core.ledger.chain import Draft, EntryKind, Head, Sealed, canonical, seal
from orchestrator.core.ledger.ports import Appended, Ledgers
from orchestrator.core.ledger.rows import partition, place
from orchestrator.core.ledger.verification import Fault, verify
from orchestrator.core.records import Record, Status, TaskToken
from tests.aws.conftest import new_table
from tests.aws.service_double import Refusal, ServiceDouble
from tests.aws.test_store_behaviour import APPROVAL, RELEASE, STAGE
from tests.fakes.ledger import MemoryLedgers, read

MOMENT = "2026-03-01T12:00:00.000Z"


@pytest.fixture(params=["memory", "dynamodb"])
def either(request: pytest.FixtureRequest) -> Ledgers:
    """The fake, and the table."""
    if request.param == "memory":
        return MemoryLedgers()
    client: DynamoDBClient = request.getfixturevalue("dynamodb")
    return DynamoLedgers(client, new_table(client))


def sealed(number: int, before: Head | None, ledger: str = "fraud", reason: str = "ü 🚫") -> Sealed:
    draft = Draft(EntryKind.VOTE, f"change-{number}", MOMENT, "r", reason=reason, facts={"n": number})
    return seal(draft, ledger, before or Head(), MOMENT)


def appended(ledgers: Ledgers, many: int, ledger: str = "fraud") -> Head:
    """So many entries; the head."""
    head = ledgers.head(ledger)
    for number in range(1, many + 1):
        entry = sealed(number, head, ledger)
        assert ledgers.append(ledger, entry, head) is Appended.APPENDED
        head = entry.head
    assert head is not None
    return head


def test_a_ledger_begins_with_nothing(either: Ledgers) -> None:
    assert either.head("fraud") is None
    assert either.page("fraud", 0, 10) == ()


def test_what_was_appended_is_read_back_and_sound(either: Ledgers) -> None:
    head = appended(either, 12)
    appended(either, 2, "fraud-2")
    assert either.head("fraud") == head
    rows = either.page("fraud", 0, 100)
    assert [row.sequence for row in rows] == list(range(1, 13))
    assert verify("fraud", map(read, rows), head).sound
    assert json.loads(rows[0].text)["reason"] == "ü 🚫"


def test_pages_follow_each_other(either: Ledgers) -> None:
    appended(either, 7)
    pages, after = [], 0
    while rows := either.page("fraud", after, 3):
        pages.append([row.sequence for row in rows])
        after = rows[-1].sequence
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_change_that_was_told_is_not_told_again(either: Ledgers) -> None:
    head = appended(either, 3)
    assert either.append("fraud", sealed(2, head), head) is Appended.TOLD_BEFORE
    # Also by one that is late with the head.
    assert either.append("fraud", sealed(2, None), None) is Appended.TOLD_BEFORE
    assert either.head("fraud") == head
    assert len(either.page("fraud", 0, 10)) == 3


@pytest.mark.parametrize("before", [None, Head(1, "f" * 64), Head(2, "f" * 64), Head(9, "f" * 64)])
def test_who_read_another_head_is_overtaken_and_writes_nothing(either: Ledgers, before: Head | None) -> None:
    head = appended(either, 2)
    assert either.append("fraud", sealed(3, before), before) is Appended.OVERTAKEN
    assert either.head("fraud") == head
    assert len(either.page("fraud", 0, 10)) == 2
    assert either.append("fraud", sealed(3, head), head) is Appended.APPENDED


def test_a_row_that_stands_where_the_next_belongs_is_never_written_over(dynamodb: DynamoDBClient) -> None:
    table = new_table(dynamodb)
    ledgers = DynamoLedgers(dynamodb, table)
    head = appended(ledgers, 2)
    forged: dict[str, Any] = {
        "pk": {"S": partition("fraud")},
        "sk": {"S": place(3)},
        "body": {"M": {"text": {"S": "forged"}}},
    }
    dynamodb.put_item(TableName=table, Item=forged)
    assert ledgers.append("fraud", sealed(3, head), head) is Appended.OVERTAKEN
    assert ledgers.page("fraud", 2, 1)[0].text == "forged"


def test_a_tampered_row_is_read_as_it_stands(dynamodb: DynamoDBClient) -> None:
    table = new_table(dynamodb)
    ledgers = DynamoLedgers(dynamodb, table)
    head = appended(ledgers, 3)
    key = {"pk": {"S": partition("fraud")}, "sk": {"S": place(2)}}
    entry = json.loads(ledgers.page("fraud", 1, 1)[0].text) | {"reason": "nothing happened"}
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET body.#text = :text",
        ExpressionAttributeNames={"#text": "text"},
        ExpressionAttributeValues={":text": {"S": canonical(entry)}},
    )
    broken = verify("fraud", map(read, ledgers.page("fraud", 0, 9)), head).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (2, Fault.CONTENT_CHANGED)


@pytest.mark.parametrize("body", [{}, {"body": {"S": "x"}}, {"body": {"M": {}}}, {"body": {"M": {"hash": {"N": "1"}}}}])
def test_a_row_and_a_head_that_are_none_are_read_as_nothing(dynamodb: DynamoDBClient, body: dict[str, Any]) -> None:
    table = new_table(dynamodb)
    ledgers = DynamoLedgers(dynamodb, table)
    for sort in ("HEAD", place(1), "ENTRY#0"):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": partition("fraud")}, "sk": {"S": sort}, **body})
    assert ledgers.head("fraud") is None
    assert [row.sequence for row in ledgers.page("fraud", 0, 9)] == [1]


class Table(ServiceDouble):
    """A DynamoDB that takes everything."""

    service = "dynamodb"

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": []}

    def transact_write_items(self, **_: Any) -> dict[str, Any]:
        return {}


def cancelled(*codes: str) -> Refusal:
    reasons = [{"Code": code} for code in codes]
    return Refusal("TransactionCanceledException", more={"CancellationReasons": reasons})


@pytest.mark.parametrize(
    ("refusal", "came"),
    [
        (cancelled("ConditionalCheckFailed", "None", "None"), Appended.TOLD_BEFORE),
        (cancelled("ConditionalCheckFailed", "None", "ConditionalCheckFailed"), Appended.TOLD_BEFORE),
        (cancelled("None", "None", "ConditionalCheckFailed"), Appended.OVERTAKEN),
        (cancelled("None", "ConditionalCheckFailed", "None"), Appended.OVERTAKEN),
        (cancelled("TransactionConflict", "None", "None"), Appended.OVERTAKEN),
        (Refusal("TransactionInProgressException"), Appended.OVERTAKEN),
    ],
)
def test_a_transaction_that_was_cancelled_says_why(refusal: Refusal, came: Appended) -> None:
    double = Table()
    double.refusals["transact_write_items"] = [refusal]
    assert DynamoLedgers(double.client(), "records").append("fraud", sealed(1, None), None) is came


def test_one_call_puts_mark_entry_and_head_and_no_other_action_is_needed() -> None:
    double = Table()
    DynamoLedgers(double.client(), "records").append("fraud", sealed(1, None), None)
    (call,) = double.made("transact_write_items")
    assert [list(item) for item in call["TransactItems"]] == [["Put"]] * 3
    assert {item["Put"]["Item"]["pk"]["S"] for item in call["TransactItems"]} == {"LEDGER#fraud"}
    assert all("ConditionExpression" in item["Put"] for item in call["TransactItems"])


CALLS: dict[str, Callable[[DynamoLedgers], object]] = {
    "get_item": lambda ledgers: ledgers.head("fraud"),
    "query": lambda ledgers: ledgers.page("fraud", 0, 1),
    "transact_write_items": lambda ledgers: ledgers.append("fraud", sealed(1, None), None),
}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("ThrottlingException"), Throttled),
        (Refusal("InternalServerError", status=500), Throttled),
        (Refusal("AccessDeniedException", "no"), AccessDenied),
        (Refusal("ValidationException", "too large"), CallRefused),
        (cancelled("ValidationError", "None", "None"), CallRefused),
        (ReadTimeoutError(endpoint_url="https://aws.test"), Throttled),
    ],
)
def test_what_dynamodb_refuses_is_a_core_error(
    operation: str, refusal: Exception, error: type[OrchestratorError]
) -> None:
    double = Table()
    double.refusals[operation] = [refusal]
    with pytest.raises(error):
        CALLS[operation](DynamoLedgers(double.client(), "records"))


# The stream.


def image(record: Record, revision: int = 1) -> dict[str, Any]:
    """A row as the stream has it."""
    pk, sk = record.key()
    row = {"pk": pk, "sk": sk, "kind": record.KIND, "revision": revision, "body": plain(record)}
    return {name: TypeSerializer().serialize(value) for name, value in row.items()}


def streamed(record: Record, before: Record | None = None, number: int = 1, revision: int = 1) -> dict[str, Any]:
    """A record of the stream: an insert, or a change."""
    pk, sk = record.key()
    told = {
        "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
        "SequenceNumber": str(number),
        "ApproximateCreationDateTime": 1772366400.0,
        "NewImage": image(record, revision),
        **({"OldImage": image(before, revision - 1)} if before else {}),
    }
    return {"eventName": "MODIFY" if before else "INSERT", "dynamodb": told}


def test_a_change_is_the_rows_before_and_after() -> None:
    after = replace(RELEASE, status=Status.FAILED)
    change = change_of(streamed(after, RELEASE, 7, 3))
    assert (change.before, change.after) == (RELEASE, after)
    assert (change.key, change.number, change.at) == (RELEASE.key(), "7", MOMENT)
    assert (change.revision_before, change.revision, change.release_id) == (2, 3, "fraud-0001")
    assert not change.altered


@pytest.mark.parametrize("record", [RELEASE, STAGE, APPROVAL], ids=lambda record: record.KIND)
def test_a_change_knows_its_release_and_is_told_by_the_same_key_again(record: Record) -> None:
    first, second = (change_of(json.loads(json.dumps(streamed(record)))) for _ in range(2))
    assert first.release_id == "fraud-0001"
    assert first.told_as("x") == second.told_as("x") != first.told_as("y")
    assert first.told_as("x") != change_of(streamed(record, number=2)).told_as("x")


def test_a_deleted_row_has_no_after() -> None:
    row = streamed(RELEASE)
    row["dynamodb"]["OldImage"] = row["dynamodb"].pop("NewImage")
    change = change_of(row)
    assert (change.before, change.after, change.revision_before, change.altered) == (RELEASE, None, 1, False)


def test_a_row_without_the_products_revision_was_altered() -> None:
    row = streamed(replace(APPROVAL, token=TaskToken("x")), APPROVAL, revision=2)
    row["dynamodb"]["NewImage"]["revision"] = {"S": "two"}
    assert change_of(row).altered
    row = streamed(RELEASE, revision=5)
    assert change_of(row).altered


def test_a_row_of_a_kind_that_is_not_known_is_no_record_but_stands() -> None:
    row = streamed(RELEASE, RELEASE, revision=3)
    row["dynamodb"]["NewImage"]["kind"] = {"S": "dinosaur"}
    change = change_of(row)
    assert (change.before, change.after, change.revision) == (RELEASE, None, 3)


@pytest.mark.parametrize("kind", ["release", "stage", "approval"])
def test_of_a_row_that_cannot_be_read_there_is_what_can_be_said_without_it(kind: str) -> None:
    row = streamed(RELEASE)
    row["dynamodb"]["NewImage"] |= {"kind": {"S": kind}, "body": {"M": {"release_id": {"S": "fraud-0001"}}}}
    with pytest.raises((LookupError, TypeError, ValueError)):
        change_of(row)
    bare = bare_change_of(row)
    assert (bare.key, bare.release_id, bare.before, bare.after) == (RELEASE.key(), "fraud-0001", None, None)
