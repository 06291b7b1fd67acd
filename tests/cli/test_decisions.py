"""``mlops approve`` and ``reject``: a vote is about what the voter was shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.screen import Screen
from orchestrator.core.records import Status
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway
from tests.fakes.memory_world import configuration
from tests.steps import journeys


@pytest.fixture
def waiting(mlops: Command, configuration_file: Path) -> str:
    """A release that waits for the approval of staging."""
    return str(mlops.json("release", str(configuration_file))["release_id"])


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits at a terminal and can be asked."""
    monkeypatch.setattr(Screen, "interactive", True)


def votes(gateway: Gateway) -> list[dict[str, Any]]:
    """Bodies of the votes that were sent."""
    return [json.loads(request.body) for request in gateway.received if request.path.endswith("/decision")]


@pytest.mark.usefixtures("terminal")
def test_the_plan_is_shown_and_its_digest_sent(mlops: Command, gateway: Gateway, waiting: str) -> None:
    plan = gateway.world.stage(waiting, "staging").plan
    assert plan is not None
    result = mlops("approve", waiting, person="ben", stdin="y\n")
    assert result.exit_code == 0, result.output
    assert "+ Endpoint" in result.stdout
    assert "Approve this for staging?" in result.output
    assert votes(gateway) == [{"decision": "approve", "stage": "staging", "digest": plan.digest, "reason": ""}]
    assert "approved for staging by Ben Okafor" in result.stdout
    assert gateway.world.of(waiting).stage == "prod"


@pytest.mark.usefixtures("terminal")
def test_the_figures_are_shown_before_it_is_asked(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    file.write_text(json.dumps(journeys.evaluated(gateway.world, accuracy=0.972028)))
    release_id = str(mlops.json("release", str(file))["release_id"])
    shown = mlops("approve", release_id, person="ben", stdin="n\n").output
    assert shown.index("Metrics      accuracy 0.972\n") < shown.index("Approve this for staging?")


@pytest.mark.usefixtures("terminal")
def test_the_gates_are_shown_before_it_is_asked(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    gates = [{"metric": "accuracy", "at_least": 0.98, "on_failure": "warn"}]
    values = configuration(metrics="fraud/evaluation.json", gates=gates)
    file.write_text(json.dumps(journeys.evaluated(gateway.world, values, accuracy=0.972028)))
    release_id = str(mlops.json("release", str(file))["release_id"])
    shown = mlops("approve", release_id, person="ben", stdin="n\n").output
    told = "Quality gates before staging\n    warning  accuracy 0.972: below 0.98\n"
    assert shown.index(told) < shown.index("Approve this for staging?")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "nothing", "end of input"])
def test_without_a_yes_nothing_is_sent(mlops: Command, gateway: Gateway, waiting: str, answer: str) -> None:
    result = mlops("approve", waiting, person="ben", stdin=answer)
    assert result.exit_code == 1
    assert votes(gateway) == []


@pytest.mark.parametrize("verb", [("approve",), ("reject", "--reason", "not yet")], ids=["approve", "reject"])
def test_where_nobody_can_be_asked_yes_must_be_said(
    mlops: Command, gateway: Gateway, waiting: str, verb: tuple[str, ...]
) -> None:
    before = len(gateway.received)
    result = mlops(*verb, waiting, person="ben")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert len(gateway.received) == before


def test_yes_decides_without_asking(mlops: Command, gateway: Gateway, waiting: str) -> None:
    found = mlops.json("approve", waiting, "--yes", person="ben")
    assert found["status"] == "approved"
    assert gateway.world.of(waiting).stage == "prod"


def test_a_plan_that_moved_since_it_was_shown_is_not_approved(mlops: Command, gateway: Gateway, waiting: str) -> None:
    result = mlops("approve", waiting, "--yes", "--digest", "0" * 16, person="ben")
    assert result.exit_code == 1
    assert "another one by now" in result.stderr
    assert votes(gateway) == []


def test_a_digest_that_was_shown_is_accepted(mlops: Command, gateway: Gateway, waiting: str) -> None:
    digest = mlops.json("status", waiting)["stages"][1]["plan"]["digest"]
    assert mlops("approve", waiting, "--yes", "--digest", digest[:16], person="ben").exit_code == 0


def test_a_short_digest_says_too_little(mlops: Command, waiting: str) -> None:
    assert mlops("approve", waiting, "--yes", "--digest", "abc", person="ben").exit_code == 2


def test_somebody_without_the_role_is_refused(mlops: Command, gateway: Gateway, waiting: str) -> None:
    result = mlops("approve", waiting, "--yes", person="ana")
    assert result.exit_code == 1
    assert "You are not an approver of staging." in result.stderr
    assert gateway.world.of(waiting).stage == "staging"


def test_the_requester_may_not_approve_his_own_release(mlops: Command, configuration_file: Path) -> None:
    release_id = mlops.json("release", str(configuration_file), person="ben")["release_id"]
    result = mlops("approve", release_id, "--yes", person="ben")
    assert result.exit_code == 1
    assert "You asked for this release" in result.stderr


def test_a_rejection_ends_the_release_with_its_reason(mlops: Command, gateway: Gateway, waiting: str) -> None:
    result = mlops("reject", waiting, "--reason", "recall is too low", "--yes", person="ben")
    assert result.exit_code == 0, result.output
    release = gateway.world.of(waiting)
    assert release.status is Status.REJECTED
    assert "recall is too low" in release.reason


@pytest.mark.usefixtures("terminal")
def test_a_missing_reason_is_asked_for(mlops: Command, gateway: Gateway, waiting: str) -> None:
    result = mlops("reject", waiting, person="ben", stdin="recall is too low\ny\n")
    assert result.exit_code == 0, result.output
    assert votes(gateway)[0]["reason"] == "recall is too low"


def test_a_missing_reason_is_wrong_usage_where_nobody_can_be_asked(mlops: Command, waiting: str) -> None:
    result = mlops("reject", waiting, "--yes", person="ben")
    assert result.exit_code == 2
    assert "--reason" in result.stderr


def test_a_reason_that_says_nothing_is_refused_by_the_api(mlops: Command, waiting: str) -> None:
    result = mlops("reject", waiting, "--reason", "x", "--yes", person="ben")
    assert result.exit_code == 1
    assert "reason" in result.stderr


def test_a_stage_that_does_not_wait_is_told_with_those_that_do(mlops: Command, gateway: Gateway, waiting: str) -> None:
    result = mlops("approve", waiting, "--stage", "prod", "--yes", person="ben")
    assert result.exit_code == 1
    assert "waits for no decision in prod" in result.stderr
    assert "It waits in staging" in result.stderr
    assert votes(gateway) == []


def test_what_has_taken_the_place_of_a_superseded_release_is_told(
    mlops: Command, gateway: Gateway, waiting: str, configuration_file: Path
) -> None:
    changed = json.loads(configuration_file.read_text()) | {"inference_instance": "ml.m5.2xlarge"}
    configuration_file.write_text(json.dumps(changed))
    newer = mlops.json("release", str(configuration_file))["release_id"]
    gateway.machines.settle()
    assert gateway.world.of(waiting).status is Status.SUPERSEDED
    result = mlops("approve", waiting, "--yes", person="ben")
    assert result.exit_code == 1
    assert f"Staging is superseded. {newer} took its place." in result.stderr
    assert f"  {newer} took its place" in mlops("history", gateway.world.of(waiting).workload).stdout


def test_an_ended_release_waits_for_nothing(mlops: Command, gateway: Gateway, waiting: str) -> None:
    mlops("reject", waiting, "--reason", "not yet", "--yes", person="ben")
    result = mlops("approve", waiting, "--yes", person="ben")
    assert result.exit_code == 1
    assert "waits for no decision. Staging is rejected." in result.stderr


def test_with_json_the_plan_is_shown_beside_the_answer(mlops: Command, waiting: str) -> None:
    result = mlops("approve", waiting, "--yes", "--json", person="ben")
    assert json.loads(result.stdout)["stage"] == "staging"
    assert "+ Endpoint" in result.stderr
