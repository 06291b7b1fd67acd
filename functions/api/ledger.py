"""``GET /workloads/{id}/ledger``: the audit ledger, page by page, from its first entry on."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.errors import BadRequest, UnknownWorkload
from orchestrator.core.ledger.chain import REQUESTS
from orchestrator.core.ledger.rows import EntryRow
from orchestrator.core.steps.progress import find_workload

LISTED, MAX_LISTED = 100, 500

MAX_DIGITS = 12
"""Of a sequence number."""


def show_ledger(call: Call, service: Service) -> Answer:
    """Entries after a sequence number, and the ledger's head.

    The entries are read first: a head that were read before them could lag behind what they are.
    """
    after, limit = _after(call), call.limit(LISTED, MAX_LISTED)
    ledgers = service.world.ledgers
    rows = ledgers.page(call.id, after, limit)
    head = ledgers.head(call.id)
    if not rows and head is None and call.id != REQUESTS:
        _check_known(call.id, service)
    last = max((row.sequence for row in rows), default=after)
    return Answer(
        200,
        {
            "ledger": call.id,
            "head": {"sequence": head.sequence, "hash": head.hash} if head else None,
            "entries": [{"sequence": row.sequence, "hash": row.hash, "entry": _entry(row)} for row in rows],
            # Also after the head's own entry: whether a row stands behind it is for the caller to see.
            "next": last if last > after else None,
        },
    )


def _after(call: Call) -> int:
    raw = call.query.get("after", "0")
    if not raw.isdecimal() or not raw.isascii() or len(raw) > MAX_DIGITS - 1:
        raise BadRequest(f"after is {raw[:80]!r}; it should be the sequence number of an entry, or 0")
    return int(raw)


def _check_known(name: str, service: Service) -> None:
    if find_workload(service.world.store, name) is None:
        raise UnknownWorkload(f"there is no workload {name!r}; `mlops workloads` lists them")


def _entry(row: EntryRow) -> Any:
    """The entry as JSON; what somebody has made of it where it is none, as text: whoever verifies will tell."""
    try:
        return json.loads(row.text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return row.text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
