"""What the stack tells this function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``."""

    settings_parameter: str
    slack_secret_arn: str
    slack_request_url: str
    topic_arn: str
