"""What the front does of the release form by itself, and what it leaves to the worker."""

from __future__ import annotations

from typing import Any

import pytest

from tests.slack_app.conftest import CHANNEL
from tests.slack_app.releasing import WORKLOAD
from tests.slack_app.requests import FakeFront, command, form


def test_the_front_opens_the_form_and_queues_the_rest() -> None:
    front = FakeFront()
    assert front.answer(command("release")).outcome == "command"
    ((_, trigger, view),) = front.opened
    assert trigger == "123.456.abc"
    assert view["callback_id"] == "release_form"
    assert [replay.group for replay in front.queue] == ["command-U0BEN"]
    front.answer(command("release fraud-detector"))
    assert len(front.opened) == 1


def payload(kind: str, **view: Any) -> dict[str, Any]:
    """Something done in the form."""
    return {
        "type": kind,
        "user": {"id": "U0BEN", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "view": {"id": "V1", "callback_id": "release_form", "private_metadata": CHANNEL, "hash": "1.a", **view},
    }


@pytest.mark.parametrize(
    "state", [None, 7, {}, {"values": 7}, {"values": {"workload": 7}}, {"values": {"workload": {"workload": 7}}}]
)
def test_a_form_without_a_workload_never_reaches_the_queue(state: object) -> None:
    front = FakeFront()
    answer = front.answer(form(payload("view_submission", state=state)))
    assert answer.body == {
        "response_action": "errors",
        "errors": {"workload": "Please choose the workload to release."},
    }
    assert front.queue == []


@pytest.mark.parametrize("action", ["force", "version", "approve", ""])
def test_only_the_choice_of_a_workload_reaches_the_queue(action: str) -> None:
    front = FakeFront()
    assert front.answer(form(payload("block_actions") | {"actions": [{"action_id": action}]})).outcome == "ignored"
    assert front.queue == []


def test_a_submission_twice_is_queued_under_one_id() -> None:
    front = FakeFront()
    state = {"values": {"workload": {"workload": {"selected_option": {"value": WORKLOAD}}}}}
    for _ in range(2):
        front.answer(form(payload("view_submission", state=state)))
    first, second = front.queue
    assert first.deduplication == second.deduplication
    front.answer(form(payload("view_submission", state=state, hash="2.b")))
    assert front.queue[-1].deduplication != first.deduplication
