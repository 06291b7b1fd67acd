"""The way in, as the routes that start something use it."""

from __future__ import annotations

from functions.api.service import Service
from orchestrator.core.steps.start_releases import Reception


def reception_of(service: Service) -> Reception:
    """The collaborators of the way in."""
    world, env = service.world, service.env
    return Reception(
        store=world.store,
        objects=world.objects,
        tasks=world.tasks,
        catalogue=world.catalogue,
        installation=world.installation,
        registry=world.registry,
        assets_bucket=env.assets_bucket,
        packages_bucket=env.packages_bucket,
        cards=world.cards,
        multi_machine_arn=env.multi_machine_arn,
        single_machine_arn=env.single_machine_arn,
        now=world.now,
    )
