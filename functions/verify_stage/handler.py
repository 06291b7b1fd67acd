"""State VerifyDev, VerifyStaging, VerifyProd, Verify."""

from __future__ import annotations

from typing import Any

from functions.verify_stage.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.steps.verify_stage import verify_stage


@step("verify_stage")
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Check what was deployed; answers ``{"outcome": "verified"}``."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter, event["release_id"])
    return verify_stage(
        event["release_id"],
        event["stage"],
        store=world.store,
        objects=world.objects,
        accounts=world.accounts,
        packages_bucket=env.packages_bucket,
        now=world.now,
    )
