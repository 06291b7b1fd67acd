"""Where a rollback would go: which earlier release may be deployed anew, and which one is meant where none is named.

Only what went all the way is gone back to. Where a newer release is on its way, or has ended half way, the stages
differ, and the way back is to what stands behind it; else it is to the release that was live before. What was gone back
from is passed by: going back twice goes two releases back, and whoever wants the newer one again names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.errors import Refused, UnknownWorkload
from orchestrator.core.ports import Store
from orchestrator.core.records import Release, Status, Workload
from orchestrator.core.steps.progress import find_release, find_workload, release_of

MOST = 50
"""Releases that are looked through for one that was live before."""


@dataclass(frozen=True)
class WayBack:
    """A rollback that could be asked for."""

    workload: Workload
    target: Release
    """Whose package would be deployed; never a rollback itself."""
    live: Release | None
    """What is live in the last stage that has anything."""
    live_from: str
    """When the target had gone all the way."""
    live_until: str
    """When the next one had; empty where that is not known, and where nothing came after it."""


def way_back(name: str, to: str, store: Store) -> WayBack:
    """The rollback of a workload to a release, or to the one that was live before where ``to`` is empty.

    Raises ``UnknownWorkload``, ``UnknownRelease``, and ``Refused`` where there is nothing to go back to.
    """
    workload = standing(name, store)
    target = release_of(store, to or _usual(workload, store))
    if target.workload != name:
        raise Refused(f"{target.release_id} is a release of {target.workload}, not of {name}.")
    target = origin(target, store)
    if why := unfit(target):
        raise Refused(why)
    until = next((newer.updated_at for newer, older in _steps(workload, store) if older == target.release_id), "")
    return WayBack(workload, target, live(workload, store), target.updated_at, until)


def offered(release: Release, workload: Workload | None, store: Store) -> str:
    """What a click on this release's message would go back to: itself where it is not live any more, what was live
    before where it is. Empty where there is nothing to go back to."""
    if workload is None or workload.removed_by or not workload.live or not release.status.ended:
        return ""
    whole = origin(release, store)
    if not unfit(whole) and not _everywhere(whole, workload):
        return whole.release_id
    in_place = any(one.release_id == release.release_id for one in workload.live)
    return _before(workload, store) if in_place else ""


def standing(name: str, store: Store) -> Workload:
    """The workload; raises ``UnknownWorkload``, and ``Refused`` for one that is removed."""
    workload = find_workload(store, name)
    if workload is None:
        raise UnknownWorkload(f"there is no workload {name!r}; `mlops workloads` lists them")
    if workload.removed_by:
        raise Refused(
            f"{name} has been removed, by release {workload.removed_by}: there is nothing to go back from. "
            "Release its configuration anew."
        )
    return workload


def unfit(release: Release) -> str:
    """Why nobody can go back to this release, as a sentence; empty where one can."""
    if release.removes:
        return f"{release.release_id} is a removal; it has deployed nothing."
    if release.status is not Status.SUCCEEDED:
        ended = "has not ended yet" if not release.status.ended else f"has ended {release.status}"
        return f"{release.release_id} {ended}: only a release that has succeeded can be gone back to."
    return "" if release.package_key else f"{release.release_id} has no package."


def origin(release: Release, store: Store) -> Release:
    """The release whose package this one has deployed: itself, or what it has gone back to."""
    return release_of(store, release.goes_back_to) if release.goes_back_to else release


def live(workload: Workload, store: Store) -> Release | None:
    """What is live in the last stage that has anything; None where nothing is."""
    stages = {one.stage: one.release_id for one in workload.live}
    found = [release for name in stages.values() if (release := find_release(store, name)) is not None]
    order = found[0].stages if found else ()
    last = next((stages[stage] for stage in reversed(order) if stage in stages), "")
    return next((release for release in found if release.release_id == last), None)


def _usual(workload: Workload, store: Store) -> str:
    found = _before(workload, store)
    if not found:
        raise Refused(f"Nothing else of {workload.workload} was live before; there is nothing to go back to.")
    return found


def _before(workload: Workload, store: Store) -> str:
    """See the module; empty where nothing was live before."""
    latest = find_release(store, workload.live_release)
    went = [latest.goes_back_to or latest.release_id] if latest is not None else []
    for name in (*went, *(older for _, older in _steps(workload, store))):
        release = find_release(store, name)
        if release is not None and not unfit(release) and not _everywhere(release, workload):
            return release.release_id
    return ""


def _everywhere(release: Release, workload: Workload) -> bool:
    """Whether what it has deployed is live in all its stages, whichever release put it there. Each stage's own note is
    asked: what is live of the workload as a whole is noted after the release has ended."""
    same = {one.stage for one in workload.live if one.digest == release.digest}
    return same >= set(release.stages)


def _steps(workload: Workload, store: Store) -> Iterator[tuple[Release, str]]:
    """What was live one after the other, newest first: a release, and the id of the one before it. What was live before
    a rollback is what was live before the release that it went back to."""
    release = find_release(store, workload.live_release)
    for _ in range(MOST):
        if release is None:
            return
        whole = find_release(store, release.goes_back_to) if release.goes_back_to else release
        before = find_release(store, whole.before) if whole is not None else None
        if whole is None or before is None:
            return
        yield release, before.goes_back_to or before.release_id
        release = before
