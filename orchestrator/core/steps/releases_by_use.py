"""Releases that no configuration asked for: of something new that a workload uses, with the configuration in force.

Such a release stands right after the one whose configuration it has, before every configuration that was asked for
later, whenever its own event arrives: a configuration takes the newest of everything when it is packaged, so it has
what was uploaded before it, while the other way round an old configuration would replace a new one that was on its way
unseen. That place is its *rank*, given by a conditional write, so that two of them at once never stand in the wrong
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from orchestrator.core.config import Checked
from orchestrator.core.deliveries import Claim, LatestRequest
from orchestrator.core.errors import Conflict, OrchestratorError, WorkloadBusy
from orchestrator.core.model_versions import group_of
from orchestrator.core.origins import Source
from orchestrator.core.packaging import canonical
from orchestrator.core.people import Identity
from orchestrator.core.ports import Store
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Release, Status, Workload
from orchestrator.core.steps.checking import checked_file
from orchestrator.core.steps.claims import delivery, known, release_id
from orchestrator.core.steps.progress import TICK, find_release, find_workload, read_stamp, stamp
from orchestrator.core.steps.receipts import Receipt, together
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.start_releases import Terms, refuse, request_key, run, start_checked
from orchestrator.core.uses import latest_request

TRIES = 20


@dataclass(frozen=True)
class _Standing:
    workload: Workload | None
    """None where nothing was packaged yet."""
    release: Release
    """Whose configuration is in force."""
    pins: tuple[tuple[str, str], ...]
    """What is pinned beside it."""
    latest: LatestRequest | None
    """As it was when this was found out."""
    rank: str
    """The greatest so far."""


def in_force(workload: str, store: Store) -> Release | None:
    """The release whose configuration a workload stands under: the newest that was asked for, unless no package could
    be made of it; then the newest that was packaged. None for a workload that is removed, or was never released."""
    found = _standing(workload, store)
    return found.release if found is not None else None


def _standing(workload: str, store: Store) -> _Standing | None:
    """The same, and what a rank is made from.

    A release that has taken its rank and does not stand in the table yet counts by what it has announced.
    """
    standing = find_workload(store, workload)
    latest = latest_request(store, workload)
    if standing is not None and standing.removed_by:
        removal = find_release(store, standing.removed_by)
        if removal is None or not _asked_since(removal, latest):
            return None
    asked = find_release(store, latest.release_id) if latest is not None else None
    pins = asked.pins if asked is not None else ()
    if latest is not None and asked is None:
        asked, pins = find_release(store, latest.base), latest.pins
    packaged = find_release(store, standing.newest_release) if standing is not None else None
    usable = [
        (release, pinned)
        for release, pinned in ((asked, pins), (packaged, packaged.pins if packaged is not None else ()))
        if release is not None and not _useless(release)
    ]
    if not usable:
        return None
    ranks = [latest.rank if latest else "", standing.newest_at if standing is not None else ""]
    found, pinned = max(usable, key=lambda one: one[0].order)
    return _Standing(standing, found, pinned, latest, max(*ranks, found.order[0]))


def _removal(found: _Standing, store: Store) -> Release | None:
    """A removal that has the workload's turn or wants it, and was asked for after every configuration: a nightly upload
    must not take its place. Whoever asks for a release may."""
    standing = found.workload
    if standing is None:
        return None
    for one in dict.fromkeys((standing.newest_release, standing.running_release)):
        release = find_release(store, one)
        if release is not None and release.removes and not release.status.ended:
            return None if _asked_since(release, found.latest) else release
    return None


def _asked_since(removal: Release, latest: LatestRequest | None) -> bool:
    return latest is not None and latest.order > removal.order


def _useless(release: Release) -> bool:
    """A removal has no configuration; a release that ended without a package has one that cannot be released."""
    unpackaged = release.status in {Status.FAILED, Status.REFUSED} and not release.package_key
    return release.removes or unpackaged


@dataclass(frozen=True)
class Something:
    """Something new that workloads use."""

    source: Source
    requester: Identity
    pin: tuple[str, str]
    """See ``Release.pins``."""
    used_by: Callable[[Checked], bool]
    overtaken: Callable[[], str]
    """Why it is not the newest of its kind any more, as a sentence; empty while it is. Asked anew once its rank is
    known: what is still the newest then has a smaller rank than whatever comes after it."""
    asked_at: str


def release_users(workloads: Iterable[str], new: Something, reception: Reception) -> Receipt:
    """Start a release of each workload whose configuration in force still uses it; one receipt of all.

    Each workload claims its own share of the delivery, so one that cannot be released does not keep the others back.
    """
    receipts: list[Receipt] = []
    trouble: list[Exception] = []
    for workload in workloads:
        try:
            receipt = _release_user(workload, new, reception)
        except OrchestratorError as error:
            trouble.append(error)
            continue
        if receipt is not None:
            receipts.append(receipt)
    if trouble:
        raise trouble[0]  # the event is delivered again, and finds the others released
    return together(receipts)


def _release_user(workload: str, new: Something, reception: Reception) -> Receipt | None:
    this = delivery(new.source, workload)
    claimed = reception.store.get(Claim, Claim(this, "", 0).key())
    before = known(claimed.releases, reception.store) if claimed is not None else ()
    if claimed is not None and len(before) == len(claimed.releases):
        # It has its rank, whatever was asked for since; where its function died, it is only to be started.
        return Receipt(tuple(run(release, reception) for release in before), duplicate=True)
    name = release_id(workload, this, 0)
    for _ in range(TRIES):
        found = _standing(workload, reception.store)
        if found is None:
            return None
        terms = Terms(
            share=workload,
            asked_at=read_stamp(new.asked_at),
            pins=_pins(found.pins, new.pin),
            configured_by=found.release.configured_by or found.release.source,
            follows=found.release.release_id,
        )
        checked = _configuration(found.release, new, reception, terms)
        if isinstance(checked, Receipt):
            return checked
        if not any(map(new.used_by, checked)):
            return None
        if removal := _removal(found, reception.store):
            why = f"{workload} is being removed by release {removal.release_id}. If it stays, ask for a release of it."
            late = replace(terms, overtaken=why, gives_way_to=removal.release_id)
            return start_checked(new.source, new.requester, checked, reception, late)
        if why := new.overtaken():
            return start_checked(new.source, new.requester, checked, reception, replace(terms, overtaken=why))
        rank = _ranked(name, found, terms.pins, workload, reception.store)
        if rank is None:
            continue
        if why := new.overtaken():
            # It has its place, so the next one finds the configuration with it, as if it had been released.
            data = canonical(checked[0].configuration)
            reception.objects.write_once(reception.packages_bucket, request_key(name), data, "application/json")
        ranked = replace(terms, rank=rank, overtaken=why)
        return start_checked(new.source, new.requester, checked, reception, ranked)
    raise WorkloadBusy(f"releases of {workload} are being asked for all the while")


def _ranked(name: str, found: _Standing, pins: tuple[tuple[str, str], ...], workload: str, store: Store) -> str | None:
    """The rank right after the greatest so far, or the one that an earlier run has taken; None where another release
    was asked for since ``found``."""
    if found.latest is not None and found.latest.release_id == name:
        return found.latest.rank
    rank = stamp(read_stamp(found.rank) + TICK)
    place = LatestRequest(workload, name, rank, found.release.release_id, pins)
    return rank if _placed(place, found.latest, store) else None


def _pins(pinned: tuple[tuple[str, str], ...], pin: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Versions of model packages that an earlier approval has pinned stay pinned: whoever uploads other data means the
    model that is live. Everything else is taken as it is."""
    models = {name: version for name, version in pinned if group_of(name)}
    return tuple(sorted((models | dict([pin])).items()))


def _configuration(base: Release, new: Something, reception: Reception, terms: Terms) -> Sequence[Checked] | Receipt:
    """The configuration, checked anew: the installation may have changed since. A receipt where it is refused."""
    data = reception.objects.read(reception.packages_bucket, request_key(base.release_id))
    try:
        return checked_file(data, reception)
    except BadConfiguration as error:
        problems = [f"{base.workload}: {problem.sentence}" for problem in error.problems]
        return refuse(new.source, new.requester, problems, reception, terms)


def _placed(wanted: LatestRequest, seen: LatestRequest | None, store: Store) -> bool:
    """Take the rank, unless another release was asked for since ``seen``."""
    if seen is None:
        with suppress(Conflict):
            store.insert(wanted)
            return True
        return False
    return store.update(LatestRequest, wanted.key(), lambda known: wanted if known == seen else known) == wanted
