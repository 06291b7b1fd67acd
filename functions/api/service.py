"""What the routes work with, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.api.env import Env
from orchestrator.aws.user_groups import SlackUserGroups
from orchestrator.aws.world import World
from orchestrator.core.records import Approval, Release, StageRecord
from orchestrator.core.steps.progress import approval_of


@dataclass(frozen=True)
class Service:
    """The world of one invocation."""

    world: World
    env: Env

    @property
    def user_groups(self) -> SlackUserGroups:
        """Slack's user groups. The Slack secret is read when a policy names one: the function may not else."""

        def token() -> str:
            from orchestrator.aws.clients import client
            from orchestrator.aws.secrets import slack_secret

            secret = slack_secret(client("secretsmanager"), self.env.slack_secret_arn)
            return secret.bot_token if secret.configured else ""

        return SlackUserGroups(token, self.world.installation.slack_api_url)

    def progress(self, release: Release) -> tuple[tuple[StageRecord, ...], dict[str, Approval]]:
        """A release's stages, and their approvals by id."""
        store = self.world.store
        stages = store.under(StageRecord, f"RELEASE#{release.release_id}")
        found = [approval_of(store, record.approval_id) for record in stages if record.approval_id]
        return stages, {approval.approval_id: approval for approval in found if approval}


@dataclass(frozen=True)
class Answer:
    """A status, and a JSON object."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def for_gateway(self) -> dict[str, Any]:
        """As API Gateway's proxy integration takes it."""
        return {
            "statusCode": self.status,
            "headers": {"Content-Type": "application/json", **self.headers},
            "isBase64Encoded": False,
            "body": json.dumps(self.body),
        }
