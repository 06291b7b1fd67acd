"""IAM's condition key ``dynamodb:LeadingKeys``: the values of the partition key that a call names.

The emulator knows no such key, so that a right narrowed to some partitions would hold for all, and a denial for none.
Known are they of calls on items by key, of batches, of transactions and of queries; PartiQL statements have none here.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.iam_actions", "dynamodb_service_context", ("body",)),
    Seam("ministack.services.dynamodb", "_tables.get"),
)

KEY = "dynamodb:LeadingKeys"


def install() -> None:
    """Add the key to what IAM is told of a call."""
    from ministack.core import iam_actions

    context = iam_actions.dynamodb_service_context

    @functools.wraps(context)
    def with_leading_keys(body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = context(body)
        keys = leading_keys(body)
        return {**found, KEY: keys} if keys else found

    iam_actions.dynamodb_service_context = with_leading_keys


def leading_keys(body: bytes) -> list[str]:
    """Values of the partition key in a request; none where it names no item."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return []
    return list(dict.fromkeys(_keys(request))) if isinstance(request, dict) else []


def _keys(request: dict[str, Any]) -> Iterator[str]:
    name = _partition_key(request.get("TableName"))
    for member in ("Item", "Key"):
        yield from _value(request.get(member), name)
    if isinstance(request.get("KeyConditionExpression"), str):
        yield from _queried(request, name)
    for item in request.get("TransactItems") or ():
        for part in item.values():
            yield from _keys(part)
    for table, wanted in (request.get("RequestItems") or {}).items():
        name = _partition_key(table)
        reads = wanted.get("Keys", ()) if isinstance(wanted, dict) else ()
        for key in reads:
            yield from _value(key, name)
        for write in wanted if isinstance(wanted, list) else ():
            yield from _value((write.get("PutRequest") or {}).get("Item"), name)
            yield from _value((write.get("DeleteRequest") or {}).get("Key"), name)


def _queried(request: dict[str, Any], name: str) -> Iterator[str]:
    names, values = request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {}
    for left, right in re.findall(r"([#\w]+)\s*=\s*(:\w+)", request["KeyConditionExpression"]):
        if names.get(left, left) == name:
            yield from _value({name: values.get(right)}, name)


def _value(item: Any, name: str) -> Iterator[str]:
    typed = item.get(name) if isinstance(item, dict) else None
    if isinstance(typed, dict):
        yield from (str(value) for value in typed.values())


def _partition_key(table: Any) -> str:
    from ministack.services import dynamodb

    found = dynamodb._tables.get(str(table).rsplit("/", 1)[-1])
    return str(found["pk_name"]) if found else ""
