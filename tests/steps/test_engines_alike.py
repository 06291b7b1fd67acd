"""Whichever engine deploys: what people read of a release is the same, but for the link to its pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from orchestrator.core import views
from orchestrator.core.messages.mail import end_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import Approval, Release, StageRecord, Status, Verdict
from orchestrator.core.steps.notify_release import gather
from tests.fakes.memory_world import BEN, MemoryWorld, configuration
from tests.fakes.pipelines import piped
from tests.steps import journeys

NAME = "mlops-deploy-fraud-detector-realtime"
PAGE = f"https://us-east-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/{NAME}/view?region=us-east-1"
DIGEST = re.compile(r"\b[0-9a-f]{8,64}\b")
"""Of plans, which are bound to the name of their change set, and ids that are made of them."""
LINK = f" in CodePipeline <{PAGE}|{NAME}>"


def rejected(world: MemoryWorld) -> Release:
    release = journeys.asked(world)
    world.vote(BEN, world.approval(release.release_id, "staging"), Verdict.REJECT, "not today")
    world.end(release.release_id, Status.REJECTED)
    return world.of(release.release_id)


def ended(world: MemoryWorld, outcome: Status) -> Release:
    release = journeys.asked(world)
    world.end(release.release_id, outcome, "E", "why")
    return world.of(release.release_id)


def stale(world: MemoryWorld) -> Release:
    journeys.live(world)
    release = journeys.approved(world, configuration(inference_instance="ml.m5.2xlarge"))
    world.stacks("staging").somebody_else_deploys(journeys.STACK)
    world.deploy(release.release_id, "staging")
    return world.of(release.release_id)


def rolled_back(world: MemoryWorld) -> Release:
    release = journeys.approved(world)
    world.stacks("staging").fails_with = "Endpoint (AWS::SageMaker::Endpoint): no capacity"
    world.deploy(release.release_id, "staging")
    world.end(release.release_id, Status.FAILED, "DeploymentFailed", world.stacks("staging").fails_with)
    return world.of(release.release_id)


POINTS: Mapping[str, Callable[[MemoryWorld], Release]] = {
    "packaged": journeys.packaged,
    "in dev": journeys.in_dev,
    "asked": journeys.asked,
    "approved": journeys.approved,
    "planned anew": stale,
    "live": journeys.live,
    "rejected": rejected,
    "expired": lambda world: ended(world, Status.EXPIRED),
    "superseded": lambda world: ended(world, Status.SUPERSEDED),
    "rolled back": rolled_back,
}


def shown(world: MemoryWorld, release: Release) -> dict[str, Any]:
    """What Slack, the API and an e-mail tell."""
    facts = gather(release.release_id, world.store, world.installation)
    message = release_message(facts)
    stages = world.memory.under(StageRecord, f"RELEASE#{release.release_id}")
    approvals = {
        one.approval_id: world.store.get(Approval, (f"APPROVAL#{one.approval_id}", "APPROVAL"))
        for one in stages
        if one.approval_id
    }
    known = {name: found for name, found in approvals.items() if found is not None}
    told = {
        "slack": json.dumps([message.text, message.blocks], ensure_ascii=False),
        "mail": end_letter(facts).text,
        "api": views.detail(world.of(release.release_id), stages, known, world.installation),
    }
    found: dict[str, Any] = json.loads(DIGEST.sub("#", json.dumps(told)))
    return found


@pytest.mark.parametrize("point", POINTS)
def test_what_people_read_is_the_same_but_for_the_link(point: str) -> None:
    ours, theirs = MemoryWorld(), piped()
    direct, through = (shown(world, POINTS[point](world)) for world in (ours, theirs))
    started = point != "packaged"
    assert through["slack"].count(LINK) == started
    assert through["slack"].replace(LINK, "") == direct["slack"]
    assert through["mail"] == direct["mail"]
    pipeline = through["api"].pop("pipeline")
    assert direct["api"].pop("pipeline") is None
    assert through["api"] == direct["api"]
    if started:
        assert pipeline["name"] == NAME
        assert pipeline["execution_id"].startswith("execution-")
        assert pipeline["console"] == PAGE
    else:
        assert pipeline is None
