"""The way back in Slack: button and command, dialog, and what comes of it, through the real front, queue and worker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.messages.rollback_dialog import Shown, release_in, shown_in, why_in
from orchestrator.core.records import Release, Status
from tests.fakes.memory_world import configuration
from tests.slack_app.conftest import CHANNEL, SlackScene
from tests.slack_app.releasing import WORKLOAD
from tests.slack_app.requests import FakeFront, click, command, form
from tests.steps import journeys


@pytest.fixture
def both(slack: SlackScene) -> tuple[Release, Release]:
    """Two releases that were live one after the other, with their messages."""
    first = journeys.live(slack.world, configuration(description="The one that worked."))
    slack.tell()
    second = journeys.live(slack.world, configuration(inference_instance="ml.m5.2xlarge"))
    slack.tell()
    return first, second


def labels(slack: SlackScene) -> list[list[str]]:
    """Texts of the buttons of each message, oldest first."""
    return [
        [one["text"]["text"] for block in found["blocks"] if block["type"] == "actions" for one in block["elements"]]
        for found in slack.messages
    ]


def rollbacks(slack: SlackScene) -> list[Release]:
    return [one for one in slack.world.memory.all(Release) if one.goes_back_to]


def dialog(slack: SlackScene, user: str = "U0ANA") -> dict[str, Any]:
    """The dialog, filled by the worker."""
    (loading,) = slack.page.views(user)
    assert loading["submit"] is None
    assert slack.drain() == []
    (filled,) = slack.page.views(user)
    return filled


def said(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


def test_the_button_shows_from_what_to_what_and_starts_it(slack: SlackScene, both: tuple[Release, Release]) -> None:
    first, second = both
    assert labels(slack) == [["Roll back to this …"], ["Roll back …"]]
    assert slack.click("U0ANA", "roll_back")
    view = dialog(slack)
    for told in (first.release_id, second.release_id, "The one that worked.", "Ana Silva", "Live now", "Goes back to"):
        assert told in said(view)
    assert slack.page.submit_view("U0ANA", view["id"], {"why": " Too <slow>. "}).ok
    assert slack.work() == []
    (asked,) = rollbacks(slack)
    assert (asked.goes_back_to, asked.instead_of, asked.asked_because) == (
        first.release_id,
        second.release_id,
        "Too <slow>.",
    )
    assert (asked.requester.value, asked.requester.verified) == ("U0ANA", True)
    assert asked.release_id in slack.world.fake_tasks.started
    (done,) = slack.page.views("U0ANA")
    assert asked.release_id in said(done)
    shown = json.dumps(slack.message["blocks"], ensure_ascii=False)
    assert f":rewind: *Rollback* of *{WORKLOAD}* from `{second.release_id}` to `{first.release_id}`" in shown
    assert "Too &lt;slow&gt;." in shown
    assert f"Package of `{first.release_id}`, unchanged" in shown


def test_a_button_of_long_ago_means_what_it_means_now(slack: SlackScene, both: tuple[Release, Release]) -> None:
    first, second = both
    old, _ = slack.messages
    journeys.live(slack.world, configuration(inference_instance="ml.m5.4xlarge"))
    assert slack.page.click("U0ANA", CHANNEL, old["ts"], "roll_back").ok
    assert first.release_id in said(dialog(slack))
    assert "Roll back to this" in said(slack.messages[0])
    slack.tell()
    assert labels(slack) == [["Roll back to this …"], ["Roll back to this …"], ["Roll back …"]]
    assert second.status is Status.SUCCEEDED


def test_what_has_changed_since_the_dialog_opened_is_told(slack: SlackScene, both: tuple[Release, Release]) -> None:
    slack.page.slash("U0ANA", "/mlops", f"rollback {WORKLOAD}", CHANNEL)
    view = dialog(slack)
    newer = journeys.live(slack.world, configuration(inference_instance="ml.m5.4xlarge"))
    assert slack.page.submit_view("U0ANA", view["id"], {}).ok
    assert slack.work() == []
    (done,) = slack.page.views("U0ANA")
    assert f"By now {newer.release_id} is live" in said(done)
    assert rollbacks(slack) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "Write /mlops rollback WORKLOAD"),
        (f"{WORKLOAD} and more", "Write /mlops rollback WORKLOAD"),
        ("nothing-like-it", "there is no workload"),
        (f"{WORKLOAD} nothing-like-it", "there is no release"),
    ],
)
def test_what_cannot_be_is_told_in_the_dialog(
    slack: SlackScene, both: tuple[Release, Release], words: str, told: str
) -> None:
    slack.page.slash("U0ANA", "/mlops", f"rollback {words}".strip(), CHANNEL)
    view = dialog(slack)
    assert told in said(view)
    assert view["submit"] is None


def test_by_words_another_release(slack: SlackScene, both: tuple[Release, Release]) -> None:
    first, _ = both
    slack.page.slash("U0ANA", "/mlops", f"rollback {WORKLOAD} {first.release_id}", CHANNEL)
    view = dialog(slack)
    for _ in range(2):
        slack.page.submit_view("U0ANA", view["id"], {})
        slack.work()
    (asked,) = rollbacks(slack)
    assert asked.goes_back_to == first.release_id


def test_who_may_start_nothing_may_not_go_back(slack: SlackScene, both: tuple[Release, Release]) -> None:
    slack.page.slash("U0GUS", "/mlops", f"rollback {WORKLOAD}", CHANNEL)
    assert "Guests may not" in said(dialog(slack, "U0GUS"))
    assert rollbacks(slack) == []


def test_the_first_release_of_all_has_no_button(slack: SlackScene) -> None:
    journeys.live(slack.world)
    slack.tell()
    assert labels(slack) == [[]]


# What the front does by itself.


def test_the_front_opens_the_dialog_and_queues_the_click() -> None:
    front = FakeFront()
    assert front.answer(form(click("roll_back", "fraud-realtime-0123456789"))).outcome == "roll_back"
    assert front.answer(command("rollback fraud-realtime")).outcome == "command"
    assert [view["callback_id"] for _, _, view in front.opened] == ["roll_back_to", "roll_back_to"]
    assert [replay.group for replay in front.queue] == ["command-U0BEN", "command-U0BEN"]


@pytest.mark.parametrize("value", [None, 7, "", "-", "a|b", "x" * 81, "<!channel>"])
def test_a_button_that_is_not_ours_opens_nothing(value: object) -> None:
    front = FakeFront()
    assert front.answer(form(click("roll_back", value))).outcome == "ignored"
    assert (front.opened, front.queue, release_in(value)) == ([], [], "")


def payload(metadata: object) -> dict[str, Any]:
    """A submitted dialog."""
    return {
        "type": "view_submission",
        "user": {"id": "U0BEN", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "view": {"id": "V1", "callback_id": "roll_back_to", "private_metadata": metadata, "state": None},
    }


@pytest.mark.parametrize("metadata", [None, 7, "", "a|b", str(Shown(CHANNEL))])
def test_a_dialog_that_was_not_filled_cannot_be_submitted(metadata: object) -> None:
    front = FakeFront()
    assert front.answer(form(payload(metadata))).outcome == "ignored"
    assert front.queue == []


def test_a_submission_twice_is_queued_under_one_id() -> None:
    front = FakeFront()
    shown = Shown(CHANNEL, WORKLOAD, "r-1", "r-2")
    for _ in range(2):
        assert front.answer(form(payload(str(shown)))).outcome == "rollback"
    assert len({replay.deduplication for replay in front.queue}) == 1
    assert shown_in(str(shown)) == shown


@pytest.mark.parametrize("state", [None, 7, {}, {"values": {"why": 7}}, {"values": {"why": {"why": {"value": None}}}}])
def test_no_reason_is_none(state: object) -> None:
    assert why_in(state) == ""
