"""The app's Home on the local Slack page: opened, decided in, kept current, closed to who may not look."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.opened_homes import changed_event
from orchestrator.core.records import ApprovalStatus, Status
from slack_app.front.replay import body_of
from tests.fakes.memory_world import CHLOE
from tests.slack_app.conftest import CHANNEL, SlackScene
from tests.slack_app.requests import FakeFront

REASON = "The recall of the malignant class is too low."


def test_what_waits_leads_to_its_message_and_is_approved_here(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.open_home("U0BEN")
    shown = slack.home("U0BEN")
    link = f"{slack.page.url}/archives/{CHANNEL}/p{slack.message['ts'].replace('.', '')}"
    assert link in shown
    assert "Waiting for me (1)" in shown
    assert slack.at_home("U0BEN", "review"), "Slack tells of links too; nothing is done"
    assert slack.at_home("U0BEN", "approve")
    slack.work()
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.APPROVED
    shown = slack.home("U0BEN")
    assert "is approved for staging by Ben Okafor" in shown
    assert '"approve"' not in shown
    assert slack.page.ephemerals("U0BEN") == []
    assert slack.buttons == [], "the channel's message has followed"
    assert any("is approved to be deployed to staging by Ben Okafor" in text for text in slack.direct("U0ANA"))
    assert slack.direct("U0BEN") == []


def test_rejecting_here_asks_why_and_says_what_came_of_it(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.open_home("U0BEN")
    assert slack.at_home("U0BEN", "reject")
    slack.work()
    view = slack.page.wait_for_view("U0BEN")
    assert not slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": "no"}}).ok
    assert slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": REASON}}).ok
    slack.work()
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.REJECTED
    assert "was rejected for staging by Ben Okafor" in slack.home("U0BEN")
    slack.world.end(release_id, Status.REJECTED)
    slack.tell()
    assert REASON in json.dumps(slack.page.messages(slack.page.direct_channel("U0ANA")))


def test_anothers_decision_is_seen_and_a_click_that_came_too_late_is_told(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.open_home("U0BEN")
    slack.open_home("U0ANA")
    slack.world.vote(CHLOE, slack.world.approval(release_id, "staging"))
    assert slack.at_home("U0BEN", "approve"), "his screen lags behind"
    slack.work()
    assert "already approved by Chloé Martin" in slack.home("U0BEN")
    assert '"approve"' not in slack.home("U0BEN")
    assert "waiting for the approval" in slack.home("U0ANA")


def test_a_dialog_that_did_not_open_is_told_in_the_home(slack: SlackScene) -> None:
    slack.asked()
    slack.open_home("U0BEN")
    slack.page.faults(expired_triggers=True)
    assert slack.at_home("U0BEN", "reject")
    slack.work()
    assert "Please click once more" in slack.home("U0BEN")


@pytest.mark.parametrize(("user", "told"), [("U0GUS", "Guests may not"), ("U0PIA", "other workspaces")])
def test_who_may_not_look_is_told_so_and_sees_nothing(slack: SlackScene, user: str, told: str) -> None:
    release_id = slack.asked()
    slack.open_home(user)
    assert told in slack.home(user)
    assert release_id not in slack.home(user)
    slack.tell()
    assert told in slack.home(user)


def test_who_becomes_a_deactivated_account_disturbs_nobody(slack: SlackScene) -> None:
    slack.open_home("U0BEN")
    slack.open_home("U0CHLOE")
    slack.page.faults(deactivated=["U0CHLOE"])
    release_id = slack.asked()
    assert release_id in slack.home("U0BEN")
    assert release_id not in slack.home("U0CHLOE")


def test_another_workspaces_event_is_answered_kindly(slack: SlackScene) -> None:
    slack.world.installation = replace(slack.world.installation, slack_team="T0OTHER")
    slack.open_home("U0BEN")
    assert "This app serves another workspace." in slack.home("U0BEN")


def test_an_outage_while_it_is_opened_is_tried_again(slack: SlackScene) -> None:
    assert slack.page.open_home("U0BEN").ok
    slack.page.faults(outage=True)
    assert slack.drain() == ["m-0"]


def test_an_answer_finds_its_way_where_no_home_is_kept(slack: SlackScene) -> None:
    slack.asked()
    slack.open_home("U0BEN")
    slack.world.memory.rows.pop(("HOME#U0BEN", "HOME"))
    assert slack.at_home("U0BEN", "approve")
    slack.work()
    assert any("is approved for staging by Ben Okafor" in text for text in slack.direct("U0BEN"))


# The front.


def opened(**changes: object) -> bytes:
    event = {"type": "app_home_opened", "user": "U0BEN", "tab": "home", "channel": "D1", "event_ts": "1.5"}
    whole = {"type": "event_callback", "team_id": "T0ACME", "event_id": "Ev1", "token": "old", "event": event | changes}
    return json.dumps(whole).encode()


def test_the_front_passes_an_opened_home_on_without_its_view() -> None:
    front = FakeFront()
    view = {"id": "V1", "hash": "1.abc", "blocks": [{"type": "section"}], "private_metadata": "x"}
    answer = front.answer(opened(view=view), content_type="application/json")
    assert (answer.status, answer.outcome) == (200, "home")
    (replay,) = front.queue
    assert replay.group == "command-U0BEN"
    passed = json.loads(body_of(replay.to_json()))
    assert passed["team_id"] == "T0ACME"
    assert passed["event"]["view"] == {"id": "V1", "hash": "1.abc"}
    assert "token" not in passed
    front.answer(opened(), content_type="application/json")
    assert front.queue[0].deduplication == front.queue[1].deduplication, "Slack's repetition is known again"


@pytest.mark.parametrize(
    "changes", [{"tab": "messages"}, {"type": "message"}, {"user": ""}, {"user": "<!channel>"}, {"user": None}]
)
def test_other_events_are_forgotten(changes: dict[str, object]) -> None:
    front = FakeFront()
    answer = front.answer(opened(**changes), content_type="application/json")
    assert (answer.status, answer.outcome) == (200, "ignored")
    assert front.queue == []


def test_nobody_but_the_stream_can_have_homes_drawn() -> None:
    front = FakeFront()
    event = json.loads(body_of(changed_event()))
    front.answer(json.dumps(event | {"team_id": "T0ACME"}).encode(), content_type="application/json")
    front.answer(opened(type=event["event"]["type"]), content_type="application/json")
    assert front.queue == []
