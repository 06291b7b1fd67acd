"""``mlops workloads`` and ``remove``."""

from __future__ import annotations

import pytest

from mlops.screen import Screen
from orchestrator.core.records import Release
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway
from tests.fakes.memory_world import CHLOE, configuration
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"


@pytest.fixture
def live(gateway: Gateway) -> Release:
    """A release that went all the way."""
    return journeys.live(gateway.world)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits at a terminal and can be asked."""
    monkeypatch.setattr(Screen, "interactive", True)


def test_nothing_is_released_yet(mlops: Command) -> None:
    assert mlops("workloads").stdout == "There is no workload yet.\n"


def test_each_stage_is_shown_with_what_is_live_in_it(mlops: Command, gateway: Gateway, live: Release) -> None:
    newer = journeys.asked(gateway.world, configuration(inference_instance="ml.c5.large"))
    header, dev, staging, prod = mlops("workloads").stdout.splitlines()
    assert header.split() == ["WORKLOAD", "TYPE", "STAGE", "LIVE", "RELEASE", "SINCE", "ON", "ITS", "WAY"]
    assert dev.split()[:4] == [WORKLOAD, "byom_realtime_builtin", "dev", newer.release_id]
    assert [line.split()[2:4] for line in (staging, prod)] == [
        ["staging", live.release_id],
        ["prod", live.release_id],
    ]
    assert {line.split()[-1] for line in (dev, staging, prod)} == {newer.release_id}
    assert "UTC" in dev


def test_a_workload_with_nothing_live_has_a_row(mlops: Command, gateway: Gateway) -> None:
    journeys.packaged(gateway.world)
    (row,) = mlops("workloads").stdout.splitlines()[1:]
    assert row.split()[2:5] == ["-", "-", "-"]


def test_the_answer_in_json_is_the_apis_own(mlops: Command, live: Release) -> None:
    (found,) = mlops.json("workloads")["workloads"]
    assert (found["workload"], found["newest_release"]) == (WORKLOAD, live.release_id)


@pytest.mark.usefixtures("terminal")
def test_what_is_live_is_shown_before_it_is_removed(mlops: Command, gateway: Gateway, live: Release) -> None:
    result = mlops("remove", WORKLOAD, person="ben", stdin="y\n")
    assert result.exit_code == 0, result.output
    assert f"prod: {live.release_id}, live since" in result.output
    assert f"Remove {WORKLOAD} from every stage?" in result.output
    (removal,) = [one for one in gateway.world.memory.all(Release) if one.removes]
    assert f"{removal.release_id}: The removal has started." in result.stdout
    assert (removal.requester.value.rsplit("/", 1)[-1], removal.stage) == ("ben", "staging")
    shown = mlops("status", removal.release_id).stdout
    assert "Kind         removal of the workload" in shown
    assert "- Endpoint" in shown
    assert "dev: removed" in shown


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "nothing", "end of input"])
def test_without_a_yes_nothing_is_removed(mlops: Command, gateway: Gateway, live: Release, answer: str) -> None:
    assert mlops("remove", WORKLOAD, stdin=answer).exit_code == 1
    assert all(request.method == "GET" for request in gateway.received)


def test_where_nobody_can_be_asked_yes_must_be_said(mlops: Command, gateway: Gateway, live: Release) -> None:
    result = mlops("remove", WORKLOAD)
    assert (result.exit_code, gateway.received) == (2, [])
    answer = mlops.json("remove", WORKLOAD, "--yes")
    assert answer["message"] == "The removal has started."


def test_an_unknown_workload_is_refused_in_the_apis_words(mlops: Command) -> None:
    result = mlops("remove", "nobody", "--yes")
    assert (result.exit_code, "there is no workload 'nobody'" in result.output) == (1, True)


@pytest.mark.parametrize("name", ["../releases", "a/b", "?", "a" * 200])
def test_what_can_be_no_name_is_wrong_usage(mlops: Command, gateway: Gateway, name: str) -> None:
    assert mlops("remove", name, "--yes").exit_code == 2
    assert gateway.received == []


def test_a_removal_is_followed_to_its_end(mlops: Command, gateway: Gateway, live: Release) -> None:
    def approve(_: object) -> None:
        removals = [one for one in gateway.world.memory.all(Release) if one.removes]
        if removals and removals[0].status.value == "awaiting_approval":
            approval = gateway.world.approval(removals[0].release_id, removals[0].stage)
            gateway.world.vote(CHLOE, approval)
            gateway.machines.settle()

    gateway.after = approve
    result = mlops("remove", WORKLOAD, "--yes", "--wait")
    assert result.exit_code == 0, result.output
    assert "succeeded" in result.stdout
    assert mlops("workloads").stdout == "There is no workload yet.\n"


def test_a_call_that_was_not_answered_is_repeated_as_the_same_request(
    mlops: Command, gateway: Gateway, live: Release
) -> None:
    gateway.canned = [(502, b"{}")]
    mlops.json("remove", WORKLOAD, "--yes")
    first, second = gateway.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
