"""Reading and moving the records of one release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.core.approvals import PolicySource, Rules
from orchestrator.core.errors import Conflict, UnknownRelease
from orchestrator.core.installation import PIPELINE_EXPIRY_HOURS, Installation
from orchestrator.core.people import UNKNOWN
from orchestrator.core.ports import Clock, Store
from orchestrator.core.records import (
    Approval,
    Figure,
    Release,
    StageRecord,
    StageStatus,
    Status,
    Workload,
)

TICK = timedelta(milliseconds=1)
"""What ``stamp`` can tell apart."""


def stamp(moment: datetime) -> str:
    """A time as the records hold it: ISO 8601, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_stamp(text: str) -> datetime:
    """The inverse of ``stamp``."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


MAX_NAME = 128
"""Characters of a release's id or a workload's name, generously; DynamoDB refuses to look for a key of over 2 KB."""


def find_release(store: Store, release_id: str) -> Release | None:
    """The release, or None; also for what cannot be the id of one."""
    if not 0 < len(release_id) <= MAX_NAME:
        return None
    return store.get(Release, (f"RELEASE#{release_id}", "RELEASE"))


def find_workload(store: Store, name: str) -> Workload | None:
    """The workload, or None for one of which no release has been packaged; also for what cannot be its name."""
    if not 0 < len(name) <= MAX_NAME:
        return None
    return store.get(Workload, Workload.named(name).key())


def release_of(store: Store, release_id: str) -> Release:
    """The release; raises ``UnknownRelease``."""
    release = find_release(store, release_id)
    if release is None:
        raise UnknownRelease(f"there is no release {release_id!r}; `mlops status` lists the releases")
    return release


def move(store: Store, release_id: str, now: Clock, status: Status, **changes: Any) -> Release:
    """Move a release to another status; one that has ended stays as it ended."""

    def change(release: Release) -> Release:
        if release.status.ended:
            return release
        return replace(release, status=status, updated_at=stamp(now()), **changes)

    return store.update(Release, (f"RELEASE#{release_id}", "RELEASE"), change)


def find_stage(store: Store, release_id: str, stage: str) -> StageRecord | None:
    """The stage's record, or None where nothing was done there yet."""
    return store.get(StageRecord, (f"RELEASE#{release_id}", f"STAGE#{stage}"))


def stage_of(store: Store, release_id: str, stage: str, now: Clock) -> StageRecord:
    """The stage's record, made on first sight."""
    found = find_stage(store, release_id, stage)
    if found is not None:
        return found
    fresh = StageRecord(release_id, stage, StageStatus.PENDING, stamp(now()), attempt=1)
    try:
        store.insert(fresh)
    except Conflict:
        return stage_of(store, release_id, stage, now)
    return fresh


def move_stage(
    store: Store, record: StageRecord, now: Clock, change: Callable[[StageRecord], StageRecord]
) -> StageRecord:
    """Change a stage's record and note the time."""

    def stamped(current: StageRecord) -> StageRecord:
        changed = change(current)
        return changed if changed == current else replace(changed, updated_at=stamp(now()))

    return store.update(StageRecord, record.key(), stamped)


def live_figures(store: Store, release: Release) -> tuple[Figure, ...]:
    """Figures of the release that is live, to compare this one's with.

    None once this one has ended: what is live then may be this one, or something that came after it.
    """
    if release.status.ended or not release.metrics:
        return ()
    workload = find_workload(store, release.workload)
    if workload is None or not workload.live_release:
        return ()
    live = find_release(store, workload.live_release)
    return live.metrics if live else ()


def live_since(store: Store, release: Release) -> dict[str, str]:
    """Stage → since when it has what this release deploys; of a stage that had it before, since then."""
    workload = find_workload(store, release.workload)
    live = workload.live if workload else ()
    return {one.stage: one.since for one in live if one.release_id == release.release_id}


def rules_for(installation: Installation, release: Release, stage: str) -> Rules | None:
    """Every approval policy that applies to a stage of a release; None when the stage is deployed without asking."""
    own = installation.stage(stage).approval
    asked = [demand.policy for demand in release.policies if demand.stage == stage]
    policies = ((own,) if own else ()) + tuple(asked)
    if not policies:
        return None
    author = release.commit.claimed_by if release.commit else UNKNOWN
    sources = ((PolicySource.INSTALLATION,) if own else ()) + (PolicySource.CONFIGURATION,) * len(asked)
    return Rules(policies, installation.roles, installation.people, author, sources=sources)


def expiry_hours(rules: Rules, release: Release) -> int:
    """How long people are asked: where a CodePipeline waits for them, never as long as its approval does."""
    hours = rules.expires_after_hours
    return min(hours, PIPELINE_EXPIRY_HOURS) if release.pipeline else hours


def approval_of(store: Store, approval_id: str) -> Approval | None:
    """The approval with this id, or None."""
    return store.get(Approval, (f"APPROVAL#{approval_id}", "APPROVAL"))
