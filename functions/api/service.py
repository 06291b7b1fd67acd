"""What the routes work with, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.api.env import Env
from orchestrator.aws.world import World
from orchestrator.core.records import Approval, Release, StageRecord
from orchestrator.core.steps.progress import approval_of


@dataclass(frozen=True)
class Service:
    """The world of one invocation."""

    world: World
    env: Env

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
