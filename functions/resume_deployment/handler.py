"""Target of the rules for status events that the stage accounts forward."""

from __future__ import annotations

from typing import Any

from functions.resume_deployment.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core import events
from orchestrator.core.steps.resume_deployment import resume_deployment


@step("resume_deployment", shows=("ended", "outside"))
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Resume what waits for the stack or job of the event; answers how many waits have ended,
    and how many questions were answered outside the policy."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    resumed = resume_deployment(
        events.status(event), store=world.store, accounts=world.accounts, tasks=world.tasks, now=world.now
    )
    told = "resumed" if resumed.ended or resumed.outside else "nothing to resume"
    return {"outcome": told, "ended": resumed.ended, "outside": resumed.outside}
