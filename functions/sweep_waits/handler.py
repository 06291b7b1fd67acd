"""Target of the schedule: every minute."""

from __future__ import annotations

from typing import Any

from functions.sweep_waits.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.steps.executions import Machines
from orchestrator.core.steps.sweep_waits import sweep_waits


@step("sweep_waits", shows=("open", "settled", "answered", "reminded", "outside", "mended", "failures"))
def handler(event: dict[str, Any]) -> dict[str, object]:
    """Settle waits whose event was lost, mend releases whose execution is gone; answers counts, the releases, and a
    sentence for each thing that could not be looked at."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    swept = sweep_waits(
        store=world.store,
        accounts=world.accounts,
        tasks=world.tasks,
        outcomes=world.outcomes(env.record_outcome_function),
        machines=Machines(env.multi_machine_arn, env.single_machine_arn),
        now=world.now,
    )
    return {
        "outcome": "swept",
        "open": swept.open,
        "settled": swept.settled,
        "answered": swept.answered,
        "reminded": swept.reminded,
        "outside": swept.outside,
        "mended": list(swept.mended),
        "failures": list(swept.failures),
    }
