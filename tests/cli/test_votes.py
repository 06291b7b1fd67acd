"""``mlops approve --comment``, ``mlops withdraw`` and ``mlops why``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.installation import ApprovalPolicy
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway

TWO = ApprovalPolicy(((("ml-owner", 2),),))


@pytest.fixture
def waiting(mlops: Command, gateway: Gateway, configuration_file: Path) -> str:
    """A release that waits for two owners in staging."""
    dev, staging, prod = gateway.world.installation.stages
    stages = (dev, replace(staging, approval=TWO), prod)
    gateway.world.installation = replace(gateway.world.installation, stages=stages)
    return str(mlops.json("release", str(configuration_file))["release_id"])


def test_a_comment_is_kept_and_the_vote_taken_back(mlops: Command, gateway: Gateway, waiting: str) -> None:
    assert mlops("approve", waiting, "--yes", "--comment", "Looks good.", person="ben").exit_code == 0
    (vote,) = gateway.world.approval(waiting, "staging").votes
    assert vote.reason == "Looks good."
    assert "Looks good." in mlops("status", waiting).stdout
    taken = mlops("withdraw", waiting, person="ben")
    assert taken.exit_code == 0, taken.output
    assert "is withdrawn" in taken.output
    assert gateway.world.approval(waiting, "staging").votes == ()
    assert "withdr" in mlops("status", waiting).stdout
    refused = mlops("withdraw", waiting, person="ana")
    assert refused.exit_code == 1
    assert "no vote to withdraw" in refused.output


def test_why_says_who_could_help(mlops: Command, waiting: str) -> None:
    mlops("approve", waiting, "--yes", person="ben")
    told = mlops("why", waiting)
    assert told.exit_code == 0, told.output
    assert "1 × ml-owner (Chloé Martin or Dev Patel)" in told.stdout
    asked = mlops.json("why", waiting)
    assert asked["release_id"] == waiting
    assert [one["stage"] for one in asked["waits_for"]] == ["staging"]
    assert mlops("why", "no-such-release").exit_code == 1
