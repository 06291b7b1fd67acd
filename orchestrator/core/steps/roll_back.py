"""The way back: an earlier release's package is deployed once more, by a release like every other.

A rollback is a release that brings no package of its own (``earlier_package``). So it has its workload's turn, a plan
of each stage, the approvals that the stage and the configuration in the package ask for, jobs, checks and a named end.
It is asked for like a release, by the same people.

From then on the earlier configuration is the one in force, with the versions of model packages that it deploys pinned:
what is uploaded next is released with it, and not with the configuration that was gone back from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from orchestrator.core.errors import BadRequest, Refused, SourceGone
from orchestrator.core.installation import ORCHESTRATOR, Installation
from orchestrator.core.model_versions import group_arn
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import Identity
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.claims import claim, delivery, known, own_request, record_begun, release_id
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.registered import APPROVED, Registry
from orchestrator.core.steps.start_releases import announce, request_key, run
from orchestrator.core.steps.turns import is_lost, the_same
from orchestrator.core.steps.way_back import WayBack, way_back

MAX_REASON = 1000
"""Characters of why somebody goes back; the same as of why somebody rejects."""


@dataclass(frozen=True)
class Return:
    """What somebody wants to go back to."""

    workload: str
    to: str
    """Id of the release."""
    because: str = ""
    force: bool = False
    """Also when that is live already."""
    seen_live: str = ""
    """The release that was live when somebody was shown what would come of it; empty where nobody was."""


def roll_back(wish: Return, requester: Identity, token: str, kind: SourceKind, reception: Reception) -> Receipt:
    """Start the rollback; the same token of the same person asks for the same one.

    Raises ``BadRequest``, ``UnknownWorkload``, ``UnknownRelease``, and ``Refused`` with the reason why nobody can go
    back there.
    """
    asked = json.dumps([wish.workload, wish.to, wish.because, wish.force]).encode()
    source = Source(kind, request=own_request(token, requester, asked))
    this = delivery(source)
    name = release_id(wish.workload, this, 0)
    if found := known((name,), reception.store):
        return Receipt((_begin(found[0], reception),), duplicate=True)
    release, configuration = _decided(wish, name, source, requester, reception)
    duplicate = claim(this, (name,), reception) is not None
    # Kept before the release stands in the table, as that of every release (``start_releases``).
    key = request_key(name)
    reception.objects.write_once(reception.packages_bucket, key, configuration, "application/json")
    return Receipt((_begin(record_begun(release, reception), reception),), duplicate)


def _begin(release: Release, reception: Reception) -> Release:
    if release.status is Status.REQUESTED and not release.execution_arn:
        announce(release, reception.store)
    return run(release, reception)


def _decided(
    wish: Return, name: str, source: Source, requester: Identity, reception: Reception
) -> tuple[Release, bytes]:
    """The release that goes back, and the configuration that it brings into force again."""
    if len(wish.because) > MAX_REASON:
        raise BadRequest(f"the reason has {len(wish.because)} characters; at most {MAX_REASON} are taken")
    found = way_back(wish.workload, wish.to, reception.store)
    release = _rollback(found, wish, name, source, requester, reception)
    live_now = found.live.release_id if found.live is not None else ""
    if wish.seen_live not in {"", live_now}:
        raise Refused(
            f"By now {live_now or 'nothing'} is live, and {wish.seen_live} was when you were asked. Look again."
        )
    same = the_same(found.workload, release)
    if same and not is_lost(found.workload.running_release, reception.store):
        raise Refused(same)
    _check_place(found.target, reception.installation)
    _check_models(found.target, reception.registry)
    return release, _kept(found.target, reception)


def _rollback(
    found: WayBack, wish: Return, name: str, source: Source, requester: Identity, reception: Reception
) -> Release:
    earlier, moment = found.target, stamp(reception.now())
    return Release(
        release_id=name,
        workload=earlier.workload,
        workload_type=earlier.workload_type,
        status=Status.REQUESTED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        stages=earlier.stages,
        stack_name=earlier.stack_name,
        digest=earlier.digest,
        description=earlier.description,
        channel=earlier.channel,
        force=wish.force,
        policies=earlier.policies,
        commit=earlier.commit,
        configured_by=earlier.configured_by or earlier.source,
        pins=tuple((group, arn) for arn in earlier.models if (group := group_arn(arn))),
        goes_back_to=earlier.release_id,
        instead_of=found.live.release_id if found.live is not None else "",
        asked_because=wish.because.strip(),
    )


def _check_place(earlier: Release, installation: Installation) -> None:
    """Raise ``Refused`` where the installation is not the one any more that the package was made for."""
    known_ways = {installation.stages_of("stages"), installation.stages_of(ORCHESTRATOR)}
    if earlier.stages not in known_ways:
        raise Refused(
            f"{earlier.release_id} went through {', '.join(earlier.stages)}, and the installation has the stages "
            f"{', '.join(installation.stage_names)} now: its package holds no parameters for them."
        )
    roles = {role for demand in earlier.policies for one in demand.policy.any_of for role, _ in one}
    if unknown := sorted(role for role in roles if not installation.roles.get(role)):
        raise Refused(
            f"The configuration of {earlier.release_id} asks the role {unknown[0]} for approval, which the "
            "installation has no more: nobody could approve."
        )


def _check_models(earlier: Release, registry: Registry) -> None:
    """Raise ``Refused`` for a version that the Model Registry has withdrawn: its plan would fail (``registered``)."""
    for arn in earlier.models:
        version = registry().version(arn)
        standing = (version.approval or "without an approval status") if version is not None else "not there any more"
        if standing != APPROVED:
            raise Refused(f"{earlier.release_id} deploys {arn}, which is {standing} in the Model Registry.")


def _kept(earlier: Release, reception: Reception) -> bytes:
    """The configuration of the earlier release; raises ``Refused`` where it or the package is gone."""
    objects, bucket = reception.objects, reception.packages_bucket
    try:
        objects.describe(bucket, earlier.package_key, earlier.package_version)
        return objects.read(bucket, request_key(earlier.release_id))
    except SourceGone as error:
        raise Refused(f"What {earlier.release_id} deployed is not kept any more: {error}") from error
