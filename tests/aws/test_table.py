"""What is special to the table: its rows, its time to live, its stream, and what DynamoDB may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from types_boto3_dynamodb.client import DynamoDBClient

from orchestrator.aws.table import DynamoStore, record_from_image
from orchestrator.core.deliveries import Claim
from orchestrator.core.errors import AccessDenied, CallRefused, Conflict, OrchestratorError, Throttled
from orchestrator.core.records import Record, Release, Workload
from tests.aws.conftest import new_table
from tests.aws.service_double import Refusal, ServiceDouble
from tests.aws.test_store_behaviour import APPROVAL, EVERY_KIND, RELEASE, WAIT, one_more, releases


def rows(client: DynamoDBClient, table: str) -> list[dict[str, Any]]:
    """Every row as DynamoDB holds it."""
    return client.scan(TableName=table)["Items"]


def test_only_a_claim_has_a_time_to_live(dynamodb: DynamoDBClient) -> None:
    table = new_table(dynamodb)
    store = DynamoStore(dynamodb, table)
    store.insert(Claim("c1", "2026-03-01T12:00:00.000Z", 1_800_000_000))
    store.insert(APPROVAL)  # has an expires_at too, but is kept for the audit
    ttl = {row["kind"]["S"]: row.get("expires_at") for row in rows(dynamodb, table)}
    assert ttl == {"claim": {"N": "1800000000"}, "approval": None}


def test_a_row_counts_its_writes(dynamodb: DynamoDBClient) -> None:
    table = new_table(dynamodb)
    store = DynamoStore(dynamodb, table)
    store.insert(Workload("fraud"))
    for _ in range(3):
        store.update(Workload, Workload("fraud").key(), one_more)
    assert [row["revision"] for row in rows(dynamodb, table)] == [{"N": "4"}]


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: f"{record.KIND}-{record.key()[1]}")
def test_the_streams_image_is_the_record(dynamodb: DynamoDBClient, record: Record) -> None:
    table = new_table(dynamodb)
    DynamoStore(dynamodb, table).insert(record)
    (image,) = rows(dynamodb, table)
    assert record_from_image(image) == record


def test_an_image_of_a_kind_that_is_not_known_any_more_is_passed_over() -> None:
    assert record_from_image({"kind": {"S": "dinosaur"}, "body": {"M": {}}}) is None


def test_a_field_that_an_older_row_lacks_takes_its_default(dynamodb: DynamoDBClient) -> None:
    table = new_table(dynamodb)
    store = DynamoStore(dynamodb, table)
    store.insert(replace(RELEASE, force=True))
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": RELEASE.key()[0]}, "sk": {"S": "RELEASE"}},
        UpdateExpression="REMOVE body.#force SET body.invented_later = :value",
        ExpressionAttributeNames={"#force": "force"},
        ExpressionAttributeValues={":value": {"S": "from a newer version"}},
    )
    assert store.get(Release, RELEASE.key()) == replace(RELEASE, force=False)


def test_a_short_list_reads_short_pages(dynamodb: DynamoDBClient) -> None:
    """A page without a limit is a megabyte, which is paid for."""
    table = new_table(dynamodb)
    store = DynamoStore(dynamodb, table)
    for release in releases(8):
        store.insert(release)
    limits: list[int] = []

    def remember(params: dict[str, Any], **_: Any) -> None:
        limits.append(params["Limit"])

    dynamodb.meta.events.register("provide-client-params.dynamodb.Query", remember, unique_id="limits")
    try:
        assert len(store.listed(Release, "RELEASES", limit=3)) == 3
    finally:
        dynamodb.meta.events.unregister("provide-client-params.dynamodb.Query", unique_id="limits")
    assert limits == [3]


class Table(ServiceDouble):
    """A DynamoDB that holds one row and refuses at will."""

    service = "dynamodb"

    def __init__(self) -> None:
        super().__init__()
        self.row: dict[str, Any] | None = None

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {} if self.row is None else {"Item": self.row}

    def put_item(self, Item: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.row = Item
        return {}

    def delete_item(self, **_: Any) -> dict[str, Any]:
        self.row = None
        return {}

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": [] if self.row is None else [self.row]}


CALLS: dict[str, tuple[str, Callable[[DynamoStore], object]]] = {
    "get": ("get_item", lambda store: store.get(Release, RELEASE.key())),
    "insert": ("put_item", lambda store: store.insert(RELEASE)),
    "delete": ("delete_item", lambda store: store.delete(WAIT)),
    "under": ("query", lambda store: store.under(Release, "RELEASE#x")),
    "listed": ("query", lambda store: store.listed(Release, "RELEASES")),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("ProvisionedThroughputExceededException"), Throttled),
        (Refusal("InternalServerError", status=500), Throttled),
        (Refusal("AccessDeniedException", "no"), AccessDenied),
        (Refusal("ResourceNotFoundException", "Requested resource not found"), CallRefused),
        (ReadTimeoutError(endpoint_url="https://aws.test"), Throttled),
    ],
    ids=["throttled", "out of order", "denied", "no table", "no answer"],
)
def test_what_dynamodb_refuses_is_a_core_error(call: str, refusal: Exception, error: type[OrchestratorError]) -> None:
    double = Table()
    store = DynamoStore(double.client(), "records")
    if call == "delete":
        store.insert(WAIT)
    operation, run = CALLS[call]
    double.refusals[operation] = [refusal]
    with pytest.raises(error):
        run(store)


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "TransactionConflictException"])
def test_a_lost_race_is_a_conflict(code: str) -> None:
    double = Table()
    double.refusals["put_item"] = [Refusal(code)]
    with pytest.raises(Conflict):
        DynamoStore(double.client(), "records").insert(RELEASE)


def test_a_change_whose_acknowledgement_was_lost_is_found_done() -> None:
    """The SDK's own repetition meets the row that the first call wrote; the change, made anew, changes nothing."""
    double = Table()
    store = DynamoStore(double.client(), "records")
    store.insert(Workload("fraud"))
    double.lost["put_item"] = [Refusal("ConditionalCheckFailedException")]

    def take_turn(current: Workload) -> Workload:
        return current if current.running_release else replace(current, running_release="r1", generation=1)

    after = store.update(Workload, Workload("fraud").key(), take_turn)
    assert after == Workload("fraud", running_release="r1", generation=1)
