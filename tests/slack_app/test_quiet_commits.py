"""What a push brings along unchanged is nobody's news; what it changes, refuses or deletes is told as ever."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.installation import Repository
from orchestrator.core.records import Release, Status, Workload
from orchestrator.core.steps.receive_push import receive_push
from tests.fakes.git import REPOSITORY, FakeRepositories, push
from tests.fakes.memory_world import MemoryWorld, configuration, installation
from tests.slack_app.test_notify_release import Scene

PATH = "fraud/mlops-config.json"


class Pushes:
    """A scene whose releases come with commits."""

    def __init__(self) -> None:
        self.scene = Scene(MemoryWorld(installation=installation(repositories=(Repository(REPOSITORY, "main"),))))
        self.world = self.scene.world
        self.world.put_configuration(configuration())  # brings the assets along
        self.git = FakeRepositories()

    def push(self, files: dict[str, bytes | None], **changes: Any) -> Release:
        """Push onto the branch; the one release of it."""
        old = self.git.head(REPOSITORY, "main")
        commit = self.git.commit(files, old)
        (release,) = receive_push(push(commit, old, **changes), self.git, self.world.reception).releases
        return release

    def live(self, release_id: str) -> None:
        """Take a release all the way, as far as its workload's record tells."""
        release = self.world.of(release_id)
        key = Workload.named(release.workload).key()
        self.world.store.update(
            Workload,
            key,
            lambda found: replace(
                found, live_release=release_id, live_digest=release.digest, running_release="", running_digest=""
            ),
        )


def text(**changes: Any) -> bytes:
    return json.dumps(configuration(**changes)).encode()


@pytest.fixture
def pushes() -> Pushes:
    return Pushes()


def test_a_message_begins_where_it_is_certain_that_something_changes(pushes: Pushes) -> None:
    release = pushes.push({PATH: text()})
    assert pushes.scene.notify(release.release_id).said == ()
    pushes.world.package(release.release_id)
    pushes.world.deploy(release.release_id, "dev")
    assert pushes.scene.notify(release.release_id).said == ("posted",)


def test_what_is_live_already_ends_in_silence(pushes: Pushes) -> None:
    first = pushes.push({PATH: text()})
    pushes.world.package(first.release_id)
    pushes.live(first.release_id)
    again = pushes.push({PATH: text() + b"\n"})
    for _ in range(2):
        assert pushes.scene.notify(again.release_id).said == ()
        assert pushes.world.package(again.release_id) == {"outcome": "unchanged"}
    pushes.world.end(again.release_id, Status.UNCHANGED)
    assert pushes.world.of(again.release_id).status is Status.UNCHANGED
    assert pushes.scene.notify(again.release_id).said == ()
    assert pushes.scene.chat.messages == []
    assert pushes.world.mail.sent == []


def test_what_waits_behind_another_release_is_told(pushes: Pushes) -> None:
    first = pushes.push({PATH: text()})
    pushes.world.package(first.release_id)
    second = pushes.push({PATH: text(description="new")}, time="2026-03-01T12:00:05Z")
    with pytest.raises(Exception, match="has its turn"):
        pushes.world.package(second.release_id)
    assert pushes.scene.notify(second.release_id).said == ("posted",)


def test_a_refusal_and_a_deletion_are_told(pushes: Pushes) -> None:
    refused = pushes.push({PATH: b"{nope"})
    assert pushes.scene.notify(refused.release_id).said == ("mailed", "posted")
    deleted = pushes.push({PATH: None})
    assert pushes.scene.notify(deleted.release_id).said == ("mailed", "posted")
    subject, told = pushes.world.mail.sent[-1]
    assert subject == "[deleted] configuration"
    assert "The configuration fraud/mlops-config.json was deleted." in told
    assert "Nothing was started and nothing removed" in told
