"""S3's EventBridge events carry the version of the object, as AWS sends it for a versioned bucket.

The requester of an upload from another account is that account; the emulator names the bucket's owner.
"""

from __future__ import annotations

import functools
import json
from contextvars import ContextVar
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import caller_arn

SEAMS = (
    Seam("ministack.services.s3", "_fire_s3_event", ("bucket_name", "key", "event_name")),
    Seam("ministack.services.eventbridge", "_dispatch_event", ("event", "view")),
)

_version: ContextVar[str] = ContextVar("object_version", default="")


def install() -> None:
    """Pass the version from where S3 makes the event to where EventBridge gets it."""
    from ministack.services import eventbridge, s3

    fire = s3._fire_s3_event
    dispatch = eventbridge._dispatch_event

    @functools.wraps(fire)
    def fired(*arguments: Any, **more: Any) -> None:
        token = _version.set(more.get("version_id") or "")
        try:
            fire(*arguments, **more)
        finally:
            _version.reset(token)

    @functools.wraps(dispatch)
    def dispatched(event: dict[str, Any], view: Any = None) -> Any:
        if event.get("Source") == "aws.s3" and view is None:
            event = {**event, "Detail": _with_version(event["Detail"])}
        return dispatch(event, view)

    s3._fire_s3_event = fired
    eventbridge._dispatch_event = dispatched


def _with_version(text: str) -> str:
    detail = json.loads(text)
    version = _version.get()
    if version and "object" in detail:
        detail["object"].setdefault("version-id", version)
    account = caller_arn().split(":")[4:5]
    if account and account[0].isdigit():
        detail["requester"] = account[0]
    return json.dumps(detail)
