"""State DeployDev, DeployStaging, DeployProd, Deploy."""

from __future__ import annotations

from typing import Any

from functions.deploy_stage.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.records import TaskToken
from orchestrator.core.steps.deploy_stage import deploy_stage


@step("deploy_stage")
def handler(event: dict[str, Any]) -> None:
    """Execute the stage's plan; the task is answered when the stack has settled."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter, event["release_id"])
    deploy_stage(
        event["release_id"],
        event["stage"],
        TaskToken(event["task_token"]),
        store=world.store,
        objects=world.objects,
        accounts=world.accounts,
        tasks=world.tasks,
        registry=lambda: world.registry,
        installation=world.installation,
        packages_bucket=env.packages_bucket,
        now=world.now,
    )
