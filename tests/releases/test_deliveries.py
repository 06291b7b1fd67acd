"""Events come twice, late and again: one upload is one release, and content that is live is no release at all."""

from __future__ import annotations

from local.settings import ORCHESTRATOR
from tests.events.samples import object_created
from tests.releases.team import Team, eventually

DELIVERIES = 10


def test_ten_deliveries_of_one_event_start_one_release(multi: Team, live: str) -> None:
    name = "ten-times"
    version = multi.upload(name, multi.configuration(name))
    event = object_created(multi.assets_bucket, f"{name}/mlops-config.json", version, "0055AED6DCD90281E5")
    before = multi.invocations("receive-request")
    for _ in range(DELIVERIES):
        multi.running.cloud.inject_event(event, ORCHESTRATOR)
    release_id = multi.started(f"{name}-realtime")
    multi.until_asked(release_id, "staging")
    multi.put_aside(release_id)
    eventually("ten more deliveries", lambda: multi.invocations("receive-request") >= before + DELIVERIES)
    assert [found["release_id"] for found in multi.releases(f"{name}-realtime")] == [release_id]
    executions = multi.client("stepfunctions", ORCHESTRATOR).list_executions(
        stateMachineArn=multi.running.outputs["MultiMachineArn"]
    )["executions"]
    assert sum(one["name"] == release_id for one in executions) == 1


def test_the_same_file_again_ends_unchanged_and_deploys_nothing(multi: Team, live: str) -> None:
    name = multi.example_workload.removesuffix("-realtime")
    before = multi.stack_updates()
    again = multi.release(name, multi.configuration(name))
    assert again["status"] == "unchanged"
    assert live in again["reason"]
    assert multi.stack_updates() == before


def test_after_a_rejection_the_same_content_starts_anew(multi: Team, live: str) -> None:
    name = "second-thoughts"
    configuration = multi.configuration(name)
    multi.upload(name, configuration)
    first = multi.started(f"{name}-realtime")
    multi.until_asked(first, "staging")
    multi.put_aside(first, "The sample set is too old.")
    multi.upload(name, configuration)
    second = multi.started(f"{name}-realtime", frozenset({first}))
    multi.until_asked(second, "staging")
    multi.put_aside(second, "Still too old.")
