"""One batch of the table's stream: which releases it touches, and what has to be delivered again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.aws.table import record_from_image
from orchestrator.core.notices import SHOWN

Failed = Callable[[str, Exception], None]
"""Told of each release that could not be noted."""


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


def note_batch(records: Sequence[Mapping[str, Any]], note: Callable[[str], None], failed: Failed) -> dict[str, Any]:
    """Note each touched release in the outbox; from then on the stream need not remember it.

    Lambda repeats a stream's batch from the lowest sequence number reported; a note that comes twice does no harm.
    """
    failures: list[str] = []
    for release_id, sequence in touched(records).items():
        try:
            note(release_id)
        except Exception as error:  # whatever it is, the other releases of the batch are noted
            failures.append(sequence)
            failed(release_id, error)
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failures]}
