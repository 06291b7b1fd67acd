"""``mlops rollback``."""

from __future__ import annotations

import pytest

from mlops.screen import Screen
from orchestrator.core.records import Release
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway
from tests.fakes.memory_world import configuration
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"


@pytest.fixture
def both(gateway: Gateway) -> tuple[Release, Release]:
    """Two releases that were live one after the other."""
    first = journeys.live(gateway.world)
    return first, journeys.live(gateway.world, configuration(inference_instance="ml.m5.2xlarge"))


def rollbacks(gateway: Gateway) -> list[Release]:
    return [one for one in gateway.world.memory.all(Release) if one.goes_back_to]


def test_the_release_before_is_shown_and_asked_about(
    mlops: Command, gateway: Gateway, both: tuple[Release, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = both
    monkeypatch.setattr(Screen, "interactive", True)
    refused = mlops("rollback", WORKLOAD, stdin="n\n")
    assert (refused.exit_code, rollbacks(gateway)) == (1, [])
    done = mlops("rollback", WORKLOAD, "--reason", "Too slow.", stdin="y\n")
    assert done.exit_code == 0, done.output
    (asked,) = rollbacks(gateway)
    assert (asked.goes_back_to, asked.asked_because) == (first.release_id, "Too slow.")
    for told in (f"live now:      {second.release_id}", f"goes back to:  {first.release_id}", "Roll fraud"):
        assert told in done.output
    shown = mlops("status", asked.release_id).stdout
    assert f"from {second.release_id} to {first.release_id}" in shown
    assert "Too slow." in shown
    told = mlops("history", WORKLOAD).stdout
    assert f"from {second.release_id} to {first.release_id}\n  because: Too slow." in told
    decided = mlops("approve", asked.release_id, "--yes", person="ben").stdout
    assert f"  Rollback: from {second.release_id} to {first.release_id}\n  Because: Too slow." in decided


def test_a_named_release_is_not_asked_about(mlops: Command, gateway: Gateway, both: tuple[Release, Release]) -> None:
    first, second = both
    answer = mlops.json("rollback", WORKLOAD, "--to", first.release_id)
    assert [one.release_id for one in rollbacks(gateway)] == [answer["release_id"]]
    refused = mlops("rollback", WORKLOAD, "--to", second.release_id)
    assert refused.exit_code == 0, "it is not what is on its way"
    assert mlops("rollback", "other-realtime", "--to", first.release_id).exit_code == 1


def test_where_nobody_can_be_asked_the_release_is_named_or_taken(
    mlops: Command, gateway: Gateway, both: tuple[Release, Release]
) -> None:
    assert mlops("rollback", WORKLOAD).exit_code == 2
    assert mlops("rollback", WORKLOAD, "--to", "no/id").exit_code == 2
    assert rollbacks(gateway) == []
    assert mlops("rollback", WORKLOAD, "--yes").exit_code == 0
    assert [one.goes_back_to for one in rollbacks(gateway)] == [both[0].release_id]


def test_what_is_live_already_is_refused_and_forced(
    mlops: Command, gateway: Gateway, both: tuple[Release, Release]
) -> None:
    _, second = both
    refused = mlops("rollback", WORKLOAD, "--to", second.release_id)
    assert (refused.exit_code, "live already" in refused.stderr) == (1, True)
    assert mlops("rollback", WORKLOAD, "--to", second.release_id, "--force").exit_code == 0
