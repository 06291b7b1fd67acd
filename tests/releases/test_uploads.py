"""A new version of what workloads use releases each of them, once, in order; what nobody uses is left alone."""

from __future__ import annotations

import io
import tarfile
from functools import partial
from typing import Any

import pytest

from local.follow import waiting_approval
from local.settings import ORCHESTRATOR
from tests.events.samples import object_created
from tests.releases.team import Team, eventually, stage

MODEL = "uploads/model.tar.gz"


def variant(team: Team, note: str) -> bytes:
    """The example's model with one file more: other bytes that serve as well."""
    buffer = io.BytesIO()
    with tarfile.open(team.example.model) as old, tarfile.open(fileobj=buffer, mode="w:gz") as new:
        for member in old.getmembers():
            new.addfile(member, old.extractfile(member))
        added = tarfile.TarInfo("NOTE.txt")
        added.size = len(note)
        new.addfile(added, io.BytesIO(note.encode()))
    return buffer.getvalue()


def using(team: Team, name: str, **changes: Any) -> dict[str, Any]:
    """The example's configuration with the model of this suite, which no other test uploads."""
    return team.configuration(name, model_artifact_location=MODEL, **changes)


def by_upload(team: Team, workload: str) -> list[dict[str, Any]]:
    """The workload's releases that a new asset has started, newest first."""
    found = [team.show(one["release_id"]) for one in team.releases(workload)]
    return [one for one in found if one["source_kind"] == "asset"]


@pytest.fixture(scope="module")
def workloads(multi: Team, live: str) -> tuple[str, str]:
    """Two workloads with one model: the first has it in dev and staging, the second in dev."""
    multi.upload_asset(MODEL, variant(multi, "first"))
    names = ("uses-one", "uses-two")
    for name in names:
        multi.upload(name, using(multi, name))
    one, two = (f"{name}-realtime" for name in names)
    first, second = (multi.started(workload, by="s3") for workload in (one, two))
    multi.approve(waiting_approval(multi.until_asked(first, "staging")))
    multi.until_asked(second, "staging")
    multi.put_aside(second)
    multi.until_asked(first, "prod")
    multi.put_aside(first)
    return one, two


def test_a_new_model_under_the_same_key_releases_both_of_two_workloads_that_use_it(
    multi: Team, workloads: tuple[str, str]
) -> None:
    """Though neither has been released to its end: what was packaged last is the configuration in force."""
    version = multi.upload_asset(MODEL, variant(multi, "second"))
    asked = {}
    for workload in workloads:
        (found,) = eventually(f"a release of {workload}", partial(by_upload, multi, workload))
        assert found["pins"] == {MODEL: version}
        assert version in found["source"]
        asked[workload] = multi.until_asked(found["release_id"], "staging")
        multi.message(found["release_id"], MODEL)
    one, two = (asked[workload] for workload in workloads)
    multi.put_aside(two["release_id"])
    assert [change["name"] for change in stage(one, "staging")["plan"]["parameters"]] == ["ModelKey"]
    ended = multi.follower.until_end(one["release_id"], decide=multi.approve)
    assert ended.status == "succeeded", ended.reason


def test_events_that_come_again_or_too_late_start_nothing_more(multi: Team, workloads: tuple[str, str]) -> None:
    workload, _ = workloads
    versions = multi.client("s3", ORCHESTRATOR).list_object_versions(Bucket=multi.assets_bucket, Prefix=MODEL)
    newest, oldest = versions["Versions"][0]["VersionId"], versions["Versions"][-1]["VersionId"]
    latest = multi.row(f"UPLOAD#{multi.assets_bucket}/{MODEL}", "UPLOAD")
    assert latest is not None
    again = object_created(multi.assets_bucket, MODEL, newest, latest["body"]["M"]["sequencer"]["S"])
    late = object_created(multi.assets_bucket, MODEL, oldest, "0" * 18)
    before = {one["release_id"] for one in multi.releases(workload)}
    lines = len(multi.logged("receive-request"))
    for event in (again, again, again, late):
        multi.running.cloud.inject_event(event, ORCHESTRATOR)

    def told() -> list[str] | None:
        found = [line["outcome"] for line in multi.logged("receive-request")[lines:]]
        return sorted(found) if len(found) >= 4 else None

    assert eventually("a line of each delivery", told) == ["duplicate", "duplicate", "duplicate", "received"]
    more = [one for one in multi.releases(workload) if one["release_id"] not in before]
    assert [one["status"] for one in more] == ["superseded"]
    assert not multi.message_with(more[0]["release_id"], ""), "nobody is told of what nobody meant"
    assert multi.mails(more[0]["release_id"]) == []


def test_what_nobody_uses_starts_nothing_and_is_not_worth_a_line(multi: Team, workloads: tuple[str, str]) -> None:
    before = multi.follower.api("GET", "/releases?limit=100").json()["releases"]
    looked, lines = multi.invocations("receive-request"), multi.logged("receive-request")
    keys = ("uploads/model.tar.gz.bak", "uploads/", "model_card_exports/a/card.pdf", "später/🚀 model+1.tar.gz")
    for key in keys:
        multi.upload_asset(key, b"" if key.endswith("/") else b"x")
    eventually("as many deliveries", lambda: multi.invocations("receive-request") >= looked + len(keys))
    after = multi.follower.api("GET", "/releases?limit=100").json()["releases"]
    assert [one["release_id"] for one in after] == [one["release_id"] for one in before]
    assert multi.logged("receive-request") == lines


def test_the_same_bytes_again_end_unchanged_without_a_word(multi: Team, workloads: tuple[str, str]) -> None:
    workload, _ = workloads
    known = {one["release_id"] for one in by_upload(multi, workload)}
    multi.upload_asset(MODEL, variant_as_it_stands(multi))

    def look() -> dict[str, Any] | None:
        new = [one for one in by_upload(multi, workload) if one["release_id"] not in known]
        return new[0] if new and new[0]["status"] == "unchanged" else None

    found = eventually(f"an unchanged release of {workload}", look)
    assert not multi.message_with(found["release_id"], "")
    assert multi.mails(found["release_id"]) == []


def variant_as_it_stands(team: Team) -> bytes:
    """The bytes that are live."""
    body: bytes = team.client("s3", ORCHESTRATOR).get_object(Bucket=team.assets_bucket, Key=MODEL)["Body"].read()
    return body
