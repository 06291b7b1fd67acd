"""State WaitForStagingApproval, WaitForProdApproval, WaitForApproval."""

from __future__ import annotations

from typing import Any

from functions.request_approval.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.records import TaskToken
from orchestrator.core.steps.request_approval import request_approval


@step("request_approval")
def handler(event: dict[str, Any]) -> None:
    """Ask people; the task is answered by their decision."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    request_approval(
        event["release_id"],
        event["stage"],
        TaskToken(event["task_token"]),
        store=world.store,
        tasks=world.tasks,
        installation=world.installation,
        now=world.now,
    )
