"""State PlanStaging, PlanProd, Plan."""

from __future__ import annotations

from typing import Any

from functions.plan_stage.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.steps.plan_stage import plan_stage


@step("plan_stage")
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Plan the stage; answers ``{"outcome": "planned", "expires_in_seconds": …, "empty": …}``."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter, event["release_id"])
    return plan_stage(
        event["release_id"],
        event["stage"],
        store=world.store,
        objects=world.objects,
        accounts=world.accounts,
        registry=lambda: world.registry,
        installation=world.installation,
        packages_bucket=env.packages_bucket,
        now=world.now,
    )
