"""A version of a model package was rejected while it is live: people are told, and how to go back to the one before.

Nothing is changed by a rejection alone: it says that a version should not serve, not what should serve instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from orchestrator.core.errors import Refused
from orchestrator.core.model_versions import group_arn, group_of, number_of
from orchestrator.core.notices import Notice
from orchestrator.core.ports import ModelRegistry, Store
from orchestrator.core.problems import listing
from orchestrator.core.records import Release
from orchestrator.core.steps.progress import find_release, find_workload
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.registered import APPROVED
from orchestrator.core.steps.way_back import way_back
from orchestrator.core.upsert import insert_once

MOST_BEFORE = 50
"""Releases that are looked through for the version that was live before."""


def tell_rejected(arn: str, number: int, workloads: Sequence[str], reception: Reception) -> None:
    """Leave a notice for each workload in which the version is live; ``number`` tells this rejection from others."""
    for workload in workloads:
        stages, release = _live(arn, workload, reception.store)
        if release is None:
            continue
        before = _live_before(release, arn, reception.store)
        notice_id = hashlib.sha256(f"{arn}|{number}|{workload}".encode()).hexdigest()[:16]
        notice = Notice(
            release.release_id,
            notice_id,
            f"Version {number_of(arn)} of {group_of(arn)} was rejected while it is live in {workload}",
            tuple(_lines(arn, workload, stages, release, before, reception.registry())),
            _way_back(workload, before, reception),
        )
        insert_once(reception.store, notice)


def _live(arn: str, workload: str, store: Store) -> tuple[list[str], Release | None]:
    """The stages in which the version is live, and the release that brought it to the last of them."""
    known = find_workload(store, workload)
    stages: list[str] = []
    found: Release | None = None
    for place in known.live if known is not None else ():
        release = find_release(store, place.release_id)
        if release is not None and arn in release.models:
            stages.append(place.stage)
            found = release
    return stages, found


def _live_before(release: Release, arn: str, store: Store) -> tuple[str, str] | None:
    """ARN of the other version of the group that was live last, and the release that had it; None where there is
    none."""
    for _ in range(MOST_BEFORE):
        earlier = find_release(store, release.before) if release.before else None
        if earlier is None:
            return None
        others = [model for model in earlier.models if model != arn and group_arn(model) == group_arn(arn)]
        if others:
            return others[0], earlier.release_id
        release = earlier
    return None


def _way_back(workload: str, before: tuple[str, str] | None, reception: Reception) -> str:
    """The release that the notice's button goes back to; empty where the registry does not let its version through."""
    version = reception.registry().version(before[0]) if before is not None else None
    if before is None or version is None or version.approval != APPROVED:
        return ""
    try:
        return way_back(workload, before[1], reception.store).target.release_id
    except Refused:
        return ""


def _lines(
    arn: str,
    workload: str,
    stages: Sequence[str],
    release: Release,
    before: tuple[str, str] | None,
    registry: ModelRegistry,
) -> Iterator[str]:
    yield (
        f"{arn} was rejected in the Model Registry. It is live in {listing(stages)}, since release "
        f"{release.release_id}. Nothing was changed: rejecting a version does not take it out of service."
    )
    if before is None:
        yield "No other version of the group was live before it. To replace it, approve another in the registry."
        return
    earlier, its_release = before
    version = registry.version(earlier)
    if version is None:
        yield (
            f"Version {number_of(earlier)} was live before it (release {its_release}), but is not in the registry any "
            "more. To replace what is live, approve another version."
        )
        return
    proposed = f"Proposed: go back to version {number_of(earlier)}, which was live before it (release {its_release})"
    if version.approval == APPROVED:
        yield f"{proposed}. Its package is deployed again, with its plan and the usual approvals:"
        yield f"  mlops rollback {workload} --to {its_release}"
        return
    yield (
        f"{proposed} and is {version.approval or 'without an approval status'} now. Approving it anew starts its "
        "release, with its plan and the usual approvals:"
    )
    yield f"  aws sagemaker update-model-package --model-package-arn {earlier} --model-approval-status Approved"
