"""The installation's settings from their SSM parameter, read at most once a minute in a process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated
from orchestrator.core.installation import Installation

if TYPE_CHECKING:
    from types_boto3_ssm.client import SSMClient

FRESH_SECONDS = 60

_known: dict[str, tuple[float, Installation]] = {}


def installation(client: SSMClient, parameter: str) -> Installation:
    """The settings; a change of approvers holds within a minute, without a deployment of functions."""
    known = _known.get(parameter)
    if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    with translated("ssm"):
        text = client.get_parameter(Name=parameter)["Parameter"]["Value"]
    found = Installation.from_json(text)
    _known[parameter] = (time.monotonic(), found)
    return found
