"""Events come twice, late and again: one upload is one release, and content that is live is no release at all."""

from __future__ import annotations

import uuid

from local.settings import ORCHESTRATOR, REGION
from tests.releases.team import Team, eventually

DELIVERIES = 10


def test_ten_deliveries_of_one_event_start_one_release(multi: Team, live: str) -> None:
    name = "ten-times"
    version = multi.upload(name, multi.configuration(name))
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": ORCHESTRATOR,
        "region": REGION,
        "resources": [f"arn:aws:s3:::{multi.assets_bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": multi.assets_bucket},
            "object": {"key": f"{name}/mlops-config.json", "version-id": version, "sequencer": "0055AED6DCD90281E5"},
            "reason": "PutObject",
        },
    }
    before = multi.invocations("receive-request")
    for _ in range(DELIVERIES):
        multi.running.cloud.inject_event(event, ORCHESTRATOR)
    release_id = multi.started(f"{name}-realtime")
    multi.follower.until_end(release_id, decide=multi.approve)
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
    multi.reject(first, "The sample set is too old.")
    assert multi.ended(first).status == "rejected"
    multi.upload(name, configuration)
    second = multi.started(f"{name}-realtime", frozenset({first}))
    multi.until_asked(second, "staging")
    multi.reject(second, "Still too old.")
    assert multi.ended(second).status == "rejected"
