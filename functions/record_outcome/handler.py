"""The named ends: Succeeded, Unchanged, Rejected, Expired, Superseded, RecordFailure."""

from __future__ import annotations

from typing import Any

from functions.record_outcome.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.records import Status
from orchestrator.core.steps.record_outcome import record_outcome


@step("record_outcome", shows=("outside",))
def handler(event: dict[str, Any]) -> dict[str, object]:
    """End the release; answers its outcome, and error and reason for the Fail state.

    ``failure`` is Step Functions' error output as it is: one without a Cause, as of a time-out, has no such member.
    """
    env = load(Env)
    world = World(env.table_name, env.settings_parameter, event["release_id"])
    failure = event.get("failure", {})
    return record_outcome(
        event["release_id"],
        Status(event["outcome"]),
        error=failure.get("Error", ""),
        cause=failure.get("Cause", ""),
        store=world.store,
        accounts=world.accounts,
        now=world.now,
    )
