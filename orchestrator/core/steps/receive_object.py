"""Everything written to the assets bucket, sorted: a configuration, something that workloads use, or nobody's.

Most of what lies in the bucket is nobody's business yet: a model that no configuration names, a folder's marker, an
export of the product itself. It costs two queries that find nothing, and leaves no trace; what checks configurations
is imported by the first object that somebody wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core import events
from orchestrator.core.errors import UnversionedObject
from orchestrator.core.steps.receipts import NOTHING, Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.uses import users_of_key


def receive_object(event: Mapping[str, Any], reception: Reception) -> Receipt:
    """Receive an "Object Created" event.

    An object without a version, in another bucket, or under a key that climbs out of its folder cannot be released
    whatever is in it; it is refused where it is a configuration, or in use. Raises ``BadRequest`` for another shape.
    """
    bucket, key = events.place_of(event)
    configuration = events.is_configuration(key)
    users = () if configuration else users_of_key(key, reception.store)
    if not configuration and not users:
        return NOTHING
    from orchestrator.core.steps.receive_asset import receive_asset
    from orchestrator.core.steps.receive_request import receive_upload, refuse_upload

    why = _unfit(bucket, key, reception.assets_bucket)
    if not why:
        try:
            upload = events.upload(event)
        except UnversionedObject as error:
            why = str(error)
        else:
            return receive_upload(upload, reception) if configuration else receive_asset(upload, users, reception)
    return refuse_upload(bucket, key, str(event.get("id", "")), why, reception)


def _unfit(bucket: str, key: str, assets_bucket: str) -> str:
    """Why nothing can be released from there; empty when it can."""
    if bucket != assets_bucket:
        return f"s3://{bucket}/{key} is not in the assets bucket. Upload it to s3://{assets_bucket}."
    if {".", ".."} & set(key.split("/")):
        return f'The key "{key}" has a part that is only dots. Upload the file under a key without such parts.'
    return ""
