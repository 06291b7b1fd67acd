"""State Package."""

from __future__ import annotations

from typing import Any

from functions.package.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.plans import ArtifactStore
from orchestrator.core.steps.package import package


@step("package")
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Write the release's immutable package; answers ``{"outcome": "packaged"}`` or ``{"outcome": "unchanged"}``."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    return package(
        event["release_id"],
        store=world.store,
        objects=world.objects,
        tasks=world.tasks,
        registry=lambda: world.registry,
        catalogue=world.catalogue,
        pipelines=lambda: world.workload_pipelines,
        installation=world.installation,
        assets_bucket=env.assets_bucket,
        packages_bucket=env.packages_bucket,
        packages_key_arn=env.packages_key_arn,
        artifacts=ArtifactStore(env.artifacts_bucket, env.artifacts_key_arn),
        now=world.now,
    )
