"""Releases by Git from elsewhere: commits that a pipeline fetches over a connection and delivers as an archive."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.codepipeline.artifacts import zipped
from local.settings import BRANCH, CONNECTED, CONNECTED_REPOSITORY, ORCHESTRATOR
from orchestrator.core.commits import pipeline_name
from tests.releases.team import Team


def deliver(team: Team, files: dict[str, Any], commit_id: str, message: str = "From elsewhere") -> str:
    """A pipeline delivers a commit of the repository behind the connection; its execution's id."""
    data = {path: value if isinstance(value, bytes) else json.dumps(value).encode() for path, value in files.items()}
    variables = {
        "CommitId": commit_id,
        "CommitMessage": message,
        "BranchName": BRANCH,
        "FullRepositoryName": CONNECTED_REPOSITORY,
        "AuthorDisplayName": "Ana Silva",
        "AuthorEmail": "ana@example.com",
    }
    return team.running.cloud.deliver(pipeline_name(CONNECTED), zipped(data), variables, account=ORCHESTRATOR)


def test_a_commit_from_elsewhere_is_delivered_by_its_pipeline(multi: Team, live: str) -> None:
    name = "from-elsewhere"
    commit = "a1b2c3d4" * 5
    files = {f"{name}/mlops-config.json": multi.configuration(name), "README.md": b"x" * 1000}
    deliver(multi, files, commit, "Serve from elsewhere")
    release_id = multi.started(f"{name}-realtime")
    shown = multi.until_asked(release_id, "staging")
    assert (shown["commit"]["repository"], shown["commit"]["commit_id"]) == (CONNECTED_REPOSITORY, commit)
    multi.message(release_id, commit[:8], CONNECTED_REPOSITORY, "Ana Silva (unverified)", "Serve from elsewhere")
    multi.reject(release_id, "Enough for this test.")
    assert multi.ended(release_id).status == "rejected"

    again = "b2c3d4e5" * 5
    deliver(multi, {**files, "README.md": b"changed"}, again)
    gone = "c3d4e5f6" * 5
    deliver(multi, {"README.md": b"changed"}, gone)
    (notice,) = multi.until_of_commit(gone)
    assert notice["workload"] == f"{name}/mlops-config.json"
    assert multi.of_commit(again) == []


def test_a_hostile_archive_is_told_and_starts_nothing(multi: Team, live: str) -> None:
    commit = "d4e5f6a7" * 5
    deliver(multi, {"../mlops-config.json": multi.configuration("slipped"), "ok/mlops-config.json": b"{}"}, commit)
    (refused,) = multi.until_of_commit(commit)
    assert refused["status"] == "refused"
    assert "leads out of it" in " ".join(refused["problems"])
    assert multi.releases("slipped-realtime") == []


def test_a_delivered_commit_is_asked_about_in_one_account(single: Team, live_single: str) -> None:
    commit = "e5f6a7b8" * 5
    deliver(single, {"two/mlops-config.json": single.configuration("delivered")}, commit)
    release_id = single.started("delivered-realtime")
    asked = single.until_asked(release_id, "prod")
    assert asked["commit"]["commit_id"] == commit
    single.message(release_id, commit[:8])
    single.reject(release_id, "Enough for this test.")
    assert single.ended(release_id).status == "rejected"
