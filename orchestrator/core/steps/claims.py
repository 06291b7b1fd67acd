"""One delivery, claimed once: by a conditional insert, before anything else is written.

Every id derives from the delivery. So ten deliveries of one event make one release, and a function that died half way
is completed, not repeated, by the next delivery.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from orchestrator.core.deliveries import Claim, Unfinished
from orchestrator.core.errors import Conflict
from orchestrator.core.origins import Source
from orchestrator.core.people import Identity
from orchestrator.core.ports import Store
from orchestrator.core.records import Release
from orchestrator.core.steps.progress import find_release, release_of, stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.upsert import insert_once

CLAIM_DAYS = 460
"""How long a delivery is remembered: longer than an execution can run (a year) and its name is taken (90 days more)."""


def delivery(source: Source, share: str = "") -> str:
    """SHA-256 over what makes a delivery this one: source, bucket, key and version, or the request's token; and the
    workload, where each has its own share of it."""
    parts = [source.kind.value, source.bucket, source.key, source.version_id, source.request]
    return hashlib.sha256(json.dumps([*parts, share] if share else parts).encode()).hexdigest()


def release_id(workload: str, delivery: str, index: int) -> str:
    """``<workload>-<10 hex digits>``: readable, the same for every delivery of one request, and a legal name of an
    execution (80 characters) and part of a change set's."""
    digest = hashlib.sha256(f"{delivery}|{index}".encode()).hexdigest()[:10]
    return f"{workload[:40].rstrip('-')}-{digest}"


def claim(delivered: str, releases: tuple[str, ...], reception: Reception) -> tuple[str, ...] | None:
    """None when this delivery is the first; else what the first one became, which stands."""
    moment = reception.now()
    expires = moment + timedelta(days=CLAIM_DAYS)
    wanted = Claim(delivered, stamp(moment), int(expires.timestamp()), releases)
    try:
        reception.store.insert(wanted)
    except Conflict:
        standing = reception.store.get(Claim, wanted.key())
        return standing.releases if standing is not None else releases
    return None


def known(releases: Sequence[str], store: Store) -> tuple[Release, ...]:
    """Those of the releases that are recorded."""
    found = [find_release(store, name) for name in releases]
    return tuple(release for release in found if release is not None)


def own_request(token: str, caller: Identity, asked: bytes) -> str:
    """What tells one call from every other: the caller's token, who he is, and what he asks. Nobody is answered with
    what somebody else has started under the same token."""
    whole = hashlib.sha256(f"{caller.value}\n".encode() + asked).hexdigest()
    return f"{token}-{whole[:16]}"


def record_begun(release: Release, reception: Reception) -> Release:
    """Insert the record of a release that will be under way, where an earlier delivery has not; what stands. It is
    looked after from then on (``abandoned``)."""
    store = reception.store
    if not release.status.ended:
        insert_once(store, Unfinished(release.release_id, stamp(reception.now())))
    insert_once(store, release)
    return release_of(store, release.release_id)


def record_ended(ended: Release, delivered: str, reception: Reception) -> Receipt:
    """Claim the delivery and record a release that starts nothing; what the first delivery became stands."""
    claimed = claim(delivered, (ended.release_id,), reception)
    if claimed is not None and claimed != (ended.release_id,):
        return Receipt(known(claimed, reception.store), duplicate=True)
    return recorded(ended, reception, duplicate=claimed is not None)


def recorded(ended: Release, reception: Reception, *, duplicate: bool) -> Receipt:
    """Insert the record, where an earlier delivery has not; what stands."""
    insert_once(reception.store, ended)
    return Receipt((release_of(reception.store, ended.release_id),), duplicate)
