"""Releases whose execution is gone without a word: ended, so that the next one has its turn, or started after all.

Step Functions reports an execution that somebody stopped, or that failed at its own end; but such an event may be lost.
And a function may die between the record of a release and the start of its execution. So whatever has not moved for a
while is held against what Step Functions says itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.core.deliveries import Unfinished
from orchestrator.core.ports import Clock, Outcomes, Store, Tasks
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.executions import Machines, start_execution
from orchestrator.core.steps.progress import find_release, find_workload, read_stamp, release_of

UNTOUCHED = timedelta(minutes=15)
"""A release that has moved since is left alone: its way in, or its end, may still be at work."""

LOOKED_AT = 5_000
"""Releases that may be under way at once, the oldest first; the rest has its turn when these have ended."""

ASKED = 50
"""Executions asked about in one go; which ones, changes from minute to minute."""


@dataclass(frozen=True)
class Mended:
    """What came of one look."""

    releases: tuple[str, ...] = ()
    """Ids of those that were started, or reported as ended."""
    failures: tuple[str, ...] = ()
    """One sentence for each that could not be looked at; the others were."""


def mend_abandoned(*, store: Store, tasks: Tasks, outcomes: Outcomes, machines: Machines, now: Clock) -> Mended:
    """Hold every release that stands still against its execution."""
    mended: list[str] = []
    failures: list[str] = []
    for release in _some_of(list(_standing_still(store, now())), now()):
        try:
            if _mend(release, store, tasks, outcomes, machines):
                mended.append(release.release_id)
        except Exception as error:  # whatever it is, the next release has a right to be looked at
            failures.append(f"execution of {release.release_id}: {error}")
    return Mended(tuple(mended), tuple(failures))


def _standing_still(store: Store, moment: datetime) -> Iterator[Release]:
    """Releases under way that have not moved for a while, and ended ones that still hold a turn; what has ended and
    passed its turn on, or never came to stand in the table, is looked after no more."""
    for unfinished in store.listed(Unfinished, "UNFINISHED", limit=LOOKED_AT):
        if moment - read_stamp(unfinished.noted_at) <= UNTOUCHED:
            continue
        release = find_release(store, unfinished.release_id)
        if release is None or (release.status.ended and not _holds(release, store)):
            store.delete(unfinished)
        elif moment - read_stamp(release.updated_at) > UNTOUCHED:
            yield release


def _holds(release: Release, store: Store) -> bool:
    workload = find_workload(store, release.workload)
    return workload is not None and workload.running_release == release.release_id


def _some_of(releases: list[Release], moment: datetime) -> list[Release]:
    """As many as one go may ask about: the same ones again only when all others have had their turn."""
    first = int(moment.timestamp() // 60) * ASKED % max(len(releases), 1)
    return [*releases[first:], *releases[:first]][:ASKED]


def _mend(seen: Release, store: Store, tasks: Tasks, outcomes: Outcomes, machines: Machines) -> bool:
    """Whether something had to be done. Lists are a moment old: the record decides."""
    release = release_of(store, seen.release_id)
    if release.status.ended:
        if not _holds(release, store):
            return False
        outcomes.report(release.release_id, "ExecutionEnded", "The release had ended without passing its turn on.")
        return True
    status = tasks.status(machines.execution(release))
    if status == "RUNNING":
        return False
    if not status and release.status is Status.REQUESTED:
        execution = start_execution(release, machines, tasks)
        store.update(Release, release.key(), lambda found: replace(found, execution_arn=execution))
        return True
    how = f"has ended {status}" if status else "is gone"
    outcomes.report(release.release_id, "ExecutionEnded", f"The execution of the state machine {how}.")
    return True
