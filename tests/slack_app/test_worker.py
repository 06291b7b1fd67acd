"""A batch of the queue: order within an approval, others unharmed, nothing logged that people wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from slack_bolt import BoltRequest, BoltResponse

from slack_app.app import build_app
from slack_app.desk import Desk
from slack_app.front.replay import Replay, command_body, interaction_body
from slack_app.worker import replay_batch
from tests.fakes.memory_world import MemoryWorld
from tests.slack_app.requests import click, submission


@dataclass
class FakeApp:
    """A Bolt app that fails where it is told to."""

    fails: Callable[[str], bool]
    done: list[str] = field(default_factory=list)

    def dispatch(self, request: BoltRequest) -> BoltResponse:
        self.done.append(request.raw_body)
        return BoltResponse(status=500 if self.fails(request.raw_body) else 200)


def record(message_id: str, group: str, body: str | None = None) -> dict[str, Any]:
    message = Replay(f"id={message_id}", group, "once").to_json() if body is None else body
    return {"messageId": message_id, "body": message, "attributes": {"MessageGroupId": group}}


def failures(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_after_a_failure_its_approval_waits_and_others_go_on() -> None:
    app = FakeApp(lambda body: body == "id=2")
    batch = [record("1", "a"), record("2", "a"), record("3", "b"), record("4", "a"), record("5", "b")]
    assert failures(replay_batch(batch, app)) == ["2", "4"]  # type: ignore[arg-type]
    assert app.done == ["id=1", "id=2", "id=3", "id=5"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"body": 7}', "null"])
def test_a_message_that_the_front_did_not_write_is_dropped(body: str) -> None:
    app = FakeApp(lambda _: False)
    assert failures(replay_batch([record("1", "a", body)], app)) == []  # type: ignore[arg-type]
    assert app.done == []


@pytest.fixture
def desk() -> Desk:
    world = MemoryWorld()
    world.installation = replace(world.installation, slack_api_url="http://127.0.0.1:9/api/", slack_team="T0ACME")
    return Desk(world.reception)


@pytest.mark.parametrize(
    "body",
    [
        interaction_body(click("another")),
        interaction_body({"type": "shortcut", "callback_id": "x", "team": {"id": "T"}, "user": {"id": "U"}}),
        command_body({"command": "/other", "user_id": "U", "team_id": "T"}, 0.0),
        "payload=%7B",
        "",
    ],
)
def test_what_no_listener_takes_is_done_with(desk: Desk, body: str, caplog: pytest.LogCaptureFixture) -> None:
    app = build_app(desk, "xoxb-secret")
    answer = replay_batch([record("1", "a", Replay(body, "a", "once").to_json())], app)
    assert failures(answer) == []


@pytest.mark.parametrize("payload", [click(), click("reject"), submission("What somebody wrote.")])
def test_slack_out_of_reach_fails_the_message_and_logs_nothing_of_it(
    desk: Desk, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = Replay(interaction_body(payload), "a", "once").to_json()
    assert failures(replay_batch([record("1", "a", message)], build_app(desk, "xoxb-secret"))) == ["1"]
    logged = caplog.text
    for secret in ("xoxb-secret", "What somebody wrote.", "hooks.slack.com"):
        assert secret not in "\n".join(line for line in logged.splitlines() if "DEBUG" not in line)
