"""A configuration was deleted in a repository: nothing is started and nothing removed, and people are told so.

What is live stays live: a file that goes, perhaps by mistake, must not take an endpoint with it. A file that was moved
is not told of, since its workload has a release from the new place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from orchestrator.core.config import check_file
from orchestrator.core.errors import SourceGone
from orchestrator.core.origins import Commit, Source
from orchestrator.core.people import Identity
from orchestrator.core.problems import BadConfiguration, listing
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.checking import check_context
from orchestrator.core.steps.claims import delivery, record_ended, release_id
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception


def tell_deleted(
    source: Source,
    requester: Identity,
    commit: Commit,
    reception: Reception,
    *,
    old: Callable[[], bytes] | None,
    released: Collection[str],
) -> list[Receipt]:
    """Record the notice, once; nothing where the same commit releases every workload of the file.

    ``old`` reads the file as it was, where that can be done; ``released`` are workloads with a release of this commit.
    """
    workloads = _workloads(old, reception) if old is not None else ()
    if workloads and set(workloads) <= set(released):
        return []
    this = delivery(source)
    moment = stamp(reception.now())
    notice = Release(
        release_id=release_id("deleted", this, 0),
        workload=source.key,
        workload_type="",
        status=Status.UNCHANGED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        reason=_told(workloads),
        commit=commit,
    )
    return [record_ended(notice, this, reception)]


def _workloads(old: Callable[[], bytes], reception: Reception) -> tuple[str, ...]:
    """Names of the file's workloads; none where it had problems, or is gone."""
    with suppress(BadConfiguration, SourceGone):
        checked = check_file(old(), reception.catalogue, check_context(reception.installation))
        return tuple(one.workload_name for one in checked)
    return ()


def _told(workloads: tuple[str, ...]) -> str:
    if not workloads:
        return "Nothing was started and nothing removed: what was released from it stays as it is."
    stays = "stays" if len(workloads) == 1 else "stay"
    return (
        f"Nothing was started and nothing removed: {listing(workloads)} {stays} as released. "
        "`mlops remove` takes a workload down."
    )
