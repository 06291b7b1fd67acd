"""What the stack tells this function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``."""

    table_name: str
    settings_parameter: str
    slack_secret_arn: str
    topic_arn: str
    slack_queue_url: str
    """The Slack worker's, which draws Homes."""
