"""Releases by Git: commits of a real repository behind CodeCommit's API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.settings import BRANCH, ORCHESTRATOR, REGION, REPOSITORY, session
from tests.events.samples import repository_changed
from tests.releases.team import Team, eventually

"""The command, without its entry point."""

BEN = "Ben Okafor <ben@example.com>"
"""Writes what Ana pushes."""


class Git:
    """The CodeCommit repository of an installation."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.cloud = team.running.cloud
        team.client("codecommit", ORCHESTRATOR).create_repository(repositoryName=REPOSITORY)
        team.credentials_of("ana")  # makes the role of the local people, who may push

    def push(self, files: dict[str, Any], message: str = "Change configurations", **how: Any) -> str:
        """Commit; Ana pushes."""
        texts = {
            path: value if value is None or isinstance(value, str) else json.dumps(value, indent=2)
            for path, value in files.items()
        }
        how = {"caller": session("ana"), **how}
        return self.cloud.push(
            REPOSITORY, how.pop("branch", BRANCH), texts, BEN, account=ORCHESTRATOR, message=message, **how
        )


@pytest.fixture(scope="module")
def git(multi: Team, live: str) -> Git:
    return Git(multi)


def test_a_commit_becomes_a_release_that_shows_where_it_came_from(git: Git) -> None:
    team, name = git.team, "by-commit"
    commit = git.push(
        {"README.md": "models", f"teams/a b/{name}/mlops-config.json": team.configuration(name)},
        "Serve fraud from Git\n\nAfter the review.",
    )
    release_id = team.started(f"{name}-realtime")
    team.until_asked(release_id, "staging")

    message = team.message(
        release_id,
        commit[:8],
        BRANCH,
        REPOSITORY,
        "Ben Okafor",
        "as the commit says",
        "Serve fraud from Git",
        "Ana Silva",
    )
    assert "After the review" not in message
    shown = team.show(release_id)
    assert shown["commit"] == {
        "repository": REPOSITORY,
        "branch": BRANCH,
        "commit_id": commit,
        "author_name": "Ben Okafor",
        "author_email": "ben@example.com",
        "message": "Serve fraud from Git",
        "url": f"https://{REGION}.console.aws.amazon.com/codesuite/codecommit/repositories/{REPOSITORY}/commit/{commit}?region={REGION}",
    }

    ended = team.follower.until_end(release_id, decide=team.approve)
    assert ended.status == "succeeded", ended.reason
    # Ben has clicked as well: he wrote what Ana pushed.
    assert team.private_words("U0BEN", "You wrote the commit of this release")
    (mail,) = eventually("the e-mail of its end", lambda: team.mails(release_id))
    assert commit in mail["message"]
    assert "Author, as the commit says: Ben Okafor" in mail["message"]
    status = team.printed_status(release_id)
    assert commit in status
    assert "Ben Okafor <ben@example.com> (as the commit says)" in status


def test_one_push_with_several_configurations_starts_each_and_tells_a_broken_one(git: Git) -> None:
    team = git.team
    files: dict[str, Any] = {f"several/{name}/mlops-config.json": team.configuration(name) for name in ("one", "two")}
    commit = git.push({**files, "several/broken/mlops-config.json": '{"pipeline_type": "byom_realtime_builtin"'})
    found = team.until_of_commit(commit, 3)
    assert sorted(one["workload"] for one in found) == [
        "one-realtime",
        "several/broken/mlops-config.json",
        "two-realtime",
    ]
    (broken,) = [one for one in found if one["status"] == "refused"]
    assert "not valid JSON" in " ".join(broken["problems"])
    eventually("the refusal in Slack", lambda: team.message_with(broken["release_id"], "Configuration refused"))
    assert team.mails(broken["release_id"])
    for one in found:
        if one["release_id"] != broken["release_id"]:
            team.until_asked(one["release_id"], "staging")
            team.put_aside(one["release_id"], user="U0CHLOE")  # Ben wrote the commit


def test_what_a_push_does_not_change_is_not_told_of(git: Git) -> None:
    """A file that is written otherwise, and one that was moved: both are started, and end unchanged in silence."""
    team, name = git.team, "by-commit"
    workload = f"{name}-realtime"
    before = frozenset(found["release_id"] for found in team.releases(workload))
    path = f"teams/a b/{name}/mlops-config.json"
    moved = git.push({path: None, f"moved/{name}/mlops-config.json": json.dumps(team.configuration(name))})
    release_id = team.started(workload, before)
    assert team.ended(release_id).status == "unchanged"
    (only,) = team.of_commit(moved)
    assert only["release_id"] == release_id
    other = git.push({"README.md": "only words"})
    marker = git.push({"marker/mlops-config.json": "{"})
    team.until_of_commit(marker)
    assert team.of_commit(other) == []
    assert team.message_with(release_id, "") == ""
    assert team.mails(release_id) == []


def test_a_deleted_configuration_is_told_and_nothing_is_taken_down(git: Git) -> None:
    team, name = git.team, "by-commit"
    before = team.stack_updates()
    commit = git.push({f"moved/{name}/mlops-config.json": None}, "Drop it")
    (notice,) = team.until_of_commit(commit)
    assert notice["status"] == "unchanged"
    message = eventually(
        "the notice in Slack", lambda: team.message_with(notice["release_id"], "Configuration deleted")
    )
    assert f"{name}-realtime stays as released" in message
    (mail,) = eventually("the e-mail", lambda: team.mails(notice["release_id"]))
    assert mail["subject"] == "[deleted] configuration"
    assert team.stack_updates() == before


def test_other_branches_and_deleted_branches_start_nothing(git: Git) -> None:
    team = git.team
    first = git.push({"x/mlops-config.json": team.configuration("on-a-branch")}, branch="feature")
    git.push({}, branch="feature", delete=True)
    marker = git.push({"marker/mlops-config.json": "{{"})
    team.until_of_commit(marker)
    assert team.of_commit(first) == []
    assert team.releases("on-a-branch-realtime") == []


def test_a_commit_that_a_forced_push_threw_away_is_told(git: Git) -> None:
    """Its event arrives after the commit is gone."""
    team = git.team
    lost = "f" * 40
    event = repository_changed(
        repository=REPOSITORY,
        account=ORCHESTRATOR,
        referenceName=BRANCH,
        commitId=lost,
        oldCommitId="e" * 40,
        callerUserArn=session("ana"),
    )
    for _ in range(3):
        git.cloud.inject_event(event, ORCHESTRATOR)
    (refused,) = team.until_of_commit(lost)
    assert refused["status"] == "refused"
    assert "not in the repository ml-models any more" in " ".join(refused["problems"])
    eventually("the refusal in Slack", lambda: team.message_with(refused["release_id"], "Ana Silva"))


def test_a_commit_is_released_in_one_account(single: Team, live_single: str) -> None:
    commit = Git(single).push({"one/mlops-config.json": single.configuration("pushed")})
    release_id = single.started("pushed-realtime")
    ended = single.follower.until_end(release_id, decide=single.approve)
    assert ended.status == "succeeded", ended.reason
    assert single.show(release_id)["commit"]["commit_id"] == commit
    single.message(release_id, commit[:8])
