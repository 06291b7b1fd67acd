"""Reminders in the thread of the release's message, once each, to whom they concern; by e-mail where Slack is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.errors import ChatUnavailable
from orchestrator.core.installation import ApprovalPolicy, Reminders, StageSettings
from orchestrator.core.records import Release, Status
from tests.fakes.memory_world import BEN, ROLES, MemoryWorld, installation
from tests.slack_app.fake_chat import Died
from tests.slack_app.test_notify_release import Scene

HOUR = 3600
GROUP = "S0OWNERS"


def scene_with(policy: ApprovalPolicy) -> Scene:
    stages = (
        StageSettings("dev", "2" * 12),
        StageSettings("staging", "3" * 12, policy),
        StageSettings("prod", "4" * 12),
    )
    roles = {**ROLES, "duty": (GROUP,), "cto": ("dev@example.com",)}
    scene = Scene(MemoryWorld(installation=installation(*stages, roles=roles)))
    scene.world.user_groups.known[GROUP] = {"U0BEN", "U0DEV", "U0ZOE"}
    return scene


@pytest.fixture
def scene() -> Scene:
    return scene_with(ApprovalPolicy(((("duty", 2),),), reminders=Reminders(4, 2)))


def waiting(scene: Scene) -> Release:
    release = scene.waiting()
    scene.notify(release.release_id)
    return release


def pass_hours(scene: Scene, hours: float) -> None:
    scene.world.clock.pass_seconds(hours * HOUR)
    scene.world.sweep()


def test_the_question_calls_the_group_and_the_reminder_its_members_who_are_known(scene: Scene) -> None:
    release = waiting(scene)
    (question,) = scene.chat.replies
    assert question.message.text.startswith(f"<!subteam^{GROUP}> ")
    pass_hours(scene, 5)
    assert scene.notify(release.release_id).said == ("reminded",)
    reminder = scene.chat.replies[-1]
    assert reminder.thread == scene.chat.messages[0].ts
    assert reminder.message.text.startswith("<@U0BEN> <@U0DEV> fraud-detector-realtime still waits")
    assert "It expires in 3 days." in reminder.message.text
    assert "U0ZOE" not in reminder.message.text, "nobody of people, who could not decide"


def test_who_has_voted_is_not_called_again(scene: Scene) -> None:
    release = waiting(scene)
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    pass_hours(scene, 5)
    scene.notify(release.release_id)
    text = scene.chat.replies[-1].message.text
    assert ("<@U0DEV>" in text, "<@U0BEN>" in text, GROUP in text) == (True, False, False)


def test_who_does_not_want_to_be_called_is_named_and_not_mentioned() -> None:
    policy = ApprovalPolicy(((("risk", 1),), (("cto", 1),)), reminders=Reminders(4, 1), do_not_ping=("cto",))
    scene = scene_with(policy)
    release = waiting(scene)
    pass_hours(scene, 5)
    scene.notify(release.release_id)
    for reply in scene.chat.replies:
        assert "U0DEV" not in str(reply.message.blocks)
        assert "(May decide too, not called: Dev Patel.)" in str(reply.message.blocks)
        assert "<@U0BEN> <@U0CHLOE>" in str(reply.message.blocks)


def test_each_reminder_is_said_once_and_no_more_of_them_than_are_wanted(scene: Scene) -> None:
    release = waiting(scene)
    for _ in range(70):
        pass_hours(scene, 1)
        scene.notify(release.release_id)
        scene.notify(release.release_id)
    assert len(scene.chat.replies) == 1 + 2


@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_function_that_dies_after_posting_says_it_no_second_time(scene: Scene, answer_lost: bool) -> None:
    release = waiting(scene)
    pass_hours(scene, 5)
    if answer_lost:
        scene.chat.loses_answer = True
        with pytest.raises(ChatUnavailable):
            scene.notify(release.release_id)
    else:
        scene.chat.dies_after = "post"
        with pytest.raises(Died):
            scene.notify(release.release_id)
        scene.world.clock.pass_seconds(200)
    scene.notify(release.release_id)
    assert len(scene.chat.replies) == 2


def test_of_reminders_that_fell_into_an_outage_one_is_said(scene: Scene) -> None:
    release = waiting(scene)
    scene.chat.down = True
    pass_hours(scene, 5)
    with pytest.raises(ChatUnavailable):
        scene.notify(release.release_id)
    pass_hours(scene, 11)
    scene.chat.down = False
    scene.notify(release.release_id)
    assert len(scene.world.approval(release.release_id, "staging").reminded_at) == 2
    assert len(scene.chat.replies) == 2


def test_nothing_is_said_after_the_end(scene: Scene) -> None:
    release = waiting(scene)
    pass_hours(scene, 5)
    scene.world.clock.pass_seconds(67 * HOUR)
    assert "reminded" not in scene.notify(release.release_id).said, "it has expired, though nobody has noted so yet"
    scene.world.end(release.release_id, Status.EXPIRED)
    scene.notify(release.release_id)
    assert len(scene.chat.replies) == 1


def test_when_slack_does_not_tell_of_the_group_it_is_called_as_a_whole(scene: Scene) -> None:
    release = waiting(scene)
    scene.world.user_groups.down = True
    pass_hours(scene, 5)
    scene.notify(release.release_id)
    assert scene.chat.replies[-1].message.text.startswith(f"<!subteam^{GROUP}> ")


def test_where_slack_is_not_set_up_it_comes_by_e_mail(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id, configured=False)
    pass_hours(scene, 5)
    assert scene.notify(release.release_id, configured=False).said == ("mailed",)
    assert scene.notify(release.release_id, configured=False).said == ()
    subject, text = scene.world.mail.sent[-1]
    assert subject.startswith("[reminder] fraud-detector-realtime waits for a decision about staging")
    assert "Still needed: 2 × duty." in text
    assert f"mlops approve {release.release_id}" in text


def test_where_slack_refuses_the_channel_it_comes_by_e_mail_too(scene: Scene) -> None:
    release = scene.waiting()
    scene.chat.refuses["ml-releases"] = "channel_not_found"
    scene.notify(release.release_id)
    pass_hours(scene, 5)
    assert scene.notify(release.release_id).said == ("mailed",)
    assert scene.world.mail.sent[-1][0].startswith("[reminder]")
    assert scene.notify(release.release_id).said == ()


def test_names_of_others_cannot_ping_anybody(scene: Scene) -> None:
    people = scene.world.installation.people
    everybody = tuple(replace(one, name="<!channel>", slack_ids=()) for one in people.everybody)
    policy = ApprovalPolicy(((("risk", 1),),), reminders=Reminders(4, 1))
    scene.world.installation = installation(
        *(replace(stage, approval=policy if stage.approval else None) for stage in scene.world.installation.stages),
        people=replace(people, everybody=everybody),
    )
    release = waiting(scene)
    pass_hours(scene, 5)
    scene.notify(release.release_id)
    assert "<!channel>" not in str(scene.chat.replies[-1].message.blocks)
    assert "&lt;!channel&gt;" in str(scene.chat.replies[-1].message.blocks)
