"""What the stack tells the front."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``."""

    queue_url: str
    slack_secret_arn: str
    slack_api_url: str
    """The installation's ``slack_api_url``: the front opens dialogs itself, and reading it from the settings parameter
    would cost a cold start another call."""
