"""One release of a workload at a time: who has the turn, who gives way to whom, and what is live once it has passed.

The turn stands in the workload's row, taken and passed by conditional writes; its generation is the fencing token that
every later step must hold.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from orchestrator.core.errors import Conflict, TurnLost
from orchestrator.core.ports import Clock, Store, Tasks
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    LiveStage,
    Release,
    StageStatus,
    Status,
    Workload,
)
from orchestrator.core.steps.answers import answer
from orchestrator.core.steps.progress import approval_of, find_release, find_stage, find_workload, release_of, stamp


def take_turn(release: Release, store: Store) -> Workload:
    """Become the workload's running release if it is free, this release the newest, and the content new.

    Returns how the workload stands. A holder that has ended and died before it could pass its turn on is helped.
    """
    key = Workload.named(release.workload).key()
    if find_workload(store, release.workload) is None:
        with suppress(Conflict):
            store.insert(Workload.named(release.workload))
    after = store.update(Workload, key, lambda current: _turn(current, release))
    newest = after.newest_release
    if newest != release.release_id and _died_waiting(newest, store):
        after = store.update(Workload, key, lambda current: _turn(_without(newest, current), release))
    if after.running_release in {"", release.release_id}:
        return after
    holder = release_of(store, after.running_release)
    if not holder.status.ended:
        return after
    pass_turn(store, holder)
    return store.update(Workload, key, lambda current: _turn(current, release))


def _died_waiting(release_id: str, store: Store) -> bool:
    """Whether a release has failed before it ever had its turn: nobody needs to give way to it."""
    found = find_release(store, release_id)
    return found is not None and found.status is Status.FAILED and not found.generation


def _without(newest: str, current: Workload) -> Workload:
    """The workload as if that release had never wanted its turn."""
    return replace(current, newest_release="", newest_at="") if current.newest_release == newest else current


def is_lost(holder_id: str, store: Store) -> bool:
    """Whether the release that has the turn will not come to its end: it was decided against, or has failed, and its
    execution has not said so yet. What it was about to deploy is not on its way."""
    if not holder_id:
        return False
    holder = release_of(store, holder_id)
    record = find_stage(store, holder_id, holder.stage)
    approval = approval_of(store, record.approval_id) if record is not None and record.approval_id else None
    decided_against = approval is not None and approval.status not in {ApprovalStatus.PENDING, ApprovalStatus.APPROVED}
    failed = record is not None and record.status is StageStatus.FAILED
    return bool(holder.ended_by) or decided_against or failed


def begin_turn(release: Release, workload: Workload, store: Store) -> None:
    """Note the turn's generation, which every later step must hold.

    Release and workload are two rows: a release that was ended just before it took its turn gives it back.
    """
    before = "" if workload.live_release == release.release_id else workload.live_release
    after = store.update(
        Release,
        release.key(),
        lambda found: found if found.status.ended else replace(found, generation=workload.generation, before=before),
    )
    if after.status.ended:
        pass_turn(store, after)
        raise TurnLost(f"this release has ended {after.status.value}; nothing of it is done any more")


def _turn(current: Workload, release: Release) -> Workload:
    """The workload with this release noted, and running where it may."""
    if release.order > (current.newest_at, current.newest_release):
        current = replace(current, newest_release=release.release_id, newest_at=release.order[0])
    if current.running_release or current.newest_release != release.release_id or the_same(current, release):
        return current
    return replace(
        current,
        running_release=release.release_id,
        running_digest=release.digest,
        generation=current.generation + 1,
        workload_type=release.workload_type,
        removed_by="",
    )


def the_same(workload: Workload, release: Release) -> str:
    """Why releasing this content would be a repetition; empty when it would not, or is wanted all the same."""
    if release.force:
        return ""
    if workload.running_release:
        return on_its_way(workload.running_release) if workload.running_digest == release.digest else ""
    live = workload.live_digest == release.digest
    return f"The same content is live already, since release {workload.live_release}." if live else ""


def on_its_way(release_id: str) -> str:
    """Why releasing the same content once more would be a repetition, while a release with it is under way."""
    return f"The same content is on its way already, in release {release_id}."


def supersede(holder_id: str, newer: Release, store: Store, tasks: Tasks, now: Clock) -> None:
    """End the holder's pending approval, if it waits for one; what it deploys is never interrupted."""
    holder = release_of(store, holder_id)
    if holder.status is not Status.AWAITING_APPROVAL:
        return
    record = find_stage(store, holder_id, holder.stage)
    approval = approval_of(store, record.approval_id) if record and record.approval_id else None
    if approval is None:
        return

    def close(current: Approval) -> Approval:
        if current.status is not ApprovalStatus.PENDING:
            return current
        return replace(current, status=ApprovalStatus.SUPERSEDED, settled_at=stamp(now()))

    after = store.update(Approval, approval.key(), close)
    if after.status is ApprovalStatus.SUPERSEDED:
        give_way(store, holder, newer)
        answer(after, store=store, tasks=tasks)


def check_turn(store: Store, release: Release) -> None:
    """Raise ``TurnLost`` unless the release holds its workload's turn: asked by every step before it changes anything.

    The turn's generation is the fencing token. Another release may have taken over from one that was believed dead,
    and a function that outlives its execution must not write any more.
    """
    if release.status.ended:
        raise TurnLost(f"this release no longer has its turn; it has ended {release.status.value}")
    workload = find_workload(store, release.workload)
    holder = workload.running_release if workload else ""
    if workload is None or (holder, workload.generation) != (release.release_id, release.generation):
        raise TurnLost(f"this release no longer has its turn; {holder or 'no release'} has it")


def newer_than(store: Store, release: Release) -> Release | None:
    """The workload's newest release, if it is another than this one, under way, and no repetition of this one."""
    workload = find_workload(store, release.workload)
    if workload is None or workload.newest_release in {"", release.release_id}:
        return None
    newest = find_release(store, workload.newest_release)
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
    if find_workload(store, release.workload) is not None:
        store.update(Workload, key, noted)


_TOUCHED = frozenset(
    {StageStatus.DEPLOYING, StageStatus.DEPLOYED, StageStatus.VERIFIED, StageStatus.FAILED, StageStatus.REMOVED}
)


def pass_turn(store: Store, release: Release) -> None:
    """Free the workload for its next release, and note what is live now that this one has ended.

    A release that ended badly after it had changed a stage leaves the stages with different contents: then no content
    is live any more, and releasing the former one again is no repetition.
    """
    records = [find_stage(store, release.release_id, stage) for stage in release.stages]
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
    if find_workload(store, release.workload) is not None:
        store.update(Workload, key, free)
