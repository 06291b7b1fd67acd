"""A person in Slack wants a release: of a version of the workload's configuration in the assets bucket, or once more.

Where the configuration came by an upload, any version of that object can be released, the newest unless another is
named. Where it came otherwise (by a commit, by a call), the configuration that was released last is released once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.errors import NotAllowed, Refused, SourceGone, UnknownWorkload
from orchestrator.core.installation import Installation
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import Identity
from orchestrator.core.ports import Objects, Store, StoredVersion
from orchestrator.core.records import Release, Workload
from orchestrator.core.steps.checking import check_references, checked_file
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.releases_by_use import in_force
from orchestrator.core.steps.start_releases import Terms, request_key, start_checked

STRANGER = "Only people whom the installation's settings name may start a release."


@dataclass(frozen=True)
class Wish:
    """What somebody wants released."""

    workload: str
    version: str = ""
    """S3 version of the configuration; empty for the newest."""
    force: bool = False


@dataclass(frozen=True)
class Origin:
    """Where a workload's configuration comes from."""

    latest: Release
    """The release whose configuration is in force."""
    bucket: str = ""
    """Empty where the configuration is no object of the assets bucket."""
    key: str = ""


def may_start(who: Identity, installation: Installation) -> None:
    """Raise ``NotAllowed`` unless the settings know this person."""
    if not who.verified or installation.people.find(who) is None:
        raise NotAllowed(STRANGER)


def workloads(store: Store, most: int) -> tuple[str, ...]:
    """Names of the workloads that can be released, at most so many."""
    return tuple(workload.workload for workload in store.listed(Workload, "WORKLOADS", limit=most))


def origin(workload: str, store: Store, assets_bucket: str) -> Origin:
    """Where the workload's configuration comes from; raises ``UnknownWorkload``."""
    base = in_force(workload, store)
    if base is None:
        raise UnknownWorkload(f"There is no workload {workload}.")
    source = base.configured_by or base.source
    if source.kind in {SourceKind.S3, SourceKind.SLACK} and source.bucket == assets_bucket:
        return Origin(base, source.bucket, source.key)
    return Origin(base)


def versions(found: Origin, objects: Objects, most: int) -> Sequence[StoredVersion]:
    """Versions of the configuration that can be released, newest first; none where it is no object of the bucket."""
    return objects.history(found.bucket, found.key, limit=most) if found.bucket else ()


def release_again(wish: Wish, requester: Identity, request: str, reception: Reception) -> Receipt:
    """Start the release; ``request`` is the same for every delivery of one wish.

    Raises ``NotAllowed``, ``UnknownWorkload``, ``BadConfiguration``, and ``Refused`` where there is nothing to release.
    """
    may_start(requester, reception.installation)
    found = origin(wish.workload, reception.store, reception.assets_bucket)
    source, data = _configuration(wish, found, request, reception)
    checked = [one for one in checked_file(data, reception) if one.workload_name == wish.workload]
    if not checked:
        raise Refused(f"This version of {source.key} does not configure {wish.workload}.")
    check_references(checked, reception)
    return start_checked(source, requester, checked, reception, Terms(force=wish.force))


def _configuration(wish: Wish, found: Origin, request: str, reception: Reception) -> tuple[Source, bytes]:
    objects = reception.objects
    try:
        if found.bucket:
            version = wish.version or objects.describe(found.bucket, found.key).version_id
            source = Source(SourceKind.SLACK, found.bucket, found.key, version, request)
            return source, objects.read(found.bucket, found.key, version)
        if wish.version:
            raise Refused(
                f"The configuration of {wish.workload} is no object of the assets bucket, so it has no versions there."
            )
        data = objects.read(reception.packages_bucket, request_key(found.latest.release_id))
    except SourceGone as error:
        raise Refused(f"The configuration of {wish.workload} is not there: {error}") from error
    return Source(SourceKind.SLACK, request=request), data
