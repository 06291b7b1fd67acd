"""The Slack secret: bot token and signing secret; they print as nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
    """Read the secret's current version; one that is no JSON object with both texts counts as not configured."""
    try:
        raw = json.loads(secret_text(client, secret_arn))
    except ValueError:
        raw = {}
    return SlackSecret(_text(raw, "bot_token"), _text(raw, "signing_secret"))


def secret_text(client: SecretsManagerClient, secret_arn: str) -> str:
    """The current version as it was written; empty where it is no text."""
    with translated("secretsmanager"):
        return client.get_secret_value(SecretId=secret_arn).get("SecretString", "")


def _text(raw: Any, name: str) -> str:
    value = raw.get(name) if isinstance(raw, dict) else None
    return value if isinstance(value, str) else ""
