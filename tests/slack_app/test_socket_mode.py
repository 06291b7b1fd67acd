"""Socket Mode against a double of Slack's side: what people do in the local page goes through the connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest

from local.slack.client import SlackPage
from slack_app.app import build_app
from slack_app.desk import Desk
from slack_app.front.replay import Replay
from slack_app.socket_mode import Line, SocketFront, as_posted
from tests.fakes.memory_world import MemoryWorld
from tests.fakes.socket_mode import SocketSlack, serving
from tests.slack_app.aws_double import AwsDouble
from tests.slack_app.conftest import BOT_TOKEN, CHANNEL, SlackScene

APP_TOKEN = "xapp-1-A0-made-up"


@dataclass
class Connected:
    """A workspace whose clicks go through the connection."""

    slack: SocketSlack
    scene: SlackScene
    front: SocketFront

    @property
    def page(self) -> SlackPage:
        return self.scene.page


@pytest.fixture
def slack() -> Iterator[SocketSlack]:
    with serving(APP_TOKEN) as double:
        yield double


def connect(slack: SocketSlack, world: MemoryWorld, token: str = APP_TOKEN) -> SocketFront:
    desk = Desk(world.reception)
    api_url = world.installation.slack_api_url
    web = WebClient(base_url=slack.api_url)
    return SocketFront(build_app(desk, BOT_TOKEN), token, BOT_TOKEN, api_url, time.time, web)


@pytest.fixture
def connected(slack: SocketSlack) -> Iterator[Connected]:
    with SlackPage(front_url=slack.url, signing_secret="s" * 32, bot_token=BOT_TOKEN) as page:
        scene = SlackScene(page, AwsDouble({}))
        settings = replace(scene.world.installation, slack_api_url=page.api_url, slack_channel="ml-releases")
        scene.world.installation = settings
        front = connect(slack, scene.world)
        front.connect()
        slack.wait_for_link()
        yield Connected(slack, scene, front)
        front.close()


def eventually(look: Any) -> Any:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("not within five seconds")


def test_a_click_is_carried_out(connected: Connected) -> None:
    release_id = connected.scene.asked()
    assert connected.scene.click("U0BEN", "approve")
    eventually(lambda: connected.scene.world.approval(release_id, "staging").status.value == "approved")
    eventually(lambda: "staging" in connected.scene.told("U0BEN"))


def test_a_dialog_is_opened_filled_and_answered(connected: Connected) -> None:
    release_id = connected.scene.asked()
    assert connected.scene.click("U0BEN", "reject")
    view = connected.page.wait_for_view("U0BEN")
    refused = connected.page.submit_view("U0BEN", view["id"], {"reason": " "})
    assert refused.errors, "the acknowledgement carries what is wrong with the form"
    assert connected.page.submit_view("U0BEN", view["id"], {"reason": "Recall is too low."}).ok
    eventually(lambda: connected.scene.world.approval(release_id, "staging").status.value == "rejected")


def test_a_command_is_answered(connected: Connected) -> None:
    assert connected.page.slash("U0ANA", "/mlops", "help", CHANNEL).ok
    assert "What /mlops can do" in eventually(lambda: connected.scene.told("U0ANA"))


def test_slack_asks_for_a_new_connection(connected: Connected) -> None:
    connected.slack.refresh()
    connected.slack.wait_for_link(2)
    assert connected.slack.opened == [APP_TOKEN, APP_TOKEN]
    # slack_sdk reads the new connection when it has given up the old one, three seconds later at most.
    form = {"command": "/mlops", "text": "help", "user_id": "U0ANA", "team_id": "T0ACME", "trigger_id": "1.2.3"}
    assert "payload" not in connected.slack.deliver("slash_commands", form)
    assert len(connected.front._line._known) == 1


def test_what_is_sent_twice_is_done_once(connected: Connected) -> None:
    form = {"command": "/mlops", "text": "help", "user_id": "U0ANA", "team_id": "T0ACME", "trigger_id": "1.2.3"}
    posted = {**form, "channel_id": CHANNEL, "response_url": f"{connected.page.url}/response/none"}
    for _ in range(2):
        assert connected.slack.deliver("slash_commands", posted).get("payload") is None
    line = connected.front._line
    assert len(line._known) == 1


NOT_OURS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("interactive", {"type": "block_actions", "actions": []}),
    ("interactive", {"type": "something_new"}),
    ("slash_commands", {"command": "/another"}),
    ("events_api", {"type": "event_callback", "event": {"type": "message"}}),
    ("workflow_step", {}),
)


def test_what_is_not_ours_is_acknowledged_and_forgotten(connected: Connected) -> None:
    for kind, payload in NOT_OURS:
        assert "payload" not in connected.slack.deliver(kind, payload), kind
    assert len(connected.front._line._known) == 0


def test_a_wrong_app_token_is_told(slack: SocketSlack) -> None:
    front = connect(slack, MemoryWorld(), "xapp-wrong")
    with pytest.raises(SlackApiError, match="invalid_auth"):
        front.connect()
    front.close()


def test_no_token_and_no_word_of_people_is_logged(connected: Connected, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    connected.page.slash("U0ANA", "/mlops", "status a-very-private-word", CHANNEL)
    eventually(lambda: connected.scene.told("U0ANA"))
    assert "slash_commands: command" in caplog.text
    for never in (APP_TOKEN, BOT_TOKEN, "a-very-private-word"):
        assert never not in caplog.text


def test_envelopes_become_what_slack_posts() -> None:
    def posted(kind: str, payload: Any) -> Any:
        return as_posted(SocketModeRequest(kind, "e", payload))

    headers, body = posted("slash_commands", {"command": "/mlops", "text": "ü & b"})
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {"command": ["/mlops"], "text": ["ü & b"]}
    headers, body = posted("interactive", {"type": "block_actions", "actions": [{"value": "ü"}]})
    assert b'"type": "block_actions"'.hex() in parse_qs(body.decode())["payload"][0].encode().hex()
    assert posted("events_api", {"type": "x"}) == ({"content-type": "application/json"}, b'{"type": "x"}')
    assert posted("hello", {}) is None


def test_the_line_keeps_the_order_and_survives_a_failure() -> None:
    done: list[str] = []

    def work(message: str) -> bool:
        done.append(message)
        return len(done) != 2

    line = Line(work)
    for number in range(4):
        line.send(Replay(f"body-{number}", "group", str(number)))
        line.send(Replay(f"body-{number}", "group", str(number)))
    line.close()
    assert [f"body-{number}" in message for number, message in enumerate(done)] == [True] * 4
