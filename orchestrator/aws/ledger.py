"""The ledger in the table, as ``core.ledger.ports.Ledgers``, and the table's stream as the changes it tells.

A row is as ``table.py`` has it. TransactWriteItems needs no right of its own: IAM is asked for ``PutItem`` on each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestrator.aws.codec import plain
from orchestrator.aws.table import record_from_image
from orchestrator.aws.translated import code_of, translated
from orchestrator.core.ledger.chain import Head, Sealed
from orchestrator.core.ledger.changes import Change
from orchestrator.core.ledger.ports import Appended
from orchestrator.core.ledger.rows import ENTRIES, HEAD, EntryRow, HeadRow, MarkRow, partition, place
from orchestrator.core.records import Record
from orchestrator.core.steps.progress import stamp

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

LAST = 10**12 - 1
"""The greatest sequence number that ``place`` can write."""

_FAILED_CONDITION = "ConditionalCheckFailed"
_LOST = frozenset({_FAILED_CONDITION, "TransactionConflict"})


class DynamoLedgers:
    """See the module."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def head(self, ledger: str) -> Head | None:
        """See ``Ledgers``."""
        key = {"pk": {"S": partition(ledger)}, "sk": {"S": HEAD}}
        with translated("dynamodb"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        body = _body(answer["Item"])
        sequence, stored = body.get("sequence"), body.get("hash")
        return Head(int(sequence), stored) if isinstance(sequence, Decimal) and isinstance(stored, str) else None

    def append(self, ledger: str, sealed: Sealed, before: Head | None) -> Appended:
        """See ``Ledgers``. The client's own repetitions of a call carry one token, so a lost answer appends once."""
        new = "attribute_not_exists(pk)"
        entry = EntryRow(ledger, sealed.sequence, sealed.hash, sealed.text)
        mark = MarkRow(ledger, sealed.change, sealed.sequence)
        head = HeadRow(ledger, sealed.sequence, sealed.hash)
        standing: dict[str, Any] = (
            {"ConditionExpression": new}
            if before is None
            else {
                "ConditionExpression": "body.#sequence = :sequence AND body.#hash = :hash",
                "ExpressionAttributeNames": {"#sequence": "sequence", "#hash": "hash"},
                "ExpressionAttributeValues": {":sequence": {"N": str(before.sequence)}, ":hash": {"S": before.hash}},
            }
        )
        puts: list[Any] = [
            self._put(mark, 1, {"ConditionExpression": new}),
            self._put(entry, 1, {"ConditionExpression": new}),
            self._put(head, sealed.sequence, standing),
        ]
        with translated("dynamodb"):
            try:
                self._client.transact_write_items(TransactItems=puts)
            except self._client.exceptions.ClientError as error:
                return _refused(error)
        return Appended.APPENDED

    def page(self, ledger: str, after: int, limit: int) -> Sequence[EntryRow]:
        """See ``Ledgers``: one call, which DynamoDB ends after a megabyte."""
        with translated("dynamodb"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": partition(ledger)},
                    ":first": {"S": place(after + 1)},
                    ":last": {"S": place(LAST)},
                },
                Limit=limit,
                ConsistentRead=True,
            )
        return tuple(_entry(ledger, item) for item in answer["Items"])

    def _put(self, record: Record, revision: int, condition: Mapping[str, Any]) -> dict[str, Any]:
        from boto3.dynamodb.types import TypeSerializer

        pk, sk = record.key()
        row = {"pk": pk, "sk": sk, "kind": record.KIND, "revision": revision, "body": plain(record)}
        serialize = TypeSerializer().serialize
        item = {name: serialize(value) for name, value in row.items()}
        return {"Put": {"TableName": self._table, "Item": item, **condition}}


def _refused(error: Any) -> Appended:
    """What a transaction that was cancelled means; raises the error where it means nothing of that."""
    if code_of(error) == "TransactionInProgressException":
        return Appended.OVERTAKEN
    reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())]
    if code_of(error) != "TransactionCanceledException" or not _LOST & set(reasons):
        raise error
    return Appended.TOLD_BEFORE if reasons[0] == _FAILED_CONDITION else Appended.OVERTAKEN


def _entry(ledger: str, item: Mapping[str, Any]) -> EntryRow:
    """A row as it stands; whoever verifies must be able to see also one that was tampered with."""
    number, body = item["sk"]["S"].removeprefix(ENTRIES), _body(item)
    return EntryRow(
        ledger,
        int(number) if number.isdecimal() else 0,
        str(body.get("hash", "")),
        str(body.get("text", "")),
    )


def _body(item: Mapping[str, Any]) -> Mapping[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer

    body = TypeDeserializer().deserialize(item["body"]) if "body" in item else None
    return body if isinstance(body, Mapping) else {}


def change_of(row: Mapping[str, Any]) -> Change:
    """A record of the table's stream as a change.

    Raises ``LookupError``, ``TypeError`` or ``ValueError`` for a row that cannot be read.
    """
    told = row["dynamodb"]
    return bare_change_of(row, _record(told.get("OldImage")), _record(told.get("NewImage")))


def bare_change_of(row: Mapping[str, Any], before: Record | None = None, after: Record | None = None) -> Change:
    """The same without its records: what can be said of a change whatever its images hold."""
    told = row["dynamodb"]
    old, new = told.get("OldImage"), told.get("NewImage")
    return Change(
        key=(_text(told["Keys"], "pk"), _text(told["Keys"], "sk")),
        number=str(told["SequenceNumber"]),
        at=created_at(row),
        before=before,
        after=after,
        revision_before=_revision(old),
        revision=_revision(new),
        release_id=_text(((new or old or {}).get("body") or {}).get("M") or {}, "release_id"),
    )


def created_at(row: Mapping[str, Any]) -> str:
    """When the table took a change."""
    return stamp(datetime.fromtimestamp(float(row["dynamodb"].get("ApproximateCreationDateTime", 0)), UTC))


def _record(image: Mapping[str, Any] | None) -> Record | None:
    return record_from_image(image) if image else None


def _revision(image: Mapping[str, Any] | None) -> int:
    """0 where there is no row, or one that the product did not write."""
    number = ((image or {}).get("revision") or {}).get("N", "0")
    return int(number) if str(number).isdecimal() else 0


def _text(members: Mapping[str, Any], name: str) -> str:
    return str((members.get(name) or {}).get("S", ""))
