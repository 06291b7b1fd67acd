"""Target of the rules for what people upload, commit and approve, with a dead-letter queue behind it."""

from __future__ import annotations

from typing import Any

from functions.receive_request.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core import events
from orchestrator.core.model_versions import group_of
from orchestrator.core.steps.receipts import NOTHING, Receipt
from orchestrator.core.steps.receive_object import receive_object
from orchestrator.core.steps.reception import Reception
from orchestrator.core.uses import users_of_group

IGNORED = "ignored"
"""Outcome of an event that asks for nothing, as most uploads do: not worth a line in the log."""


@step("receive_request", shows=("releases",), unlogged=(IGNORED,))
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Start the releases that an event asks for; answers their ids and whether it was a duplicate."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    receipt = _receive(event, env, world, world.reception(env))
    if receipt == NOTHING:
        return {"outcome": IGNORED, "releases": []}
    return {
        "outcome": "duplicate" if receipt.duplicate else "received",
        "releases": [release.release_id for release in receipt.releases],
    }


def _receive(event: dict[str, Any], env: Env, world: World, reception: Reception) -> Receipt:
    """What people wrote, uploaded or approved; nothing for events that ask for nothing. Each way in, and with it what
    checks configurations, is imported by the first event that asks for something by it."""
    match events.kind_of(event):
        case (events.SAGEMAKER_SOURCE, events.MODEL_PACKAGE_CHANGE):
            change = events.model_package(event)
            users = users_of_group(world.store, group_of(change.arn))
            if not users:
                return NOTHING
            from orchestrator.core.steps.receive_model_package import receive_model_package

            return receive_model_package(change, users, reception)
        case (events.CODECOMMIT_SOURCE, events.REPOSITORY_STATE_CHANGE):
            from orchestrator.core.steps.receive_push import receive_push

            return receive_push(events.push(event), world.repositories, reception)
        case (events.CODEPIPELINE_SOURCE, events.EXECUTION_STATE_CHANGE):
            from orchestrator.core.steps.tell_unfetched import tell_unfetched

            return tell_unfetched(events.fetch_failed(event), world.pipelines, reception)
        case (events.S3_SOURCE, kind) if kind != events.S3_OBJECT_CREATED:
            return NOTHING
        case (events.S3_SOURCE, _) if env.commits_bucket and events.bucket_of(event) == env.commits_bucket:
            from orchestrator.core.steps.receive_archive import receive_archive

            return receive_archive(events.upload(event), world.pipelines, reception)
        case _:
            return receive_object(event, reception)
