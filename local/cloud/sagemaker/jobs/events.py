"""State change events of jobs and pipeline executions, on the default bus of their account.

Their shapes are the Amazon SageMaker Developer Guide's, "Events that Amazon SageMaker AI sends to Amazon EventBridge".
The guide has none for Autopilot; that event is made in the likeness of the others, and nobody should depend on it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from local.cloud.contract import Seam
from local.cloud.faults import FAULTS

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.eventbridge", "_put_events", ("data", "allow_aws_source")),
)


def send(
    account: str,
    region: str,
    detail_type: str,
    detail: dict[str, Any],
    resources: Sequence[str],
    source: str = "aws.sagemaker",
) -> None:
    """Put one event, unless the events of jobs are lost just now."""
    from ministack.core import responses
    from ministack.services import eventbridge

    if not FAULTS.job_events:
        return
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": list(resources),
    }
    with responses.request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def instant(seconds: float) -> str:
    """``2021-03-15T16:10:10Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def milliseconds(value: Any, name: str = "") -> Any:
    """A description with its times as the events of jobs have them: milliseconds since 1970."""
    if isinstance(value, dict):
        return {key: milliseconds(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [milliseconds(inner, name) for inner in value]
    return int(value * 1000) if name.endswith("Time") and isinstance(value, int | float) else value
