"""One message a release, one ping a question, one e-mail at the end: whatever dies, fails or comes twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from orchestrator.core.errors import ChatUnavailable, TryAgain
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.records import Release, Status, Verdict
from orchestrator.core.steps.notify_release import Notified, notify_release
from orchestrator.core.steps.speaking import HOLD
from tests.fakes.memory_world import BEN, BY_ANA, CHLOE, MemoryWorld, configuration, installation
from tests.slack_app.fake_chat import Died, FakeChat

CHANNEL = "ml-releases"


@dataclass
class Scene:
    """A world, a Slack, and the notifications between them."""

    world: MemoryWorld = field(default_factory=MemoryWorld)
    chat: FakeChat = field(default_factory=FakeChat)
    calls: int = 0
    slept: float = 0.0
    while_asleep: Callable[[], None] | None = None

    def notify(self, release_id: str, *, configured: bool = True) -> Notified:
        """The stream delivers a change of the release."""
        self.calls += 1
        return notify_release(
            release_id,
            store=self.world.store,
            chat=self.chat if configured else None,
            mail=self.world.mail,
            installation=self.world.installation,
            now=self.world.clock,
            pause=self._pause,
            holder=f"call-{self.calls}",
            groups=self.world.user_groups,
        )

    def _pause(self, seconds: float) -> None:
        self.slept += seconds
        self.world.clock.pass_seconds(seconds)
        if self.while_asleep is not None:
            then, self.while_asleep = self.while_asleep, None
            then()

    def row(self, release_id: str) -> ChatMessage:
        """What is noted about the release's message."""
        found = self.world.memory.get(ChatMessage, (f"RELEASE#{release_id}", "MESSAGE"))
        assert found is not None
        return found

    def waiting(self, **changes: object) -> Release:
        """A release that waits for the approval of staging."""
        release = self.world.release(configuration(**changes))
        self.world.package(release.release_id)
        self.world.deploy(release.release_id, "dev")
        self.world.verify(release.release_id, "dev")
        self.world.plan(release.release_id, "staging")
        self.world.ask(release.release_id, "staging")
        return self.world.of(release.release_id)

    def rejected(self) -> Release:
        """A release that was rejected and has ended."""
        release = self.waiting()
        approval = self.world.approval(release.release_id, "staging")
        self.world.vote(BEN, approval, Verdict.REJECT, "Recall is too low.")
        self.world.end(release.release_id, Status.REJECTED)
        return self.world.of(release.release_id)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_one_message_from_request_to_end(scene: Scene) -> None:
    release = scene.world.release()
    assert scene.notify(release.release_id).said == ("posted",)
    scene.world.package(release.release_id)
    assert scene.notify(release.release_id).said == ("updated",)
    scene.world.end(release.release_id, Status.FAILED, cause="no capacity")
    assert scene.notify(release.release_id).said == ("mailed", "updated")
    assert len(scene.chat.shown) == 1
    assert "no capacity" in json.dumps(scene.chat.shown[0].message.blocks)
    assert len(scene.world.mail.sent) == 1


def test_nothing_new_makes_no_call(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    before = list(scene.chat.calls)
    assert scene.notify(release.release_id) == Notified()
    assert scene.chat.calls == before


def test_a_question_pings_its_approvers_once_in_the_thread(scene: Scene) -> None:
    release = scene.waiting()
    assert scene.notify(release.release_id).said == ("posted", "asked", "attached")
    approval = scene.world.approval(release.release_id, "staging")
    assert scene.chat.messages[0].actions == ["approve", "approve_comment", "reject"]
    assert scene.chat.replies[0].thread == scene.chat.messages[0].ts
    assert "<@U0BEN>" in scene.chat.replies[0].message.text
    assert "<@U0ANA>" not in scene.chat.replies[0].message.text
    scene.world.vote(BEN, approval)
    scene.notify(release.release_id)
    assert len(scene.chat.replies) == 1


@pytest.mark.parametrize("end", [Status.REJECTED, Status.EXPIRED, Status.SUPERSEDED])
def test_a_question_that_is_over_has_no_buttons(scene: Scene, end: Status) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.world.end(release.release_id, end)
    scene.notify(release.release_id)
    assert scene.chat.messages[0].actions == []


def test_a_decision_takes_the_buttons_before_the_release_moves_on(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    scene.notify(release.release_id)
    assert scene.chat.messages[0].actions == []
    assert "Ben Okafor approved" in json.dumps(scene.chat.messages[0].message.blocks)


def test_a_new_plan_asks_anew(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    scene.world.stacks("staging").somebody_else_deploys(release.stack_name)
    scene.world.deploy(release.release_id, "staging")
    scene.world.plan(release.release_id, "staging")
    scene.world.ask(release.release_id, "staging")
    assert scene.notify(release.release_id).said == ("updated", "asked", "attached")
    assert len(scene.chat.messages) == 1
    assert len(scene.chat.replies) == 2
    value = scene.chat.messages[0].message.blocks
    assert scene.world.approval(release.release_id, "staging").digest[:16] in json.dumps(value)


# Dying in between.


def test_dying_between_post_and_record_finds_the_message_again(scene: Scene) -> None:
    release = scene.waiting()
    scene.chat.dies_after = "post"
    with pytest.raises(Died):
        scene.notify(release.release_id)
    scene.world.clock.pass_seconds(HOLD.total_seconds() + 1)
    scene.notify(release.release_id)
    assert len(scene.chat.messages) == 1
    assert scene.row(release.release_id).ts == scene.chat.messages[0].ts
    assert len(scene.chat.replies) == 1


def test_a_dead_calls_turn_ends_and_is_waited_for(scene: Scene) -> None:
    release = scene.world.release()
    row = ChatMessage(release.release_id, held_by="dead", held_until="2026-03-01T12:00:02.000Z")
    scene.world.memory.insert(row)
    assert scene.notify(release.release_id).said == ("posted",)
    assert scene.slept > 0


def test_a_lost_answer_posts_no_second_message(scene: Scene) -> None:
    release = scene.world.release()
    scene.chat.loses_answer = True
    with pytest.raises(ChatUnavailable):
        scene.notify(release.release_id)
    scene.notify(release.release_id)
    assert len(scene.chat.shown) == 1


def test_a_lost_answer_of_the_ping_pings_no_second_time(scene: Scene) -> None:
    release = scene.world.release()
    scene.notify(release.release_id)
    waiting = scene.waiting(model_name="other")
    scene.notify(waiting.release_id)  # the message and its ping
    assert len(scene.chat.replies) == 1
    row = scene.row(waiting.release_id)
    asked = next(once for once in row.announced if once.startswith("asked:"))
    scene.world.memory.update(
        ChatMessage, row.key(), lambda r: replace(r, announced=(), begun=(asked,), begun_at=release.created_at)
    )
    scene.notify(waiting.release_id)
    assert len(scene.chat.replies) == 1


def test_two_calls_at_once_post_once(scene: Scene) -> None:
    release = scene.world.release()

    real = scene.chat.post

    def slow(*args: object, **kwargs: object) -> object:
        """While the first speaks, the second comes, waits, and gives up its turn to the stream's next delivery."""
        scene.chat.post = real  # type: ignore[method-assign]
        with pytest.raises(TryAgain):
            scene.notify(release.release_id)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    scene.chat.post = slow  # type: ignore[method-assign,assignment]
    scene.notify(release.release_id)
    scene.notify(release.release_id)
    assert len(scene.chat.shown) == 1


def test_a_call_that_waited_shows_what_is_true_by_then(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    until = "2026-03-01T13:00:00.000Z"
    row = scene.row(release.release_id)
    scene.world.memory.update(ChatMessage, row.key(), lambda r: replace(r, held_by="other", held_until=until))

    def other_ends() -> None:
        scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
        scene.world.memory.update(ChatMessage, row.key(), lambda r: replace(r, held_by="", held_until=""))

    scene.while_asleep = other_ends
    scene.notify(release.release_id)
    assert scene.chat.messages[0].actions == []


# Slack's bad days.


def test_slack_down_still_mails_the_end_once_and_is_repeated(scene: Scene) -> None:
    release = scene.rejected()
    scene.chat.down = True
    for _ in range(3):
        with pytest.raises(ChatUnavailable):
            scene.notify(release.release_id)
    assert [subject for subject, _ in scene.world.mail.sent] == ["[rejected] fraud-detector-realtime (staging)"]
    assert "Recall is too low." in scene.world.mail.sent[0][1]
    scene.chat.down = False
    assert scene.notify(release.release_id).said == ("posted",)
    assert len(scene.world.mail.sent) == 1


def test_slack_down_puts_the_question_by_mail_once(scene: Scene) -> None:
    release = scene.waiting()
    scene.chat.down = True
    for _ in range(2):
        with pytest.raises(ChatUnavailable):
            scene.notify(release.release_id)
    ((subject, text),) = scene.world.mail.sent
    assert subject.startswith("[approval needed]")
    assert f"mlops approve {release.release_id}" in text
    scene.chat.down = False
    scene.notify(release.release_id)
    assert scene.chat.messages[0].actions == ["approve", "approve_comment", "reject"]


def test_without_slack_there_is_mail_only(scene: Scene) -> None:
    release = scene.waiting()
    assert scene.notify(release.release_id, configured=False).said == ("mailed",)
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    scene.world.end(release.release_id, Status.FAILED, cause="no capacity")
    assert scene.notify(release.release_id, configured=False).said == ("mailed",)
    assert [subject.split("]")[0] for subject, _ in scene.world.mail.sent] == ["[approval needed", "[failed"]
    assert scene.chat.calls == []


def test_mail_failing_keeps_nothing_from_slack_and_is_repeated(scene: Scene) -> None:
    release = scene.rejected()
    real = scene.world.mail.send

    def broken(subject: str, text: str) -> None:
        raise RuntimeError("SNS is down")

    scene.world.mail.send = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        scene.notify(release.release_id)
    assert len(scene.chat.messages) == 1
    scene.world.mail.send = real  # type: ignore[method-assign]
    scene.notify(release.release_id)
    scene.notify(release.release_id)
    assert len(scene.world.mail.sent) == 1


def test_a_refusal_for_good_is_not_repeated(scene: Scene) -> None:
    release = scene.waiting()
    scene.chat.refuses[CHANNEL] = "invalid_auth"
    assert scene.notify(release.release_id).refusal == "invalid_auth"
    assert scene.world.mail.sent[0][0].startswith("[approval needed]")
    scene.chat.refuses.clear()
    assert scene.notify(release.release_id).said == ("posted", "asked", "attached")
    assert scene.chat.calls.count("find") == 0


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "is_archived"])
def test_a_channel_that_does_not_work_falls_back_with_a_note(scene: Scene, code: str) -> None:
    release = scene.waiting(channel="fraud-team")
    scene.chat.refuses["fraud-team"] = code
    scene.notify(release.release_id)
    (message,) = scene.chat.messages
    assert message.channel == CHANNEL
    assert code in json.dumps(message.message.blocks)
    assert "fraud-team" in json.dumps(message.message.blocks)
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    scene.notify(release.release_id)
    assert code in json.dumps(scene.chat.messages[0].message.blocks), "the note stays"


def test_a_releases_own_channel_is_used(scene: Scene) -> None:
    release = scene.waiting(channel="fraud-team")
    scene.notify(release.release_id)
    assert {shown.channel for shown in scene.chat.shown} == {"fraud-team"}


def test_a_channel_archived_in_between_moves_the_message_and_asks_again(scene: Scene) -> None:
    release = scene.waiting(channel="fraud-team")
    scene.notify(release.release_id)
    scene.chat.refuses["fraud-team"] = "is_archived"
    scene.world.vote(CHLOE, scene.world.approval(release.release_id, "staging"))
    scene.notify(release.release_id)
    assert [shown.channel for shown in scene.chat.messages] == ["fraud-team", CHANNEL]


def test_a_deleted_message_is_posted_again(scene: Scene) -> None:
    release = scene.waiting()
    scene.notify(release.release_id)
    scene.chat.shown.clear()
    scene.world.vote(BEN, scene.world.approval(release.release_id, "staging"))
    assert scene.notify(release.release_id).said == ("posted",)


def test_a_message_that_slack_finds_wrong_still_asks(scene: Scene) -> None:
    release = scene.waiting()
    scene.chat.finds_wrong = 1
    scene.notify(release.release_id)
    assert scene.chat.messages[0].actions == ["approve", "approve_comment", "reject"]


def test_a_refused_configuration_mails_every_problem(scene: Scene) -> None:
    upload = scene.world.put_configuration({"pipeline_type": "byom_realtime_builtin", "colour": "red"})
    receipt = scene.world.receive(upload)
    (release,) = receipt.releases
    scene.notify(release.release_id)
    ((subject, text),) = scene.world.mail.sent
    assert subject == "[refused] configuration"
    for problem in scene.world.of(release.release_id).problems:
        assert problem in text


def test_the_token_is_in_no_message_and_no_mail() -> None:
    scene = Scene(MemoryWorld(installation=installation()))
    release = scene.rejected()
    scene.notify(release.release_id)
    said = json.dumps([shown.message.blocks for shown in scene.chat.shown]) + json.dumps(scene.world.mail.sent)
    assert "token-" not in said
    assert BY_ANA.value not in said
