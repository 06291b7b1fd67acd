"""The REST API: API Gateway has authenticated the caller by IAM before this runs."""

from __future__ import annotations

from typing import Any

from functions.api.env import Env
from functions.api.routes import respond
from functions.api.service import Service
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World


@step("api", shows=("statusCode",))
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Answer one request (API Gateway REST proxy event, payload format 1.0)."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    return respond(event, Service(world=world, env=env))
