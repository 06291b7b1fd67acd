"""The way in of the Model Registry: a version that is approved is released, one that is rejected while live is told of.

SageMaker tells of one change many times, and of every other change of a version in the same words. So an event is a
hint: the version is asked how it stands, and what was seen last decides whether it was approved anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.core.config import Checked
from orchestrator.core.deliveries import Assessment, LatestApproval
from orchestrator.core.events import ModelPackageChanged
from orchestrator.core.model_versions import group_arn, group_of
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.ports import ModelVersion, Store
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import NOTHING, Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.references import COMPLETED
from orchestrator.core.steps.registered import APPROVED
from orchestrator.core.steps.releases_by_use import Something, release_users
from orchestrator.core.steps.start_releases import refuse
from orchestrator.core.steps.tell_rejected import tell_rejected
from orchestrator.core.upsert import upsert

REJECTED = "Rejected"
"""The other ModelApprovalStatus that something follows from."""

DECISIVE = frozenset({"ModelApprovalStatus", "ModelPackageStatus"})
"""What must have changed for a version to become one that can be released, or none any more."""


def receive_model_package(change: ModelPackageChanged, users: Sequence[str], reception: Reception) -> Receipt:
    """Start a release of every workload in ``users`` with this version, where it has become approved and is complete.

    A version that is gone when it is looked at is refused, so that whoever approved it is told.
    """
    owner = change.arn.split(":")[4:5]
    if not users or owner != [reception.installation.account]:
        return NOTHING
    version = reception.registry().version(change.arn)
    if version is None:
        source = Source(SourceKind.REGISTRY, key=change.arn, request="gone")
        return refuse(source, UNKNOWN, [f"There is no model package {change.arn} any more."], reception)
    approval_changed = change.changed is None or bool(DECISIVE & set(change.changed))
    if version.status != COMPLETED:
        return NOTHING
    number = _assessed(version, approval_changed, reception.store)
    if version.approval != APPROVED:
        _withdrawn(version.arn, reception.store)
    if version.approval == REJECTED:
        tell_rejected(version.arn, number, users, reception)
    if version.approval != APPROVED or not approval_changed:
        return NOTHING
    approval = LatestApproval(group_arn(version.arn), version.arn, f"{change.time}|{version.modified}")
    new = Something(
        source=Source(SourceKind.REGISTRY, key=version.arn, request=f"approval {number}"),
        requester=_approver(version),
        pin=(group_arn(version.arn), version.arn),
        used_by=lambda checked: _names(checked, group_of(version.arn)),
        overtaken=lambda: _overtaken(approval, reception.store),
        asked_at=stamp(reception.now()),
    )
    return release_users(users, new, reception)


def _assessed(version: ModelVersion, approval_changed: bool, store: Store) -> int:
    """Number of the approval or rejection that stands.

    Another approval than the one seen last is a new one. So is the same one, where the event says that it has changed
    and the version was changed since: it was taken back and given again in between.
    """
    fresh = Assessment(version.arn, version.approval, version.modified)

    def assess(known: Assessment) -> Assessment:
        given_again = approval_changed and version.modified != known.modified
        number = known.number + (version.approval != known.approval or given_again)
        return replace(known, approval=version.approval, modified=version.modified, number=number)

    return upsert(store, fresh, assess).number


def _overtaken(this: LatestApproval, store: Store) -> str:
    """Why this approval comes too late: one that was given after it has been received already. Events come in any
    order; whoever approves an older version after a newer one means it."""

    def latest(known: LatestApproval) -> LatestApproval:
        return this if not known.arn or this.approved_at >= known.approved_at else known

    stands = upsert(store, this, latest)
    return f"{stands.arn} was approved after this version." if stands.arn != this.arn else ""


def _withdrawn(arn: str, store: Store) -> None:
    """A version that is not approved any more stands in no other's way."""
    key = LatestApproval(group_arn(arn), "", "").key()
    if store.get(LatestApproval, key) is not None:
        store.update(LatestApproval, key, lambda known: replace(known, arn="") if known.arn == arn else known)


def _approver(version: ModelVersion) -> Identity:
    """Whoever changed the version last: its approver, unless somebody changed something else at once. A claim."""
    if not version.modified_by:
        return UNKNOWN
    return Identity(IdentityKind.IAM, version.modified_by, verified=False)


def _names(checked: Checked, group: str) -> bool:
    return any(group_of(arn) == group for arn in checked.model_packages)
