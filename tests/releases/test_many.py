"""Many uploads and many releases at once: claimed once each, deployed in order, one at a time, and all ended.

``make test`` takes a few of two workloads; ``tests/steps/test_many.py`` takes the orders of a hundred in memory.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from local.settings import ORCHESTRATOR
from tests.events.samples import object_created
from tests.releases.team import Team, eventually

PATIENCE = 900.0

pytestmark = pytest.mark.timeout(1800)


def numbered(team: Team, name: str, number: int) -> dict[str, Any]:
    """One of many configurations of a workload; each changes the stack."""
    return team.configuration(name, data_capture_location=f"example-ml/{name}/{number}")


@contextmanager
def no_events_of_uploads(team: Team) -> Iterator[None]:
    """S3's own events reach nobody: the test delivers them, in an order of its own."""
    events = team.client("events", ORCHESTRATOR)
    rules = [rule["Name"] for rule in events.list_rules()["Rules"] if "aws.s3" in rule.get("EventPattern", "")]
    assert rules
    for rule in rules:
        events.disable_rule(Name=rule)
    try:
        yield
    finally:
        for rule in rules:
            events.enable_rule(Name=rule)


def releases_of(team: Team, prefix: str) -> list[dict[str, str]]:
    """Releases whose source lies below a prefix: id, workload, how it stands and why, version."""
    found = [one for one in team.rows("release") if one["source"]["M"]["key"]["S"].startswith(prefix)]
    return [
        {
            "release_id": one["release_id"]["S"],
            "workload": one["workload"]["S"],
            "status": one["status"]["S"],
            "stage": one["stage"]["S"],
            "reason": one["reason"]["S"],
            "version": one["source"]["M"]["version_id"]["S"],
        }
        for one in found
    ]


def settled(team: Team, prefix: str, count: int) -> list[dict[str, str]]:
    """The releases, once each has ended or waits for people."""

    def look() -> list[dict[str, str]] | None:
        found = releases_of(team, prefix)
        under_way = {"requested", "packaging", "planning", "deploying", "verifying"}
        return found if len(found) == count and not {one["status"] for one in found} & under_way else None

    return eventually(f"{count} releases below {prefix} at rest", look, PATIENCE)


def deployed_in_dev(team: Team, workload: str) -> list[str]:
    """Releases that began an operation on the workload's stack in dev, in that order, one after the other."""
    account = team.running.stages["dev"]
    name = next(
        one["StackName"]
        for one in team.client("cloudformation", account).describe_stacks()["Stacks"]
        if one["StackName"].startswith(f"mlops-pipeline-{workload.removesuffix('-realtime')}-")
    )
    events = team.client("cloudformation", account).describe_stack_events(StackName=name)["StackEvents"]
    own = [one for one in reversed(events) if one["ResourceType"] == "AWS::CloudFormation::Stack"]
    order: list[str] = []
    running = ""
    for one in own:
        token = one.get("ClientRequestToken", "")
        if one["ResourceStatus"] in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"} and token:
            assert running in {"", token}, "two operations at once"
            if running != token:
                order.append(token.removesuffix(f"-dev-{token.rsplit('-', 1)[-1]}"))
            running = token
        elif one["ResourceStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            running = ""
    return order


def end_what_waits(team: Team, found: list[dict[str, str]]) -> None:
    """Reject what waits for people; then no workload has a release under way, and no release waits for anything."""
    for one in found:
        if one["status"] == "awaiting_approval":
            shown = partial(team.message_with, one["release_id"], "Reject")
            eventually(f"the question about {one['release_id']}", shown, PATIENCE)
            team.put_aside(one["release_id"])
    workloads = {one["workload"] for one in found}
    known = [one for one in team.rows("workload") if one["workload"]["S"] in workloads]
    assert [one for one in known if one.get("running_release", {}).get("S")] == []
    ids = {one["release_id"] for one in found}
    assert [wait for wait in team.rows("wait") if wait["release_id"]["S"] in ids] == []


@pytest.mark.parametrize(
    ("workloads", "versions", "refused", "deliveries"),
    [
        pytest.param(2, 2, 1, 3, id="a few"),
        pytest.param(10, 5, 50, 10, id="a hundred times ten", marks=pytest.mark.long),
    ],
)
def test_events_many_times_and_in_any_order_are_one_claim_each(
    multi: Team, live: str, workloads: int, versions: int, refused: int, deliveries: int
) -> None:
    chance = random.Random(workloads)  # noqa: S311 - an order of events, no secret
    prefix = f"any-order-{workloads}-"
    claims = len(multi.rows("claim"))
    uploads: list[tuple[str, str, int]] = []
    numbers: dict[str, int] = {}
    with no_events_of_uploads(multi):
        for number in range(versions):
            for name in (f"{prefix}{which}" for which in range(workloads)):
                uploads.append((f"{name}/mlops-config.json", multi.upload(name, numbered(multi, name, number)), number))
        for which in range(refused):
            name = f"{prefix}wrong-{which}"
            uploads.append((f"{name}/mlops-config.json", multi.upload(name, b'{"colour": "red"}'), 0))
        numbers = {version: number for _, version, number in uploads}
    events = uploads * deliveries
    chance.shuffle(events)
    before = multi.invocations("receive-request")
    for key, version, number in events:
        multi.running.cloud.inject_event(
            object_created(multi.assets_bucket, key, version, f"0055AED6DCD9{number:06X}"), ORCHESTRATOR
        )
    eventually("every delivery", lambda: multi.invocations("receive-request") >= before + len(events) or None, PATIENCE)
    found = settled(multi, prefix, len(uploads))
    assert {one["status"] for one in found} == {"refused", "superseded", "awaiting_approval"}
    assert len(multi.rows("claim")) == claims + len(uploads)
    assert sorted(one["version"] for one in found) == sorted(numbers)
    assert sum(one["status"] == "refused" for one in found) == refused
    by_id = {one["release_id"]: one for one in found}
    for workload in sorted({one["workload"] for one in found if one["status"] != "refused"}):
        order = [numbers[by_id[name]["version"]] for name in deployed_in_dev(multi, workload)]
        assert order == sorted(order), "an older version followed a newer one"
        assert order[-1] == versions - 1
        waiting = [one for one in found if one["workload"] == workload and one["status"] == "awaiting_approval"]
        assert [numbers[one["version"]] for one in waiting] == [versions - 1]
    end_what_waits(multi, found)


@pytest.mark.long
def test_a_hundred_releases_of_one_workload_and_of_others_at_once(multi: Team, live: str) -> None:
    of_one, of_others = 50, 50
    prefix = "at-once-"
    the_one = f"{prefix}one"
    versions = []
    for number in range(of_one):
        versions.append(multi.upload(the_one, numbered(multi, the_one, number)))
    for which in range(of_others):
        multi.upload(f"{prefix}other-{which}", multi.configuration(f"{prefix}other-{which}"))
    found = settled(multi, prefix, of_one + of_others)
    ours = sorted(
        (one for one in found if one["workload"] == f"{the_one}-realtime"),
        key=lambda one: versions.index(one["version"]),
    )
    assert [one["status"] for one in ours] == [*["superseded"] * (of_one - 1), "awaiting_approval"]
    others = {(one["status"], one["stage"], one["reason"]) for one in found if one not in ours}
    assert others == {("awaiting_approval", "staging", "")}
    began = deployed_in_dev(multi, f"{the_one}-realtime")
    assert began == [one["release_id"] for one in ours if one["release_id"] in began]
    assert began[-1] == ours[-1]["release_id"]
    end_what_waits(multi, found)
