"""Functions die after any call; run again, they reach the same end, and what they do to the world happens once.

For every step, and for a whole release, the k-th call of a port has its effect and the function is gone: k = 1, 2, …
until there are no more calls. Then the step runs again, as Step Functions would have it (with a new task token), and
the table, the stacks and the answers must be those of a run that nothing disturbed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.errors import GatesFailed, TryAgain
from orchestrator.core.events import StackChanged
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.records import Release, Status, TaskToken, Verdict
from tests.fakes.dying import Countdown, dying_after
from tests.fakes.machine import Died, Machines
from tests.fakes.memory_world import BEN, CHLOE, MemoryWorld, configuration, installation
from tests.steps import journeys
from tests.steps.journeys import STACK

MOST = 400
"""Calls of the longest run; more would be a fault of the test."""

Prepare = Callable[[MemoryWorld], str]
Step = Callable[[MemoryWorld, str, TaskToken], object]


def packaging(world: MemoryWorld) -> str:
    return world.release().release_id


def superseding(world: MemoryWorld) -> str:
    journeys.asked(world)
    return world.release(configuration(description="newer")).release_id


def unchanged(world: MemoryWorld) -> str:
    journeys.live(world)
    return world.release().release_id


def evaluated(world: MemoryWorld) -> str:
    journeys.live(world, journeys.evaluated(world, accuracy=0.965))
    return world.release(journeys.evaluated(world, accuracy=0.972028, auc=0.996226)).release_id


def gated(world: MemoryWorld, at_least: float) -> str:
    gates = [{"metric": "accuracy", "at_least": at_least, "not_worse_than_live_by": 0.5, "stages": ["staging"]}]
    journeys.live(world, journeys.evaluated(world, accuracy=0.965))
    better = configuration(metrics="fraud/evaluation.json", gates=gates, inference_instance="ml.m5.2xlarge")
    return journeys.in_dev(world, journeys.evaluated(world, better, accuracy=0.972028)).release_id


def plan_unless_stopped(world: MemoryWorld, release: str) -> None:
    with suppress(GatesFailed):
        world.plan(release, "staging")


def stopped(world: MemoryWorld) -> str:
    release_id = gated(world, 0.99)
    plan_unless_stopped(world, release_id)
    return release_id


def stale(world: MemoryWorld) -> str:
    release_id = journeys.approved(world).release_id
    world.stacks("staging").somebody_else_deploys(STACK)
    return release_id


def slow(world: MemoryWorld) -> str:
    world.stacks("dev").immediate = False
    return journeys.packaged(world).release_id


def failing(world: MemoryWorld) -> str:
    world.stacks("dev").fails_with = "no capacity"
    return journeys.packaged(world).release_id


def finished(world: MemoryWorld) -> str:
    release_id = slow(world)
    world.deploy(release_id, "dev", TaskToken("live"))
    world.stacks("dev").finish(STACK)
    return release_id


def rejected(world: MemoryWorld) -> str:
    release_id = journeys.asked(world).release_id
    world.vote(BEN, world.approval(release_id, "staging"), Verdict.REJECT, "because")
    return release_id


def half_approved(world: MemoryWorld) -> str:
    two = ApprovalPolicy(((("ml-owner", 2),),))
    world.installation = installation(
        *(
            replace(stage, approval=two if stage.name == "staging" else stage.approval)
            for stage in installation().stages
        )
    )
    release_id = journeys.asked(world).release_id
    world.vote(BEN, world.approval(release_id, "staging"))
    return release_id


def just(journey: Callable[[MemoryWorld], Release]) -> Prepare:
    return lambda world: journey(world).release_id


STEPS: dict[str, tuple[Prepare, Step]] = {
    "package": (packaging, lambda world, release, _: world.package(release)),
    "package, superseding": (superseding, lambda world, release, _: world.package(release)),
    "package, unchanged": (unchanged, lambda world, release, _: world.package(release)),
    "package, evaluated": (evaluated, lambda world, release, _: world.package(release)),
    "plan": (just(journeys.in_dev), lambda world, release, _: world.plan(release, "staging")),
    "plan, gates hold": (lambda world: gated(world, 0.9), lambda world, release, _: world.plan(release, "staging")),
    "plan, gates stop it": (
        lambda world: gated(world, 0.99),
        lambda world, release, _: plan_unless_stopped(world, release),
    ),
    "end, stopped by gates": (
        stopped,
        lambda world, release, _: world.end(release, Status.FAILED, "GatesFailed", "why"),
    ),
    "ask": (just(journeys.planned), lambda world, release, token: world.ask(release, "staging", token)),
    "vote": (just(journeys.asked), lambda world, release, _: world.vote(BEN, world.approval(release, "staging"))),
    "withdraw": (half_approved, lambda world, release, _: world.withdraw(BEN, world.approval(release, "staging"))),
    "deploy without approval": (
        just(journeys.packaged),
        lambda world, release, token: world.deploy(release, "dev", token),
    ),
    "deploy": (just(journeys.approved), lambda world, release, token: world.deploy(release, "staging", token)),
    "deploy, slow stack": (slow, lambda world, release, token: world.deploy(release, "dev", token)),
    "deploy, failing": (failing, lambda world, release, token: world.deploy(release, "dev", token)),
    "deploy, stale plan": (stale, lambda world, release, token: world.deploy(release, "staging", token)),
    "event": (
        finished,
        lambda world, release, _: world.happened(
            StackChanged(world.stacks("dev").stacks[STACK].stack_id, "CREATE_COMPLETE", "")
        ),
    ),
    "sweep": (finished, lambda world, release, _: world.sweep()),
    "verify": (just(journeys.in_dev), lambda world, release, _: world.verify(release, "dev")),
    "end, succeeded": (just(journeys.in_dev), lambda world, release, _: world.end(release, Status.SUCCEEDED)),
    "end, rejected": (rejected, lambda world, release, _: world.end(release, Status.REJECTED)),
    "end, expired": (just(journeys.asked), lambda world, release, _: world.end(release, Status.EXPIRED)),
    "end, failed": (just(journeys.approved), lambda world, release, _: world.end(release, Status.FAILED, "E", "why")),
}


def what_stands(world: MemoryWorld) -> dict[str, object]:
    """Everything that a run leaves behind. Tokens print as nothing, so two runs compare."""
    stages = world.installation.stage_names
    return {
        "rows": sorted(repr(row) for row in world.memory.rows.values()),
        "stacks": {stage: repr(world.stacks(stage).stacks) for stage in stages},
        "change sets": {stage: repr(world.stacks(stage).change_sets) for stage in stages},
        "executed": {stage: world.stacks(stage).executed for stage in stages},
        "started": dict(world.fake_tasks.started),
        "objects": {place: len(versions) for place, versions in world.buckets.versions.items()},
        "answers": sorted(map(repr, world.fake_tasks.answers.values())),
        "failures": sorted(map(repr, world.fake_tasks.failures.values())),
    }


def prepared(prepare: Prepare) -> tuple[MemoryWorld, str]:
    """A world in which time stands still from here on."""
    world = MemoryWorld()
    release_id = prepare(world)
    world.clock.look = timedelta(0)
    return world, release_id


def retire(world: MemoryWorld, token: TaskToken) -> None:
    """The task was tried again under another token; what the dead run had answered was never heard of."""
    tasks = world.fake_tasks
    tasks.retired.add(token.value)
    tasks.answers.pop(token.value, None)
    tasks.failures.pop(token.value, None)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_died_and_ran_again_ends_like_one_that_did_not(name: str) -> None:
    prepare, step = STEPS[name]
    undisturbed, release_id = prepared(prepare)
    with suppress(TryAgain):
        step(undisturbed, release_id, TaskToken("live"))
    wanted = what_stands(undisturbed)
    for calls in range(1, MOST):
        world, release_id = prepared(prepare)
        try:
            with suppress(TryAgain), dying_after(world, calls) as countdown:
                step(world, release_id, TaskToken("dead"))
        except Died:
            retire(world, TaskToken("dead"))
        if countdown.left > 0:
            assert calls > 2, "this step makes hardly any call"
            return
        with suppress(TryAgain):
            step(world, release_id, TaskToken("live"))
        world.sweep()
        assert what_stands(world) == wanted, f"after dying at call {calls}: {countdown.made[-1]}"
    raise AssertionError("the step never ends")


def whole_release(world: MemoryWorld, calls: int, begun: Callable[[Countdown], None] = lambda countdown: None) -> int:
    """A release from its request to its end, in which one function dies after this many calls; how many were made.

    ``begun`` has whatever else is called counted too.
    """
    machines = Machines(world)
    with dying_after(world, calls) as countdown:
        begun(countdown)
        for _ in range(2):
            with suppress(Died):
                release = world.release(request="the one")
        for stage, voter in (("staging", BEN), ("prod", CHLOE)):
            machines.settle()
            machines.settle()
            for _ in range(2):
                with suppress(Died):
                    world.vote(voter, world.approval(release.release_id, stage))
            with suppress(Died):
                world.sweep()
        machines.settle()
        machines.settle()
        with suppress(Died):
            world.sweep()
    return len(countdown.made)


def test_a_whole_release_survives_a_death_anywhere() -> None:
    undisturbed = MemoryWorld()
    undisturbed.clock.look = timedelta(0)
    made = whole_release(undisturbed, MOST * 10)
    wanted = what_stands(undisturbed)
    assert "status=<Status.SUCCEEDED" in str(wanted["rows"])
    for calls in range(1, made + 1):
        world = MemoryWorld()
        world.clock.look = timedelta(0)
        whole_release(world, calls)
        found = what_stands(world)
        for part in ("rows", "stacks", "change sets", "executed", "started", "objects"):
            assert found[part] == wanted[part], f"after dying at call {calls} of {made}: {part}"
