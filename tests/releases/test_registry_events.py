"""A group means its latest approved version; each approval after that is a release, each rejection a notice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.settings import CHANNEL
from tests.releases.registry import Registry
from tests.releases.team import Team, eventually, stage

NAME = "tumours"
WORKLOAD = f"{NAME}-realtime"


@pytest.fixture(scope="module")
def registry(with_registry: Registry) -> Registry:
    """A group of the organisation's own: versions 1 and 2 are approved, 3 waits."""
    found = with_registry.like("tumour-models")
    for digits, approval in ((6, "Approved"), (3, "Approved"), (1, "PendingManualApproval")):
        found.register(digits, approval)
    return found


def test_versions_are_released_as_they_are_approved_and_told_of_as_they_are_rejected(registry: Registry) -> None:
    team, group = registry.team, registry.group
    team.upload(NAME, registry.endpoint(group, NAME))
    first = to_its_end(team, set())
    known = {first["release_id"]}
    assert first["source_kind"] == "s3"
    registry.serves(first, 2, digits=3)
    assert ids(team) == known, "a version that nobody approved is nothing"

    registry.assess(3, "Approved")
    second = to_its_end(team, known)
    known.add(second["release_id"])
    third_version = registry.versions[3]
    assert (second["source"], second["pins"]) == (f"model package {third_version}", {group: third_version})
    assert second["warnings"] == []
    registry.serves(second, 3, digits=1)
    shown = {"name": "ModelPackageName", "before": registry.versions[2], "after": third_version}
    assert shown in stage(second, "prod")["plan"]["parameters"]

    registry.sagemaker.update_model_package(
        ModelPackageArn=registry.versions[2], CustomerMetadataProperties={"seen": "yes"}
    )
    registry.assess(3, "Rejected")
    words = f"Version 3 of {registry.name} was rejected while it is live in {WORKLOAD}"
    notice = eventually("a notice in Slack", lambda: next(iter(noticed(team, words)), ""))
    assert f"mlops rollback {WORKLOAD} --to {first['release_id']}" in notice
    mail = eventually("an e-mail", lambda: next(iter(mailed(team, words)), ""))
    assert "go back to version 2, which was live before it" in mail
    assert ids(team) == known, "a rejection changes nothing"

    registry.assess(2, "PendingManualApproval")
    registry.assess(2, "Approved")
    asks = "staging" if team.running.mode == "multi" else "prod"
    back = team.until_asked(team.started(WORKLOAD, frozenset(known)), asks)
    assert back["pins"] == {group: registry.versions[2]}
    assert "This is a downgrade: it deploys version 2" in back["warnings"][0]
    team.message(back["release_id"], "This is a downgrade")
    team.put_aside(back["release_id"])
    assert len(noticed(team, words)) == len(mailed(team, words)) == 1


def to_its_end(team: Team, known: set[str]) -> dict[str, Any]:
    """The next release, with every approval."""
    release_id = team.started(WORKLOAD, frozenset(known))
    ended = team.follower.until_end(release_id, decide=team.approve)
    assert ended.status == "succeeded", ended.reason
    return team.show(release_id)


def ids(team: Team) -> set[str]:
    """Releases of the workload so far."""
    return {one["release_id"] for one in team.releases(WORKLOAD)}


def noticed(team: Team, words: str) -> list[str]:
    """Messages in the channel with these words."""
    shown = [json.dumps(message, ensure_ascii=False) for message in team.running.slack.messages(CHANNEL)]
    return [text for text in shown if words in text]


def mailed(team: Team, words: str) -> list[str]:
    """E-mails with these words."""
    return [mail["message"] for mail in team.running.cloud.mail() if words in mail["message"]]
