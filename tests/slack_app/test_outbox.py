"""The outbox: nothing is forgotten, one sends at a time, and Slack is called no faster than it wants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from functions.notify.slack_chat import SlackChat
from orchestrator.core.errors import ChatPutOff
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.outbox import OUTBOX, ChatMessage, Sender, Unsaid
from orchestrator.core.records import Release, Status, Verdict
from orchestrator.core.steps.notify_release import Notified, gather
from orchestrator.core.steps.send_unsaid import BATCH, REFUSALS, Outbox, note_unsaid, send_unsaid
from orchestrator.core.steps.sending import BRIEF, HOLD, POSTS, TIER_3
from tests.fakes.memory_world import BEN, MemoryWorld, configuration, installation
from tests.fakes.outbox import note, send, sending_of
from tests.slack_app.in_process import API_URL, BOT_TOKEN, CHANNEL, SlackInProcess

MINUTE = 60


def _world() -> MemoryWorld:
    return MemoryWorld(installation=installation(slack_api_url=API_URL, slack_channel="ml-releases"))


@dataclass
class Scene:
    """Releases, and Slack in this process."""

    world: MemoryWorld = field(default_factory=_world)
    failures: list[tuple[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slack = SlackInProcess(self.world.clock)

    def call(self, *release_ids: str, seconds: float = 10, token: str = BOT_TOKEN) -> Outbox | None:
        """The function is called: by the stream for these releases, or by the schedule for none."""
        note(self.world, release_ids)
        sending = sending_of(self.world, self.pause)
        chat = SlackChat(token, API_URL, sending)
        return send(self.world, chat, sending, seconds=seconds, failed=self.failed)

    def failed(self, release_id: str, error: Exception) -> None:
        """Somebody could not be told of a release."""
        self.failures.append((release_id, str(error)))

    def pause(self, seconds: float) -> None:
        """Wait."""
        self.slept.append(seconds)
        self.world.clock.pass_seconds(seconds)

    def minutes(self, count: int) -> None:
        """The schedule calls so often."""
        for _ in range(count):
            self.world.clock.pass_seconds(MINUTE)
            self.call(seconds=50)

    def waiting(self, name: str = "fraud-detector") -> Release:
        """A release that waits for the approval of staging."""
        values = configuration(model_name=name, data_capture_location=f"capture-bucket/{name}")
        release = self.world.release(values)
        self.world.package(release.release_id)
        self.world.deploy(release.release_id, "dev")
        self.world.verify(release.release_id, "dev")
        self.world.plan(release.release_id, "staging")
        self.world.ask(release.release_id, "staging")
        return self.world.of(release.release_id)

    def reject(self, release: Release) -> None:
        """It is rejected, and ends."""
        self.world.vote(BEN, self.world.approval(release.release_id, "staging"), Verdict.REJECT, "Too low.")
        self.world.end(release.release_id, Status.REJECTED)

    @property
    def unsaid(self) -> dict[str, Unsaid]:
        """What is in the outbox."""
        return {row.release_id: row for row in self.world.memory.under(Unsaid, OUTBOX)}

    def current(self, release: Release) -> bool:
        """Whether the release's message is there, and shows what the records say."""
        row = self.world.memory.get(ChatMessage, (f"RELEASE#{release.release_id}", "MESSAGE"))
        facts = gather(release.release_id, self.world.memory, self.world.installation)
        there = {(message.channel, message.ts) for message in self.slack.messages()}
        return row is not None and (row.channel, row.ts) in there and row.rendered == release_message(facts).fingerprint

    def methods(self, *, since: float = 0) -> list[str]:
        """What Slack was called for since a moment."""
        return [method for when, method, _ in self.slack.calls if when >= since]

    @property
    def moment(self) -> float:
        """Now, in seconds."""
        return self.world.clock.moment.timestamp()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    with scene.slack.wired():
        yield scene


def test_what_is_said_leaves_the_outbox(scene: Scene) -> None:
    release = scene.waiting()
    assert scene.call(release.release_id) == Outbox()
    assert scene.unsaid == {}
    assert scene.current(release)
    assert scene.slept == [], "one question is asked without waiting"
    assert scene.methods() == [*["chat.postMessage"] * 2, "files.getUploadURLExternal", "files.completeUploadExternal"]


def test_many_changes_are_one_update(scene: Scene) -> None:
    release = scene.world.release()
    scene.call(release.release_id)
    scene.slack.faults.change({"outage": True})
    for change in (
        lambda: scene.world.package(release.release_id),
        lambda: scene.world.deploy(release.release_id, "dev"),
        lambda: scene.world.verify(release.release_id, "dev"),
    ):
        change()
        scene.call(release.release_id)
    scene.slack.faults.change({"outage": False})
    before = scene.moment
    scene.minutes(2)
    assert scene.methods(since=before) == ["chat.update"]
    assert scene.current(release)


def test_what_changes_while_it_is_said_is_said_again(scene: Scene) -> None:
    release = scene.world.release()
    note(scene.world, [release.release_id])
    told: list[str] = []

    def notify(release_id: str) -> Notified:
        told.append(release_id)
        if len(told) == 1:
            note(scene.world, [release_id])
        return Notified()

    sending = sending_of(scene.world)
    store, clock = scene.world.store, scene.world.clock
    send_unsaid(notify, sending=sending, store=store, now=clock, failed=lambda one, error: None, seconds=10)
    assert told == [release.release_id] * 2
    assert scene.unsaid == {}


# One sends at a time.


def test_who_comes_while_another_sends_is_heard_before_that_one_goes(scene: Scene) -> None:
    first, second = scene.waiting("first"), scene.waiting("second")
    note(scene.world, [first.release_id])
    told: list[str] = []

    def notify(release_id: str) -> Notified:
        told.append(release_id)
        if release_id == first.release_id:
            assert scene.call(second.release_id) is None, "the other sends"
            assert scene.methods() == []
        return Notified()

    store, clock = scene.world.store, scene.world.clock
    left = send_unsaid(
        notify, sending=sending_of(scene.world), store=store, now=clock, failed=lambda one, error: None, seconds=10
    )
    assert told == [first.release_id, second.release_id]
    assert left == Outbox()


def test_a_knock_right_before_the_end_is_heard(scene: Scene) -> None:
    release = scene.waiting()
    sending = sending_of(scene.world)
    assert sending.take()
    sending.keep()
    note(scene.world, [release.release_id])
    assert not sending_of(scene.world).take()
    assert not sending.end(), "somebody knocked after the last look"
    sending.keep()
    assert sending.end()


def test_a_dead_senders_turn_ends(scene: Scene) -> None:
    release = scene.waiting()
    assert sending_of(scene.world).take()
    assert scene.call(release.release_id) is None
    scene.world.clock.pass_seconds(HOLD.total_seconds())
    scene.minutes(1)
    assert scene.current(release)


def test_a_sender_that_was_too_slow_stops(scene: Scene) -> None:
    release = scene.waiting()
    note(scene.world, [release.release_id])

    def notify(release_id: str) -> Notified:
        scene.world.clock.pass_seconds(HOLD.total_seconds() + 1)
        assert sending_of(scene.world).take()
        return Notified()

    store, clock = scene.world.store, scene.world.clock
    left = send_unsaid(
        notify, sending=sending_of(scene.world), store=store, now=clock, failed=lambda one, error: None, seconds=500
    )
    assert left is None
    (sender,) = scene.world.memory.all(Sender)
    assert sender.held_by, "the other's turn is left alone"


# Slack's pace.


def test_a_retry_after_is_kept_by_everybody_and_not_waited_for(scene: Scene) -> None:
    first, second = scene.waiting("first"), scene.waiting("second")
    scene.slack.faults.change({"rate_limit": 1, "retry_after": 30})
    scene.call(first.release_id, second.release_id)
    told = scene.moment
    assert len(scene.slack.calls) == 1, "the other release did not try its luck"
    assert scene.slept == []
    for _ in range(40):
        scene.world.clock.pass_seconds(1)
        scene.call(second.release_id)
    later = [when - told for when, _, _ in scene.slack.calls[1:]]
    assert min(later) >= 30 - 0.1
    assert [seconds for seconds in scene.slept if seconds > BRIEF] == []
    assert scene.current(first)
    assert scene.current(second)


def test_a_short_pause_is_waited_for_and_makes_no_mail(scene: Scene) -> None:
    release = scene.waiting()
    scene.slack.faults.change({"rate_limit": 1, "retry_after": 1})
    scene.call(release.release_id)
    assert scene.current(release)
    assert len(scene.slept) == 1
    assert scene.world.mail.sent == []


def test_a_long_pause_puts_the_question_by_mail_at_once(scene: Scene) -> None:
    releases = [scene.waiting(f"w{number}") for number in range(3)]
    scene.slack.faults.change({"rate_limit": 1, "retry_after": 600})
    scene.call(*(release.release_id for release in releases))
    assert len(scene.world.mail.sent) == 3
    assert all(subject.startswith("[approval needed]") for subject, _ in scene.world.mail.sent)
    scene.minutes(5)
    assert len(scene.world.mail.sent) == 3, "once each"
    assert len(scene.slack.calls) == 1
    scene.minutes(7)
    assert all(scene.current(release) for release in releases)


def test_no_minute_has_more_calls_than_slack_publishes(scene: Scene) -> None:
    sending = sending_of(scene.world, scene.pause)
    assert sending.take()
    for method, most in (("chat.update", 50), ("chat.postMessage", MINUTE + POSTS.burst)):
        times = []
        for _ in range(150):
            sending.before(method)
            times.append(scene.moment)
        for start in times:
            assert sum(start <= when < start + MINUTE for when in times) <= most, method
    assert max(scene.slept) <= TIER_3.every


def test_the_pace_outlives_the_call(scene: Scene) -> None:
    for _ in range(3):
        sending = sending_of(scene.world, scene.pause)
        assert sending.take()
        for _ in range(4):
            sending.before("chat.update")
        sending.end()
    assert len(scene.slept) == 2, "ten at once, the eleventh and twelfth one by one"
    assert all(TIER_3.every - 0.1 < seconds <= TIER_3.every for seconds in scene.slept)


def test_a_workspace_that_allows_more_is_called_faster(scene: Scene) -> None:
    sending = sending_of(scene.world, scene.pause, pace=10)
    assert sending.take()
    for _ in range(50):
        sending.before("chat.update")
    assert sum(scene.slept) < 50 * TIER_3.every / 10


def test_methods_do_not_wait_for_each_other(scene: Scene) -> None:
    sending = sending_of(scene.world, scene.pause)
    assert sending.take()
    for method in range(20):
        sending.before(f"method.{method}")
    assert scene.slept == []


def test_a_crowd_is_told_at_slacks_pace(scene: Scene) -> None:
    releases = [scene.waiting(f"w{number}") for number in range(20)]
    scene.call(*(release.release_id for release in releases), seconds=20)
    assert 0 < len(scene.unsaid) < 20
    assert sum(scene.slept) <= 20 + BATCH * 2
    scene.minutes(2)
    assert all(scene.current(release) for release in releases)


# Outages.


@contextmanager
def outage(scene: Scene) -> Iterator[None]:
    """Slack is down."""
    scene.slack.faults.change({"outage": True})
    yield
    scene.slack.faults.change({"outage": False})


def test_ten_minutes_without_slack_are_made_good(scene: Scene) -> None:
    shown, asked = scene.waiting("shown"), scene.waiting("asked")
    scene.call(shown.release_id)
    with outage(scene):
        scene.reject(shown)
        scene.call(shown.release_id, asked.release_id)
        scene.minutes(10)
        assert len(scene.methods()) <= 2 + 2 * 11
        assert not scene.current(shown)
    scene.minutes(2)
    assert scene.current(shown)
    assert scene.current(asked)
    assert scene.unsaid == {}
    mails = [subject.split("]")[0] for subject, _ in scene.world.mail.sent]
    assert sorted(mails) == ["[approval needed", "[rejected"], "each once, in the first minute"


def test_a_day_without_slack_is_made_good_at_slacks_pace(scene: Scene) -> None:
    releases = [scene.waiting(f"w{number}") for number in range(12)]
    scene.call(*(release.release_id for release in releases[:6]))
    with outage(scene):
        for number, release in enumerate(releases):
            if number % 2:
                scene.reject(release)
            scene.call(release.release_id)
        began = len(scene.slack.calls)
        scene.minutes(30)
        assert len(scene.slack.calls) - began <= 30 + 1, "Slack is tried once a minute, whatever waits"
        for _ in range(100):
            scene.world.clock.pass_seconds(15 * MINUTE)
            scene.call(seconds=50)
        left = scene.call()
        assert left is not None
        assert left.unsaid >= 6
        assert left.oldest_seconds >= timedelta(hours=25).total_seconds()
        assert set(scene.unsaid) <= {release.release_id for release in releases}
    scene.minutes(3)
    assert all(scene.current(release) for release in releases)
    assert scene.call() == Outbox()


def test_a_token_that_does_not_do_stops_all_and_forgets_nothing(scene: Scene) -> None:
    first, second = scene.waiting("first"), scene.waiting("second")
    scene.call(first.release_id, second.release_id, token="xoxb-replaced")
    for _ in range(2 * REFUSALS):
        scene.world.clock.pass_seconds(MINUTE)
        scene.call(seconds=50, token="xoxb-replaced")
    assert {row.refusals for row in scene.unsaid.values()} == {0}
    assert len(scene.slack.calls) <= 2 * REFUSALS + 3
    scene.minutes(2)
    assert scene.current(first)
    assert scene.current(second)


# Poison.


def test_a_release_that_slack_refuses_keeps_no_other_waiting_and_is_tried_less_and_less(scene: Scene) -> None:
    poisoned = [scene.waiting(f"p{number}") for number in range(2 * BATCH)]
    scene.slack.faults.change({"archived": [CHANNEL]})
    left = scene.call(*(release.release_id for release in poisoned), seconds=50)
    assert left == Outbox(unsaid=0, oldest_seconds=0, refused=2 * BATCH)
    healthy = scene.world.release(configuration(model_name="other", channel="ml-platform"))
    scene.call(healthy.release_id)
    assert scene.current(healthy)
    before = len(scene.slack.calls)
    scene.minutes(120)
    assert len(scene.slack.calls) - before <= 8 * 2 * BATCH
    scene.slack.faults.change({"archived": []})
    scene.minutes(61)
    assert all(scene.current(release) for release in poisoned)


def test_a_refusal_that_lasts_is_given_up_until_the_release_changes(scene: Scene) -> None:
    release = scene.waiting()
    scene.slack.faults.change({"archived": [CHANNEL]})
    scene.call(release.release_id)
    for _ in range(REFUSALS):
        scene.world.clock.pass_seconds(3601)
        scene.call(seconds=50)
    assert scene.unsaid == {}
    assert scene.failures[-1] == (release.release_id, "Slack refused the message: is_archived")
    scene.slack.faults.change({"archived": []})
    scene.reject(release)
    scene.call(release.release_id)
    assert scene.current(release)


def test_one_whose_mail_does_not_go_keeps_no_other_waiting(scene: Scene) -> None:
    broken, healthy = scene.waiting("broken"), scene.waiting("healthy")
    scene.reject(broken)
    real = scene.world.mail.send

    def refusing(subject: str, text: str) -> None:
        raise RuntimeError("SNS is down")

    scene.world.mail.send = refusing  # type: ignore[method-assign]
    scene.call(broken.release_id, healthy.release_id)
    assert scene.current(broken), "Slack has heard of it"
    assert scene.current(healthy)
    scene.world.mail.send = real  # type: ignore[method-assign]
    scene.minutes(1)
    assert [subject for subject, _ in scene.world.mail.sent] == ["[rejected] broken-realtime (staging)"]
    assert scene.unsaid == {}


def test_a_release_that_was_deleted_by_hand_is_forgotten(scene: Scene) -> None:
    assert scene.call("no-such-release") == Outbox()
    assert scene.failures == [("no-such-release", scene.failures[0][1])]
    assert scene.unsaid == {}


# The rows themselves.


def test_a_note_makes_a_put_off_release_new(scene: Scene) -> None:
    scene.world.memory.insert(
        Unsaid("r-1", "2026-03-01T12:00:00.000Z", 3, 7, 2, "is_archived", "2026-03-02T12:00:00.000Z")
    )
    note_unsaid("r-1", store=scene.world.store, now=scene.world.clock)
    assert scene.unsaid["r-1"] == Unsaid("r-1", "2026-03-01T12:00:00.000Z", notes=4)


def test_a_note_survives_what_is_taken_away_at_that_moment(scene: Scene) -> None:
    row = Unsaid("r-1", "2026-03-01T12:00:00.000Z")
    scene.world.memory.insert(row)
    scene.world.memory.before_write_of[Unsaid] = lambda: scene.world.memory.delete(row)
    note_unsaid("r-1", store=scene.world.store, now=scene.world.clock)
    assert scene.unsaid["r-1"] == replace(row, since=scene.unsaid["r-1"].since)


def test_put_off_says_for_how_long(scene: Scene) -> None:
    sending = sending_of(scene.world)
    assert sending.take()
    sending.slower(45)
    with pytest.raises(ChatPutOff, match="another 45 s"):
        sending.before("chat.update")
    assert json.dumps(scene.slack.calls) == "[]"
