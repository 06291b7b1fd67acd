"""The REST API: workloads, their removal, and the API's own description."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml  # type: ignore[import-untyped]

from orchestrator.core.records import Release, Status
from tests.fakes.memory_world import BEN, MemoryWorld, configuration
from tests.functions.conftest import Called
from tests.functions.test_api import ROOT, Client, arn
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"


@pytest.fixture
def api(called: Callable[[str], Called]) -> Called:
    """The function."""
    return called("api")


@pytest.fixture
def call(api: Called) -> Client:
    """A caller of the API."""
    return Client(api)


@pytest.fixture
def live(memory: MemoryWorld) -> Release:
    """A release that went all the way."""
    return journeys.live(memory)


# GET /workloads


def test_nothing_is_listed_before_anything_is_released(call: Client) -> None:
    assert call("GET", "/workloads").body == {"workloads": []}


def test_a_workload_is_listed_with_what_is_live_in_each_stage(call: Client, memory: MemoryWorld, live: Release) -> None:
    newer = journeys.asked(memory, configuration(inference_instance="ml.c5.large"))
    (found,) = call("GET", "/workloads").body["workloads"]
    assert (found["workload"], found["workload_type"]) == (WORKLOAD, "byom_realtime_builtin")
    assert [(one["stage"], one["release_id"], one["digest"]) for one in found["live"]] == [
        ("dev", newer.release_id, newer.digest),
        ("staging", live.release_id, live.digest),
        ("prod", live.release_id, live.digest),
    ]
    assert all(one["since"] for one in found["live"])
    assert (found["running_release"], found["newest_release"]) == (newer.release_id, newer.release_id)


def test_workloads_are_listed_by_name_up_to_the_limit(call: Client, memory: MemoryWorld) -> None:
    for name in ("churn", "bikes", "apples"):
        journeys.packaged(memory, configuration(model_name=name))
    names = [one["workload"] for one in call("GET", "/workloads").body["workloads"]]
    assert names == ["apples-realtime", "bikes-realtime", "churn-realtime"]
    assert len(call("GET", "/workloads", query={"limit": "2"}).body["workloads"]) == 2


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "all", "٣", "1" * 5000])
def test_another_limit_is_refused(call: Client, limit: str) -> None:
    reply = call("GET", "/workloads", query={"limit": limit})
    assert reply.status == 400
    assert "from 1 to 1000" in reply.body["message"]


# DELETE /workloads/{id}


def test_a_removal_is_a_release(call: Client, memory: MemoryWorld, live: Release) -> None:
    reply = call("DELETE", "/workloads/{id}", id=WORKLOAD, caller=arn(BEN))
    assert (reply.status, reply.body["message"]) == (202, "The removal has started.")
    removal = memory.of(reply.body["release_id"])
    assert (removal.removes, removal.stack_name, removal.stages) == (True, live.stack_name, live.stages)
    assert (removal.requester.value, removal.requester.verified) == (arn(BEN), True)
    assert removal.release_id in memory.fake_tasks.started
    assert reply.body["pipeline_id"].endswith(f":stack/{live.stack_name}/{removal.release_id}")
    shown = call("GET", "/releases/{id}", id=removal.release_id).body
    assert (shown["kind"], shown["status"]) == ("removal", "requested")
    status = call("POST", "/pipelinestatus", body={"pipeline_id": reply.body["pipeline_id"]}).body
    assert [one["stageName"] for one in status["stageStates"]] == ["Source", "RemoveDev", "RemoveStaging", "RemoveProd"]


def test_what_a_removal_would_remove_is_shown_and_decided_like_any_plan(
    call: Client, memory: MemoryWorld, live: Release
) -> None:
    removal = call("DELETE", "/workloads/{id}", id=WORKLOAD).body["release_id"]
    memory.package(removal)
    memory.deploy(removal, "dev")
    memory.run_job(removal, "dev")
    assert memory.verify(removal, "dev")["outcome"] == "removed"
    memory.plan(removal, "staging")
    memory.ask(removal, "staging")
    dev, staging = call("GET", "/releases/{id}", id=removal).body["stages"]
    assert (dev["status"], dev["outputs"]) == ("removed", {})
    assert [(one["action"], one["logical_id"]) for one in staging["plan"]["resources"]] == [("remove", "Endpoint")]
    body = {"decision": "approve", "digest": staging["plan"]["digest"]}
    decided = call("POST", "/releases/{id}/decision", id=removal, body=body, caller=arn(BEN))
    assert (decided.status, decided.body["status"]) == (200, "approved")
    assert decided.body["message"] == f"The removal of {WORKLOAD} is approved for staging by Ben Okafor."


def test_a_removal_repeated_with_its_key_is_one_removal(call: Client, live: Release) -> None:
    replies = [
        call("DELETE", "/workloads/{id}", id=WORKLOAD, headers={"Idempotency-Key": "k"}, request_id=f"r{n}")
        for n in range(2)
    ]
    assert [reply.status for reply in replies] == [202, 202]
    assert replies[0].body["release_id"] == replies[1].body["release_id"]
    assert replies[1].body["message"] == "This request has been taken before."


@pytest.mark.parametrize("name", ["nobody", "../x", "ü", "a" * 1000, "WORKLOAD#fraud-detector-realtime"])
def test_an_unknown_workload_is_not_found(call: Client, memory: MemoryWorld, live: Release, name: str) -> None:
    started = len(memory.fake_tasks.started)
    reply = call("DELETE", "/workloads/{id}", id=name)
    assert (reply.status, "there is no workload" in reply.body["message"]) == (404, True)
    assert len(memory.fake_tasks.started) == started


def test_a_workload_that_is_removed_is_neither_listed_nor_found(
    call: Client, memory: MemoryWorld, live: Release
) -> None:
    removal = call("DELETE", "/workloads/{id}", id=WORKLOAD).body["release_id"]
    memory.package(removal)
    memory.end(removal, Status.SUCCEEDED)
    assert call("GET", "/workloads").body == {"workloads": []}
    reply = call("DELETE", "/workloads/{id}", id=WORKLOAD, request_id="another")
    assert (reply.status, reply.body["message"]) == (
        404,
        f"{WORKLOAD} has been removed already, by release {removal}",
    )


def test_a_caller_without_a_name_removes_nothing(call: Client, memory: MemoryWorld, live: Release) -> None:
    assert call("DELETE", "/workloads/{id}", id=WORKLOAD, caller="").status == 403
    assert len(memory.memory.all(Release)) == 1


# GET /openapi.json


def test_the_api_describes_itself(call: Client) -> None:
    reply = call("GET", "/openapi.json")
    source = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    assert (reply.status, reply.body) == (200, source)


def test_the_description_has_the_installations_own_address(api: Called) -> None:
    import json

    context = {"domainName": "a1b2c3.execute-api.eu-central-1.amazonaws.com", "stage": "v1"}
    answer = api({"httpMethod": "GET", "resource": "/openapi.json", "requestContext": context})
    assert json.loads(answer["body"])["servers"] == [
        {"url": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/v1"}
    ]
