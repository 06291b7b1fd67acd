"""The way out: a workload's stacks are taken away, stage by stage, by a release like every other.

A removal is a release whose plan of a stage lists everything that the stage's stack has, as removed. So it needs no
machine and no record of its own: it takes the workload's turn (a newer release supersedes it while it waits for
approval, and waits while it deletes), asks for the same approvals, waits for CloudFormation by the same events with the
sweeper behind, and ends in the same named states. The price is a branch on ``Release.removes`` wherever a release has
content or leaves some behind: in Package, Plan, RunJob and Verify, where a deployment is settled and a turn passed on,
where a release ends, where something new looks for the configuration in force; and words of its own
(``messages/removals.py``).

Stages go in the order of every release, dev first and prod last: whoever made a mistake loses dev, and is asked before
prod. What is asked is at least what was asked to deploy: the installation's policy of the stage, and the one of the
configuration that is live there, so that an upload with a weaker one opens no door.
"""

from __future__ import annotations

import hashlib

from orchestrator.core.errors import UnknownWorkload
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import Identity
from orchestrator.core.ports import Store
from orchestrator.core.records import Release, StagePolicy, Status, Workload
from orchestrator.core.steps.claims import claim, delivery, known, own_request, record_begun, release_id
from orchestrator.core.steps.progress import find_workload, release_of, stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.start_releases import run


def remove_workload(name: str, requester: Identity, request_token: str, reception: Reception) -> Receipt:
    """Start the removal of a workload; the same token asks for the same removal.

    Raises ``UnknownWorkload`` for a workload that was never released, and for one that is removed already.
    """
    source = Source(SourceKind.API, request=own_request(request_token, requester, name.encode()))
    this = delivery(source)
    removal_id = release_id(name, this, 0)
    if found := known((removal_id,), reception.store):
        return Receipt((run(found[0], reception),), duplicate=True)
    removal = _removal(removal_id, name, source, requester, reception)
    duplicate = claim(this, (removal_id,), reception) is not None
    return Receipt((run(record_begun(removal, reception), reception),), duplicate)


def removal_digest(workload: str) -> str:
    """Content digest of every removal of a workload: a second one while the first is on its way is a repetition."""
    return hashlib.sha256(f"removal|{workload}".encode()).hexdigest()


def workload_of(store: Store, name: str) -> Workload:
    """The workload; raises ``UnknownWorkload``."""
    workload = find_workload(store, name)
    if workload is None or not workload.newest_release:
        raise UnknownWorkload(f"there is no workload {name!r}; `mlops workloads` lists them")
    if workload.removed_by:
        raise UnknownWorkload(f"{name} has been removed already, by release {workload.removed_by}")
    return workload


def _removal(removal_id: str, name: str, source: Source, requester: Identity, reception: Reception) -> Release:
    workload = workload_of(reception.store, name)
    newest = release_of(reception.store, workload.newest_release)
    moment = stamp(reception.now())
    return Release(
        release_id=removal_id,
        workload=name,
        workload_type=newest.workload_type,
        status=Status.REQUESTED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        stages=newest.stages,
        stack_name=newest.stack_name,
        digest=removal_digest(name),
        channel=newest.channel,
        policies=_policies(workload, newest, reception.store),
        removes=True,
    )


def _policies(workload: Workload, newest: Release, store: Store) -> tuple[StagePolicy, ...]:
    """What the configurations demand of each stage: the one that is live there, else the newest one."""
    live = {one.stage: release_of(store, one.release_id) for one in workload.live}
    return tuple(
        demand for stage in newest.stages for demand in live.get(stage, newest).policies if demand.stage == stage
    )
