"""The Slack secret: bot token and signing secret; they print as nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient


@dataclass(frozen=True)
class SlackSecret:
    """What the app needs to speak to Slack, and to know that Slack speaks."""

    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)

    @property
    def configured(self) -> bool:
        """Whether somebody has put a bot token in place of the placeholder the stack makes."""
        return self.bot_token.startswith("xox")


def slack_secret(client: SecretsManagerClient, secret_arn: str) -> SlackSecret:
    """Read the secret's current version."""
    with translated("secretsmanager"):
        text = client.get_secret_value(SecretId=secret_arn)["SecretString"]
    try:
        raw = json.loads(text)
    except ValueError:
        raw = {}
    raw = raw if isinstance(raw, dict) else {}
    return SlackSecret(str(raw.get("bot_token", "")), str(raw.get("signing_secret", "")))
