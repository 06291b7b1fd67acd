"""Functions that die after any call of a release through CodePipeline, and run again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from orchestrator.core.errors import TryAgain
from orchestrator.core.records import Release, Status, TaskToken
from tests.fakes.dying import Countdown, DyingPort, dying_after
from tests.fakes.machine import Died
from tests.fakes.memory_world import (
    MemoryWorld,
    configuration,
)
from tests.fakes.pipelines import PipedAccounts, piped
from tests.steps import journeys
from tests.steps.journeys import STACK
from tests.steps.runs_of_pipelines import pipelines
from tests.steps.test_crashes import whole_release


def stale(world: MemoryWorld) -> Release:
    """Approved, and the stack has moved since."""
    journeys.live(world)
    release = journeys.approved(world, configuration(inference_instance="ml.m5.2xlarge"))
    world.stacks("staging").somebody_else_deploys(STACK)
    return release


def what_stands(world: MemoryWorld) -> dict[str, object]:
    stages = world.installation.stage_names
    found = pipelines(world)
    return {
        "rows": sorted(repr(row) for row in world.memory.rows.values()),
        "stacks": {stage: repr(world.stacks(stage).stacks) for stage in stages},
        "executed": {stage: world.stacks(stage).executed for stage in stages},
        "executions": repr(found.executions),
        "told": found.answers,
        "answers": sorted(map(repr, world.fake_tasks.answers.values())),
    }


def counted_by(countdown: Countdown, port: object) -> DyingPort:
    return DyingPort(port, countdown)


def uncounted(port: object) -> object:
    return port


STEPS: dict[str, tuple[Callable[[MemoryWorld], Release], Callable[[MemoryWorld, str, TaskToken], object]]] = {
    "package": (lambda world: world.release(), lambda world, release, token: world.package(release)),
    "plan first": (journeys.packaged, lambda world, release, token: world.plan(release, "dev")),
    "plan": (journeys.in_dev, lambda world, release, token: world.plan(release, "staging")),
    "deploy without approval": (journeys.packaged, lambda world, release, token: world.deploy(release, "dev", token)),
    "deploy": (journeys.approved, lambda world, release, token: world.deploy(release, "staging", token)),
    "deploy, stale": (stale, lambda world, release, token: world.deploy(release, "staging", token)),
    "end, expired": (journeys.asked, lambda world, release, token: world.end(release, Status.EXPIRED)),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_died_and_ran_again_ends_like_one_that_did_not(name: str) -> None:
    prepare, step = STEPS[name]

    def prepared() -> tuple[MemoryWorld, str]:
        world = piped()
        release_id = prepare(world).release_id
        world.clock.look = timedelta(0)
        return world, release_id

    undisturbed, release_id = prepared()
    step(undisturbed, release_id, TaskToken("live"))
    undisturbed.sweep()
    wanted = what_stands(undisturbed)
    for calls in range(1, 300):
        world, release_id = prepared()
        accounts = world.accounts
        assert isinstance(accounts, PipedAccounts)
        try:
            with suppress(TryAgain), dying_after(world, calls) as countdown:
                accounts.wrap = partial(counted_by, countdown)
                step(world, release_id, TaskToken("dead"))
        except Died:
            world.fake_tasks.retired.add("dead")
            world.fake_tasks.answers.pop("dead", None)
        accounts.wrap = uncounted
        if countdown.left > 0:
            assert calls > 2
            return
        step(world, release_id, TaskToken("live"))
        world.sweep()
        assert what_stands(world) == wanted, f"after dying at call {calls}: {countdown.made[-1]}"
    raise AssertionError("the step never ends")


def counted_release(world: MemoryWorld, calls: int) -> int:
    """``test_crashes.whole_release``, with what is called of CodePipeline."""
    accounts = world.accounts
    assert isinstance(accounts, PipedAccounts)

    def begun(countdown: Countdown) -> None:
        accounts.wrap = partial(counted_by, countdown)

    try:
        return whole_release(world, calls, begun)
    finally:
        accounts.wrap = uncounted


def test_a_whole_release_survives_a_death_anywhere() -> None:
    def left(world: MemoryWorld) -> dict[str, object]:
        found = what_stands(world)
        return {part: found[part] for part in ("rows", "stacks", "executed", "executions")}

    undisturbed = piped()
    undisturbed.clock.look = timedelta(0)
    made = counted_release(undisturbed, 10_000)
    wanted = left(undisturbed)
    assert "status=<Status.SUCCEEDED" in str(wanted["rows"])
    assert len(pipelines(undisturbed).executions) == 1
    for calls in range(1, made + 1):
        world = piped()
        world.clock.look = timedelta(0)
        counted_release(world, calls)
        assert left(world) == wanted, f"after dying at call {calls} of {made}"
