"""The way in of everything else in the assets bucket: a new model, sample or data set of workloads that use it."""

from __future__ import annotations

from orchestrator.core.config import Checked
from orchestrator.core.errors import SourceGone
from orchestrator.core.events import Upload
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import UNKNOWN
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.receive_request import claimed_requester, note_upload
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.releases_by_use import Something, release_users
from orchestrator.core.steps.start_releases import refuse

OVERTAKEN = "A newer version of the file had been uploaded before this one's turn came."


def receive_asset(upload: Upload, users: tuple[str, ...], reception: Reception) -> Receipt:
    """Start a release of every workload that uses the object, pinned to this version of it.

    A version that is not the newest any more is superseded from the start: what was uploaded after it may be live
    already, by a configuration's release, and its own event has come or will come.
    """
    source = Source(SourceKind.ASSET, upload.bucket, upload.key, upload.version_id)
    moment, overtaken = note_upload(upload, reception)
    try:
        described = reception.objects.describe(upload.bucket, upload.key, upload.version_id)
    except SourceGone as error:
        return refuse(source, UNKNOWN, [f"The file was deleted before it was read: {error}"], reception)
    new = Something(
        source=source,
        requester=claimed_requester(dict(described.metadata)),
        pin=(upload.key, upload.version_id),
        used_by=lambda checked: _uses(checked, upload.key),
        overtaken=lambda: OVERTAKEN if overtaken or _overtaken_in_bucket(upload, reception) else "",
        asked_at=stamp(moment),
    )
    return release_users(users, new, reception)


def _overtaken_in_bucket(upload: Upload, reception: Reception) -> bool:
    """Whether the bucket holds a newer version. One that was deleted since leaves this one as it was asked for."""
    try:
        return reception.objects.describe(upload.bucket, upload.key).version_id != upload.version_id
    except SourceGone:
        return False


def _uses(checked: Checked, key: str) -> bool:
    """What the workload's own job has written below its input is no new input: it would start itself for ever."""
    if any(asset.key == key for asset in checked.assets):
        return True
    written = key.startswith(checked.outputs)
    return not written and any(asset.or_prefix and key.startswith(asset.key) for asset in checked.assets)
