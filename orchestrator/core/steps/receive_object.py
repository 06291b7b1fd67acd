"""Everything written to the assets bucket, sorted: a configuration, something that workloads use, or nobody's.

Most of what lies in the bucket is nobody's business yet: a model that no configuration names, a folder's marker, an
export of the product itself. It costs two queries that find nothing, and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core import events
from orchestrator.core.errors import UnversionedObject
from orchestrator.core.ports import Store
from orchestrator.core.steps.receive_asset import receive_asset, users_of_key
from orchestrator.core.steps.receive_request import receive_upload, refuse_upload
from orchestrator.core.steps.start_releases import NOTHING, Receipt, Reception


def receive_object(event: Mapping[str, Any], store: Store, reception: Callable[[], Reception]) -> Receipt:
    """Receive an "Object Created" event; ``reception`` is made only where somebody asked for something.

    An object without a version, in another bucket, or under a key that climbs out of its folder cannot be released
    whatever is in it; it is refused where it is a configuration, or in use. Raises ``BadRequest`` for another shape.
    """
    bucket, key = events.place_of(event)
    configuration = events.is_configuration(key)
    users = () if configuration else users_of_key(key, store)
    if not configuration and not users:
        return NOTHING
    receiving = reception()
    why = _unfit(bucket, key, receiving.assets_bucket)
    if not why:
        try:
            upload = events.upload(event)
        except UnversionedObject as error:
            why = str(error)
        else:
            return receive_upload(upload, receiving) if configuration else receive_asset(upload, users, receiving)
    return refuse_upload(bucket, key, str(event.get("id", "")), why, receiving)


def _unfit(bucket: str, key: str, assets_bucket: str) -> str:
    """Why nothing can be released from there; empty when it can."""
    if bucket != assets_bucket:
        return f"s3://{bucket}/{key} is not in the assets bucket. Upload it to s3://{assets_bucket}."
    if {".", ".."} & set(key.split("/")):
        return f'The key "{key}" has a part that is only dots. Upload the file under a key without such parts.'
    return ""
