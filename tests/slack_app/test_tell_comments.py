"""Comments of approvals: a reply in the thread for each, once, whatever dies or fails meanwhile."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import ChatUnavailable
from orchestrator.core.records import Release, Verdict
from orchestrator.core.steps.speaking import HOLD
from tests.fakes.memory_world import BEN, CHLOE
from tests.slack_app.fake_chat import Died
from tests.slack_app.test_notify_release import Scene

COMMENT = "Recall is fine, <!channel>; watch the latency."


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def release(scene: Scene) -> Release:
    """It waits, everybody has been told so, and Ben has approved it with a comment since."""
    release = scene.waiting()
    scene.notify(release.release_id)
    approval = scene.world.approval(release.release_id, "staging")
    scene.world.vote(BEN, approval, Verdict.APPROVE, COMMENT)
    return release


def comments(scene: Scene) -> list[str]:
    return [reply.message.text for reply in scene.chat.replies if "watch the latency" in reply.message.text]


def test_it_is_told_once_and_pings_nobody(scene: Scene, release: Release) -> None:
    assert "commented" in scene.notify(release.release_id).said
    assert "commented" not in scene.notify(release.release_id).said
    (told,) = comments(scene)
    assert "Ben Okafor" in told
    assert "<!channel>" not in told


def test_dying_between_reply_and_record_tells_it_no_second_time(scene: Scene, release: Release) -> None:
    scene.chat.dies_after = "post"
    with pytest.raises(Died):
        scene.notify(release.release_id)
    assert len(comments(scene)) == 1
    scene.world.clock.pass_seconds(HOLD.total_seconds() + 1)
    scene.notify(release.release_id)
    scene.notify(release.release_id)
    assert len(comments(scene)) == 1


def test_a_lost_answer_tells_it_no_second_time(scene: Scene, release: Release) -> None:
    scene.chat.loses_answer = True
    with pytest.raises(ChatUnavailable):
        scene.notify(release.release_id)
    scene.notify(release.release_id)
    assert len(comments(scene)) == 1


def test_while_slack_is_down_it_waits(scene: Scene, release: Release) -> None:
    scene.chat.down = True
    with pytest.raises(ChatUnavailable):
        scene.notify(release.release_id)
    assert comments(scene) == []
    scene.chat.down = False
    scene.notify(release.release_id)
    assert len(comments(scene)) == 1


def test_an_approval_without_words_has_no_reply(scene: Scene) -> None:
    release = scene.waiting()
    scene.world.vote(CHLOE, scene.world.approval(release.release_id, "staging"), Verdict.APPROVE, "  \n")
    assert "commented" not in scene.notify(release.release_id).said
