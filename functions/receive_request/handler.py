"""Target of the rule for uploaded configurations, with a dead-letter queue behind it."""

from __future__ import annotations

from typing import Any

from functions.receive_request.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core import events
from orchestrator.core.errors import UnversionedObject
from orchestrator.core.steps.receive_request import receive_upload, refuse_upload
from orchestrator.core.steps.start_releases import Receipt, Reception


@step("receive_request", shows=("releases",))
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Start the releases of one uploaded configuration; answers their ids and whether it was a duplicate."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    reception = Reception(
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
    receipt = _receive(event, reception)
    return {
        "outcome": "duplicate" if receipt.duplicate else "received",
        "releases": [release.release_id for release in receipt.releases],
    }


def _receive(event: dict[str, Any], reception: Reception) -> Receipt:
    """An upload without a version is told to people; trying it again would not help."""
    try:
        return receive_upload(events.upload(event), reception)
    except UnversionedObject as error:
        detail = event["detail"]
        where = detail["bucket"]["name"], detail["object"]["key"]
        return refuse_upload(*where, str(event.get("id", "")), str(error), reception)
