"""State RunJobDev, RunJobStaging, RunJobProd, RunJob."""

from __future__ import annotations

from typing import Any

from functions.run_job.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.records import TaskToken
from orchestrator.core.steps.run_job import run_job


@step("run_job")
def handler(event: dict[str, Any]) -> None:
    """Start the workload's job, if it has one; the task is answered when the job has ended."""
    env = load(Env)
    world = World(env.table_name, env.settings_parameter, event["release_id"])
    run_job(
        event["release_id"],
        event["stage"],
        TaskToken(event["task_token"]),
        store=world.store,
        objects=world.objects,
        accounts=world.accounts,
        tasks=world.tasks,
        packages_bucket=env.packages_bucket,
        now=world.now,
    )
