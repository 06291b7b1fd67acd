"""One batch of the table's stream: which releases it touches, each told once, and what has to be delivered again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.aws.table import record_from_image
from orchestrator.core.errors import UnknownRelease
from orchestrator.core.notices import SHOWN
from orchestrator.core.steps.notify_release import Notified

Failed = Callable[[str, Exception], None]
"""Told of each release that has to be looked at again."""


def touched(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Release id → sequence number of its first record in the batch.

    Only what a message shows counts: the message's own bookkeeping, which stands in the same table, must not.
    """
    found: dict[str, str] = {}
    for row in records:
        image = row.get("dynamodb", {}).get("NewImage")
        record = record_from_image(image) if image else None
        if isinstance(record, SHOWN):
            found.setdefault(record.release_id, str(row["dynamodb"]["SequenceNumber"]))
    return found


def notify_batch(
    records: Sequence[Mapping[str, Any]], notify: Callable[[str], Notified], failed: Failed
) -> dict[str, Any]:
    """Tell each touched release; one that fails never keeps the others waiting.

    Lambda repeats a stream's batch from the lowest sequence number reported; what was said by then is not said twice.
    """
    failures: list[str] = []
    for release_id, sequence in touched(records).items():
        try:
            notify(release_id)
        except UnknownRelease as error:
            # An approval of a release that was deleted by hand: repeating would not bring it back.
            failed(release_id, error)
        except Exception as error:
            failures.append(sequence)
            failed(release_id, error)
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failures]}
