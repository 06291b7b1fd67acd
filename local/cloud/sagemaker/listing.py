"""List actions: filters that they have in common, order and pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.records import Record

DEFAULT_RESULTS = 10
"""SageMaker's own, which is small enough to show who forgets to ask for the next page."""


def page(
    found: Iterable[Record], fields: dict[str, Any], member: str, summary: Callable[[Record], dict[str, Any]]
) -> dict[str, Any]:
    """One page of records as the action answers it.

    ``NameContains``, the times of creation and modification, ``SortBy``, ``SortOrder``, ``MaxResults`` and
    ``NextToken`` are honoured where the request has them; the newest come first unless it says otherwise.
    """
    kept = [record for record in found if _matches(record, fields)]
    key = _by_name if fields.get("SortBy", "CreationTime") == "Name" else _by_time(fields.get("SortBy", ""))
    kept.sort(key=key, reverse=fields.get("SortOrder", "Descending") == "Descending")
    start = _decoded(fields.get("NextToken"))
    size = int(fields.get("MaxResults") or DEFAULT_RESULTS)
    answer: dict[str, Any] = {member: [summary(record) for record in kept[start : start + size]]}
    if start + size < len(kept):
        answer["NextToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


def _matches(record: Record, fields: dict[str, Any]) -> bool:
    contained = fields.get("NameContains")
    if contained and contained.lower() not in record.name.lower():
        return False
    for member, after in (("CreationTimeAfter", True), ("CreatedAfter", True), ("CreationTimeBefore", False)):
        if not _in_time(record.created, fields.get(member), after):
            return False
    if not _in_time(record.created, fields.get("CreatedBefore"), after=False):
        return False
    return _in_time(record.modified, fields.get("LastModifiedTimeAfter"), after=True) and _in_time(
        record.modified, fields.get("LastModifiedTimeBefore"), after=False
    )


def _in_time(when: float, limit: float | None, after: bool) -> bool:
    if limit is None:
        return True
    return when >= limit if after else when <= limit


def _by_name(record: Record) -> Any:
    return record.name.lower()


def _by_time(by: str) -> Callable[[Record], Any]:
    return (lambda record: record.modified) if by == "LastModifiedTime" else (lambda record: record.created)


def _decoded(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise ApiError("ValidationException", "Invalid NextToken") from error
