"""The DynamoDB table as ``ports.Store``.

A row is ``pk``, ``sk``, ``kind``, ``revision`` and the record as the map ``body``; rows in a list carry ``listing_pk``
and ``listing_sk`` for the index ``listing``; ``expires_at`` is the table's time to live. Every write is conditional: an
insert on the row's absence, a change on the revision that was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.aws.codec import plain, rebuilt
from orchestrator.aws.translated import code_of, translated
from orchestrator.core import deliveries, notices, opened_homes, outbox, records, uses
from orchestrator.core.errors import Conflict
from orchestrator.core.records import Record

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

R = TypeVar("R", bound=Record)


def _kinds() -> Iterator[Any]:
    for module in (records, deliveries, notices, opened_homes, outbox, uses):
        yield from _kinds_of(module)


def _kinds_of(module: ModuleType) -> Iterator[Any]:
    for named in vars(module).values():
        if is_dataclass(named) and hasattr(named, "KIND"):
            yield named


KINDS: Mapping[str, type[Record]] = {kind.KIND: kind for kind in _kinds()}
"""Every kind of row that the core knows."""

INDEX = "listing"
ATTEMPTS = 20


class DynamoStore:
    """See the module."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, cls: type[R], key: tuple[str, str]) -> R | None:
        """See ``ports.Store``."""
        row = self._row(cls, key)
        return None if row is None else rebuilt(cls, row["body"])

    def insert(self, record: Record) -> None:
        """See ``ports.Store``."""
        self._put(record, 1, "attribute_not_exists(pk)", {})

    def update(self, cls: type[R], key: tuple[str, str], change: Callable[[R], R]) -> R:
        """See ``ports.Store``."""
        for _ in range(ATTEMPTS):
            row = self._row(cls, key)
            if row is None:
                raise KeyError(f"there is no {cls.KIND} {key[0]}")
            current = rebuilt(cls, row["body"])
            changed = change(current)
            if changed == current:
                return current
            revision = int(row["revision"])
            try:
                self._put(changed, revision + 1, "revision = :read", {":read": {"N": str(revision)}})
            except Conflict:
                continue
            return changed
        raise Conflict(f"{cls.KIND} {key[0]} changed {ATTEMPTS} times while it was being changed here")

    def delete(self, record: Record) -> bool:
        """See ``ports.Store``."""
        row = self._row(type(record), record.key())
        if row is None or rebuilt(type(record), row["body"]) != record:
            return False
        pk, sk = record.key()
        with translated("dynamodb"):
            try:
                self._client.delete_item(
                    TableName=self._table,
                    Key={"pk": {"S": pk}, "sk": {"S": sk}},
                    ConditionExpression="revision = :read",
                    ExpressionAttributeValues={":read": {"N": str(row["revision"])}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def under(self, cls: type[R], partition: str) -> tuple[R, ...]:
        """See ``ports.Store``."""
        with translated("dynamodb"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ConsistentRead=True,
            )
            rows = [_row(item) for page in pages for item in page["Items"]]
        return tuple(rebuilt(cls, row["body"]) for row in rows if row["kind"] == cls.KIND)

    def listed(self, cls: type[R], listing: str, *, limit: int = 100, newest_first: bool = False) -> tuple[R, ...]:
        """See ``ports.Store``."""
        return tuple(self._listed({cls.KIND: cls}, listing, limit, newest_first))

    def listed_together(self, kinds: Sequence[type[Record]], listing: str, *, limit: int = 100) -> tuple[Record, ...]:
        """See ``ports.Store``."""
        return tuple(self._listed({kind.KIND: kind for kind in kinds}, listing, limit, newest_first=False))

    def _listed(self, kinds: Mapping[str, type[R]], listing: str, limit: int, newest_first: bool) -> list[R]:
        found: list[R] = []
        with translated("dynamodb"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="listing_pk = :list",
                ExpressionAttributeValues={":list": {"S": listing}},
                ScanIndexForward=not newest_first,
                PaginationConfig={"PageSize": limit},
            )
            for page in pages:
                rows = [_row(item) for item in page["Items"]]
                found += [rebuilt(kinds[row["kind"]], row["body"]) for row in rows if row["kind"] in kinds]
                if len(found) >= limit:
                    break
        return found[:limit]

    def _row(self, cls: type[Record], key: tuple[str, str]) -> dict[str, Any] | None:
        with translated("dynamodb"):
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}}, ConsistentRead=True
            )
        row = _row(answer["Item"]) if "Item" in answer else None
        return row if row is not None and row["kind"] == cls.KIND else None

    def _put(self, record: Record, revision: int, condition: str, values: Mapping[str, Any]) -> None:
        from boto3.dynamodb.types import TypeSerializer

        serialize = TypeSerializer().serialize
        pk, sk = record.key()
        body = plain(record)
        row: dict[str, Any] = {"pk": pk, "sk": sk, "kind": record.KIND, "revision": revision, "body": body}
        listing = record.listing()
        if listing is not None:
            row["listing_pk"], row["listing_sk"] = listing
        if "expires_at" in body and isinstance(body["expires_at"], int):
            row["expires_at"] = body["expires_at"]
        arguments: dict[str, Any] = {"ExpressionAttributeValues": dict(values)} if values else {}
        with translated("dynamodb"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item={name: serialize(value) for name, value in row.items()},
                    ConditionExpression=condition,
                    **arguments,
                )
            except self._client.exceptions.ClientError as error:
                if code_of(error) in {"ConditionalCheckFailedException", "TransactionConflictException"}:
                    raise Conflict(f"{record.KIND} {pk} was written by somebody else") from error
                raise


def record_from_image(image: Mapping[str, Any]) -> Record | None:
    """The record in a DynamoDB stream's NewImage; None for a kind that is not known (any more)."""
    row = _row(image)
    cls = KINDS.get(row.get("kind", ""))
    return None if cls is None else rebuilt(cls, row["body"])


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
