"""Reading and moving the records of one release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.core.approvals import Rules
from orchestrator.core.errors import Conflict, TurnLost, UnknownRelease
from orchestrator.core.installation import Installation
from orchestrator.core.people import UNKNOWN
from orchestrator.core.ports import Clock, Store
from orchestrator.core.records import (
    Approval,
    Figure,
    LiveStage,
    Release,
    StageRecord,
    StageStatus,
    Status,
    Workload,
)


def stamp(moment: datetime) -> str:
    """A time as the records hold it: ISO 8601, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_stamp(text: str) -> datetime:
    """The inverse of ``stamp``."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def find_release(store: Store, release_id: str) -> Release | None:
    """The release, or None."""
    return store.get(Release, (f"RELEASE#{release_id}", "RELEASE"))


def find_workload(store: Store, name: str) -> Workload | None:
    """The workload, or None for one of which no release has been packaged."""
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


def stage_of(store: Store, release_id: str, stage: str, now: Clock) -> StageRecord:
    """The stage's record, made on first sight."""
    key = (f"RELEASE#{release_id}", f"STAGE#{stage}")
    found = store.get(StageRecord, key)
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
    workload = store.get(Workload, Workload.named(release.workload).key())
    if workload is None or not workload.live_release:
        return ()
    live = store.get(Release, (f"RELEASE#{workload.live_release}", "RELEASE"))
    return live.metrics if live else ()


def rules_for(installation: Installation, release: Release, stage: str) -> Rules | None:
    """Every approval policy that applies to a stage of a release; None when the stage is deployed without asking."""
    own = installation.stage(stage).approval
    asked = [demand.policy for demand in release.policies if demand.stage == stage]
    policies = ((own,) if own else ()) + tuple(asked)
    if not policies:
        return None
    author = release.commit.claimed_by if release.commit else UNKNOWN
    return Rules(policies, installation.roles, installation.people, author)


def approval_of(store: Store, approval_id: str) -> Approval | None:
    """The approval with this id, or None."""
    return store.get(Approval, (f"APPROVAL#{approval_id}", "APPROVAL"))


def check_turn(store: Store, release: Release) -> None:
    """Raise ``TurnLost`` unless the release holds its workload's turn: asked by every step before it changes anything.

    The turn's generation is the fencing token. Another release may have taken over from one that was believed dead,
    and a function that outlives its execution must not write any more.
    """
    if release.status.ended:
        raise TurnLost(f"this release no longer has its turn; it has ended {release.status.value}")
    workload = store.get(Workload, Workload.named(release.workload).key())
    holder = workload.running_release if workload else ""
    if workload is None or (holder, workload.generation) != (release.release_id, release.generation):
        raise TurnLost(f"this release no longer has its turn; {holder or 'no release'} has it")


def newer_than(store: Store, release: Release) -> Release | None:
    """The workload's newest release, if it is another than this one, under way, and no repetition of this one."""
    workload = store.get(Workload, Workload.named(release.workload).key())
    if workload is None or workload.newest_release in {"", release.release_id}:
        return None
    newest = store.get(Release, (f"RELEASE#{workload.newest_release}", "RELEASE"))
    if newest is None or newest.status.ended:
        return None
    return newest if newest.force or newest.digest != release.digest else None


def give_way(store: Store, release: Release, newer: Release) -> None:
    """Note which release takes the place of one under way; the first one named stays named."""

    def named(found: Release) -> Release:
        return found if found.ended_by or found.status.ended else replace(found, ended_by=newer.release_id)

    store.update(Release, release.key(), named)


def note_live(store: Store, release: Release, stage: str, now: Clock, *, changed: bool = True) -> None:
    """Note that a stage has this release's content, or nothing after a removal, as soon as it is so.

    ``changed`` is False where the stage had that content already: then it has been live since before.
    """

    def noted(current: Workload) -> Workload:
        if current.running_release != release.release_id:
            return current
        known = next((one for one in current.live if one.stage == stage), None)
        if release.removes:
            return replace(current, live=tuple(one for one in current.live if one is not known))
        same = known is not None and (known.release_id == release.release_id or not changed)
        since = known.since if known is not None and same else stamp(now())
        entry = LiveStage(stage, release.release_id, release.digest, since)
        if known is None:
            return replace(current, live=(*current.live, entry))
        return replace(current, live=tuple(entry if one is known else one for one in current.live))

    key = Workload.named(release.workload).key()
    if store.get(Workload, key) is not None:
        store.update(Workload, key, noted)


_TOUCHED = frozenset(
    {StageStatus.DEPLOYING, StageStatus.DEPLOYED, StageStatus.VERIFIED, StageStatus.FAILED, StageStatus.REMOVED}
)


def pass_turn(store: Store, release: Release) -> None:
    """Free the workload for its next release, and note what is live now that this one has ended.

    A release that ended badly after it had changed a stage leaves the stages with different contents: then no content
    is live any more, and releasing the former one again is no repetition.
    """
    records = [store.get(StageRecord, (release.key()[0], f"STAGE#{stage}")) for stage in release.stages]
    touched = any(record is not None and record.status in _TOUCHED for record in records)

    def free(current: Workload) -> Workload:
        if current.running_release != release.release_id:
            return current
        freed = replace(current, running_release="", running_digest="")
        if release.status is Status.SUCCEEDED and release.removes:
            return replace(freed, live_release="", live_digest="", live=(), removed_by=release.release_id)
        if release.status is Status.SUCCEEDED:
            return replace(freed, live_release=release.release_id, live_digest=release.digest)
        return replace(freed, live_digest="") if touched else freed

    key = Workload.named(release.workload).key()
    if store.get(Workload, key) is not None:
        store.update(Workload, key, free)
