"""Whoever asked hears in a direct message what became of it: once, not his own deeds, and nothing waits for that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.errors import ChatUnavailable
from orchestrator.core.installation import ChannelRoute
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.records import Release, Status, Verdict
from tests.fakes.memory_world import ANA, BEN, CHLOE, configuration, slack
from tests.slack_app.fake_chat import Died, Shown
from tests.slack_app.test_notify_release import Scene

MEMBERS = {"ana@example.com": "U0ANA", "ben@example.com": "U0BEN", "eve@example.com": "U0EVE"}


@pytest.fixture
def scene() -> Scene:
    found = Scene()
    found.chat.members = dict(MEMBERS)
    return found


def text(shown: Shown) -> str:
    return json.dumps(shown.message.blocks, ensure_ascii=False)


def ended(scene: Scene, outcome: Status, **more: str) -> Release:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.world.end(release.release_id, outcome, **more)
    scene.notify(release.release_id)
    return release


def test_each_decision_is_told_once_with_the_way_to_the_message(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    assert scene.chat.direct_messages == []
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    assert scene.notify(release.release_id).said == ("updated", "told privately")
    (told,) = scene.chat.direct_messages
    assert (told.channel, told.thread) == ("DU0ANA", "")
    assert told.message.text == "fraud-detector-realtime is approved to be deployed to staging by Ben Okafor."
    link = f"https://acme.slack.test/archives/ml-releases/p{scene.chat.messages[0].ts.replace('.', '')}"
    assert f"<{link}|Open the release's message>" in text(told)
    scene.notify(release.release_id)
    scene.world.end(release.release_id, Status.FAILED, cause="no capacity")
    for _ in range(2):
        scene.notify(release.release_id)
    assert len(scene.chat.direct_messages) == 2
    assert "no capacity" in text(scene.chat.direct_messages[1])
    assert scene.chat.calls.count("link") == 1


def test_a_rejection_is_told_with_its_reason_and_by_whom(scene: Scene) -> None:
    release = scene.rejected()
    scene.notify(release.release_id)
    (told,) = scene.chat.direct_messages
    assert "*Ben Okafor* said:" in text(told)
    assert "Recall is too low." in text(told)


@pytest.mark.parametrize(
    ("outcome", "word"), [(Status.EXPIRED, "expired"), (Status.FAILED, "failed"), (Status.SUCCEEDED, "released")]
)
def test_ends_are_told(scene: Scene, outcome: Status, word: str) -> None:
    ended(scene, outcome)
    (told,) = scene.chat.direct_messages
    assert word in told.message.text


def superseded_by(scene: Scene, requester: Identity) -> int:
    """How many direct messages the first requester gets when a newer release takes the place of his."""
    release = scene.waiting()
    scene.notify(release.release_id)
    newer = scene.world.release(configuration(instance_count=2), requester)
    by = {"ended_by": newer.release_id, "status": Status.SUPERSEDED}
    scene.world.memory.update(Release, release.key(), lambda found: replace(found, **by))  # type: ignore[arg-type]
    scene.notify(release.release_id)
    return len(scene.chat.direct_messages)


def test_nobody_is_told_of_his_own_deeds(scene: Scene) -> None:
    assert superseded_by(scene, slack(ANA)) == 0
    dev, staging, prod = scene.world.installation.stages
    assert staging.approval is not None
    own = replace(staging.approval, requester_may_approve=True)
    stages = (dev, replace(staging, approval=own), prod)
    everybody = {**scene.world.installation.roles, "ml-owner": ("ana@example.com",)}
    scene.world.installation = replace(scene.world.installation, stages=stages, roles=everybody)
    release = scene.waiting(model_name="own")
    scene.world.vote(ANA, scene.world.approval(release.release_id, "staging"), Verdict.REJECT, "Not yet.")
    scene.world.end(release.release_id, Status.REJECTED)
    scene.notify(release.release_id)
    release = scene.waiting(model_name="other")
    scene.world.vote(ANA, scene.world.approval(release.release_id, "staging"))
    scene.notify(release.release_id)
    assert scene.chat.direct_messages == []


def test_who_is_overtaken_by_somebody_else_is_told(scene: Scene) -> None:
    assert superseded_by(scene, slack(BEN)) == 1


@pytest.mark.parametrize(
    ("requester", "channel"),
    [
        (Identity(IdentityKind.SLACK, "U0EVE", verified=True), "DU0EVE"),
        (Identity(IdentityKind.EMAIL, "eve@example.com", verified=False), "DU0EVE"),
        (Identity(IdentityKind.GIT, "ana@home.example", verified=False), "DU0ANA"),
        (Identity(IdentityKind.GIT, "nobody@example.com", verified=False), ""),
        (Identity(IdentityKind.SLACK, "U0GUEST", verified=True), ""),
        (Identity(IdentityKind.IAM, "arn:aws:iam::1:user/eve", verified=True), ""),
        (UNKNOWN, ""),
    ],
    ids=lambda value: str(value) or "nobody",
)
def test_who_is_told(scene: Scene, requester: Identity, channel: str) -> None:
    release = scene.waiting()
    scene.world.memory.update(Release, release.key(), lambda found: replace(found, requester=requester))
    scene.world.end(release.release_id, Status.FAILED, cause="no capacity")
    for _ in range(2):
        scene.notify(release.release_id)
    assert [shown.channel for shown in scene.chat.direct_messages] == ([channel] if channel else [])
    assert scene.chat.calls.count("direct") == (1 if requester.kind in {"slack", "email", "git"} else 0), "asked once"


def test_it_can_be_turned_off(scene: Scene) -> None:
    scene.world.installation = replace(scene.world.installation, direct_messages=False)
    ended(scene, Status.FAILED, cause="no capacity")
    assert "direct" not in scene.chat.calls


def test_slack_failing_for_the_moment_keeps_nothing_back_and_is_repeated(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.chat.people_down = True
    scene.world.end(release.release_id, Status.FAILED, cause="no capacity")
    mails = len(scene.world.mail.sent)
    for _ in range(2):
        with pytest.raises(ChatUnavailable):
            scene.notify(release.release_id)
    assert "no capacity" in text(scene.chat.messages[0]), "the channel's message is current"
    assert len(scene.world.mail.sent) == mails + 1, "no question goes by e-mail because of it"
    scene.chat.people_down = False
    assert scene.notify(release.release_id).said == ("told privately",)


@pytest.mark.parametrize("refuses", [{"direct": "missing_scope"}, {"DU0ANA": "messages_tab_disabled"}])
def test_what_slack_refuses_for_good_is_not_tried_again(scene: Scene, refuses: dict[str, str]) -> None:
    scene.chat.refuses |= refuses
    ended(scene, Status.FAILED, cause="no capacity")
    before = list(scene.chat.calls)
    release = scene.world.memory.all(Release)[0]
    assert scene.notify(release.release_id).said == ()
    assert scene.chat.calls == before
    assert scene.chat.direct_messages == []


def test_a_function_that_dies_after_the_post_does_not_post_twice(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.world.end(release.release_id, Status.FAILED, cause="no capacity")
    real = scene.chat.post

    def dies(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise Died

    scene.chat.post = dies  # type: ignore[method-assign]
    with pytest.raises(Died):
        scene.notify(release.release_id)
    scene.chat.post = real  # type: ignore[method-assign]
    scene.world.clock.pass_seconds(200)
    scene.notify(release.release_id)
    assert len(scene.chat.direct_messages) == 1
    another = scene.waiting(model_name="churn")
    scene.world.end(another.release_id, Status.FAILED, cause="no capacity")
    scene.notify(another.release_id)
    first, second = (shown.key for shown in scene.chat.direct_messages)
    assert first != second, "one conversation holds what is told of all releases"


def test_a_release_is_told_in_the_channel_of_its_route_and_falls_back(scene: Scene) -> None:
    routes = (ChannelRoute(("fraud-*",), "fraud-team"),)
    scene.world.installation = replace(scene.world.installation, channels=routes)
    first = scene.waiting()
    scene.notify(first.release_id)
    assert {shown.channel for shown in scene.chat.shown} == {"fraud-team"}
    scene.chat.refuses["fraud-team"] = "is_archived"
    scene.world.vote(CHLOE, scene.world.approval(first.release_id, "staging"))
    scene.notify(first.release_id)
    moved = scene.chat.messages[-1]
    assert moved.channel == "ml-releases"
    assert "Slack refused the channel `fraud-team`" in text(moved)
