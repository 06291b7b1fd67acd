"""The front: who speaks, what is done at once, what is queued, and that no input makes a 5xx."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.slack.checks import check_view
from orchestrator.core.messages import limits
from orchestrator.core.messages.dialogs import MAX_REASON, MIN_REASON, REASON
from orchestrator.core.steps import decide_approval
from slack_app.front import handler as front_handler
from slack_app.front.answering import MAX_BODY
from slack_app.front.replay import Replay, body_of
from slack_app.front.secrets import Known
from tests.slack_app.aws_double import AwsDouble
from tests.slack_app.conftest import SIGNING_SECRET
from tests.slack_app.requests import (
    APPROVAL_ID,
    NOW,
    SECRET,
    VALUE,
    FakeFront,
    click,
    command,
    form,
    headers,
    signature,
    submission,
)

BODY = form(click())


def payload_of(replay: Replay) -> dict[str, Any]:
    """The interaction that the worker will see."""
    found: dict[str, Any] = json.loads(parse_qs(body_of(replay.to_json()))["payload"][0])
    return found


# Who speaks.


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("no signature", {"x_slack_signature": ""}),
        ("somebody else's secret", {"x_slack_signature": signature(BODY, secret="x" * 32)}),
        ("another body", {"x_slack_signature": signature(BODY + b" ")}),
        ("version 1 of the scheme", {"x_slack_signature": signature(BODY, version="v1")}),
        ("digest in capitals", {"x_slack_signature": signature(BODY).upper().replace("V0", "v0")}),
        ("text that is not ASCII", {"x_slack_signature": "v0=" + "é" * 64}),
        ("digits that are not ASCII", {"x_slack_request_timestamp": "١٧٧٢٣٦٦٤٠٠"}),
        ("no timestamp", {"x_slack_request_timestamp": ""}),
        ("a word as timestamp", {"x_slack_request_timestamp": "abc"}),
        ("a negative timestamp", {"x_slack_request_timestamp": f"-{NOW}"}),
        ("a signed empty secret", {"x_slack_signature": signature(BODY, secret="")}),
    ],
)
def test_what_slack_did_not_sign_is_401_and_does_nothing(what: str, changes: dict[str, str]) -> None:
    front = FakeFront()
    assert front.answer(BODY, **changes).status == 401, what
    assert front.queue == []
    assert front.opened == []


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (0, 200), (4, 200), (6, 401), (600_000, 401)])
def test_five_minutes_either_way(minutes: int, status: int) -> None:
    front = FakeFront()
    assert front.raw(headers(BODY, str(NOW + 60 * minutes)), BODY).status == status


def test_an_empty_secret_signs_nothing() -> None:
    front = FakeFront(secrets=[Known(("",), "xoxb-1")])
    assert front.answer(BODY, x_slack_signature=signature(BODY, secret="")).status == 401


def test_a_rotated_secret_is_read_once_more() -> None:
    front = FakeFront(secrets=[Known(("old" * 10,), "xoxb-1"), Known((SECRET, "old" * 10), "xoxb-2")])
    assert front.answer(BODY).status == 200
    assert front.readings == 2


def test_the_previous_secret_still_counts() -> None:
    front = FakeFront(secrets=[Known(("new" * 10, SECRET), "xoxb-1")])
    assert front.answer(BODY).status == 200


# What is done at once.


def test_the_url_is_verified() -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c", "token": "t"}).encode()
    front = FakeFront()
    found = front.answer(body, content_type="application/json; charset=utf-8")
    assert (found.status, found.body) == (200, {"challenge": "c"})


def test_a_certificate_check_is_answered() -> None:
    assert FakeFront().answer(b"ssl_check=1&token=t").status == 200


def test_reject_opens_a_valid_loading_dialog_and_is_queued() -> None:
    front = FakeFront()
    assert front.answer(form(click("reject"))).status == 200
    ((token, trigger, view),) = front.opened
    assert (token, trigger) == ("xoxb-1", "123.456.abc")
    assert check_view(view, "modal") == []
    assert "submit" not in view
    assert view["private_metadata"] == f"{VALUE}|C0RELEASES|1.000001"
    assert len(front.queue) == 1


def test_a_dialog_opens_with_a_token_that_was_replaced_just_now() -> None:
    old, new = Known((SECRET,), "xoxb-old"), Known((SECRET,), "xoxb-new")
    front = FakeFront(secrets=[old, new], dead_tokens=("xoxb-old",))
    assert front.answer(form(click("reject"))).outcome == "reject"
    assert [token for token, _, _ in front.opened] == ["xoxb-old", "xoxb-new"]


def test_a_token_that_does_not_do_is_tried_once_where_there_is_no_other() -> None:
    front = FakeFront(dead_tokens=("xoxb-1",))
    assert front.answer(form(click("reject"))).outcome == "reject, no dialog: invalid_auth"
    assert len(front.opened) == 1


def test_a_dialog_that_does_not_open_loses_no_click() -> None:
    front = FakeFront(dialog_error="expired_trigger_id")
    assert front.answer(form(click("reject"))).status == 200
    assert len(front.queue) == 1


@pytest.mark.parametrize("reason", ["", "no", "  a ", None, 7, "x" * (MAX_REASON + 1)])
def test_a_reason_of_the_wrong_length_is_refused_in_the_dialog(reason: Any) -> None:
    front = FakeFront()
    found = front.answer(form(submission(reason)))
    assert found.status == 200
    assert found.body is not None
    assert found.body["response_action"] == "errors"
    assert set(found.body["errors"]) == {REASON}
    assert front.queue == []


def test_a_reason_closes_the_dialog_and_is_queued_with_its_approval() -> None:
    front = FakeFront()
    found = front.answer(form(submission()))
    assert (found.status, found.body) == (200, None)
    assert front.queue[0].group == APPROVAL_ID


def test_the_dialogs_limits_are_the_decisions() -> None:
    assert (MIN_REASON, MAX_REASON) == (decide_approval.MIN_REASON, decide_approval.MAX_REASON)
    assert len(VALUE.partition("|")[2]) == decide_approval.MIN_PREFIX
    assert MAX_REASON <= limits.INPUT_TEXT


# What is queued.


def test_a_click_is_queued_for_its_approval_without_what_nobody_needs() -> None:
    front = FakeFront()
    front.answer(BODY)
    (queued,) = front.queue
    assert queued.group == APPROVAL_ID
    message = queued.to_json()
    assert len(message) < 4_000
    for unwanted in ("response_url", "hooks.slack.com", "verification-token", "long ", "username", "acme"):
        assert unwanted not in message
    assert payload_of(queued)["actions"][0]["value"] == VALUE


def test_a_second_delivery_of_a_click_is_the_same_and_a_second_click_is_not() -> None:
    front = FakeFront()
    again = click()
    again["trigger_id"] = "another"
    other = click()
    other["actions"][0]["action_ts"] = "3.000003"
    for payload in (click(), again, other, click(user={"id": "U0DEV", "team_id": "T0ACME"})):
        front.answer(form(payload))
    first, second, third, fourth = [queued.deduplication for queued in front.queue]
    assert first == second
    assert len({first, third, fourth}) == 3
    assert all(len(queued.deduplication) <= 128 for queued in front.queue)


def test_a_command_is_queued_with_its_answer_url() -> None:
    front = FakeFront()
    assert front.answer(command("status x")).body is None
    assert "hooks.slack.com" in front.queue[0].body
    assert "verification-token" not in front.queue[0].body


@pytest.mark.parametrize(
    "body",
    [
        form(click("another_button")),
        form(click(value="not ours")),
        form(click(value=None)),
        form(click(actions=[])),
        form(click(actions="no list")),
        form(click(user=None)),
        form({"type": "shortcut"}),
        form({}),
        form(submission(metadata="nonsense")),
        form(submission(metadata=None)),
        command(name="/other"),
        command().replace(b"U0BEN", b"%C3%A9"),
        b"",
        b"a=b",
    ],
)
def test_what_is_signed_and_not_ours_is_200_and_forgotten(body: bytes) -> None:
    front = FakeFront()
    assert front.answer(body).status == 200
    assert front.queue == []


@pytest.mark.parametrize(
    "body",
    [
        b"payload=%7B",
        b"payload=%5B%5D",
        b"payload=null",
        b"payload=" + b"%5B" * 5_000,
        b"payload=%FF%FE",
        b"\xff\xfe=1",
        urlencode({"payload": '{"a":' + "9" * 5_000 + "}"}).encode(),
        b"&".join(b"f%d=1" % n for n in range(200)),
        b"a=" + b"b" * MAX_BODY,
    ],
    ids=["cut", "list", "null", "nested", "not utf-8", "raw bytes", "huge number", "many fields", "huge"],
)
def test_what_is_signed_and_malformed_is_400(body: bytes) -> None:
    assert FakeFront().answer(body).status == 400


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_malformed_events_are_400(body: bytes) -> None:
    assert FakeFront().answer(body, content_type="application/json").status == 400


def test_a_lost_click_is_503() -> None:
    assert FakeFront(queue_is_down=True).answer(BODY).status == 503


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_fields = ("type", "user", "team", "actions", "container", "channel", "view", "trigger_id", "enterprise", "message")


@given(st.binary(max_size=400), st.text(max_size=90), st.text(max_size=20))
def test_unsigned_bytes_are_401(body: bytes, signed: str, timestamp: str) -> None:
    front = FakeFront()
    sent = headers(body) | {"x-slack-signature": signed, "x-slack-request-timestamp": timestamp}
    assert front.raw(sent, body).status == 401


@given(st.binary(max_size=400), st.sampled_from(["application/json", "", "application/x-www-form-urlencoded", "é"]))
def test_signed_bytes_are_never_a_5xx(body: bytes, content_type: str) -> None:
    assert FakeFront().answer(body, content_type=content_type).status in {200, 400}


@given(st.data())
def test_a_click_with_any_field_of_any_shape_is_never_a_5xx(data: st.DataObject) -> None:
    payload = data.draw(st.sampled_from([click(), click("reject"), submission()]))
    for name in data.draw(st.lists(st.sampled_from(_fields), max_size=3)):
        payload = {**payload, name: data.draw(_json)}
    front = FakeFront()
    assert front.answer(form(payload)).status in {200, 400}
    for queued in front.queue:
        assert isinstance(payload_of(queued), dict)


# The handler.


def _event(body: str, sent: Mapping[str, str], encoded: bool = False) -> dict[str, Any]:
    return {"version": "2.0", "headers": dict(sent), "body": body, "isBase64Encoded": encoded}


def test_the_handler_takes_both_encodings_of_api_gateway(
    aws: AwsDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("slack_app.front.handler.time.time", lambda: float(NOW))
    front_handler._front.cache_clear()
    sent = headers(BODY, x_slack_signature=signature(BODY, secret=SIGNING_SECRET))
    for event in (
        _event(BODY.decode(), sent),
        _event(base64.b64encode(BODY).decode(), {name.title(): value for name, value in sent.items()}, True),
    ):
        assert front_handler.handler(event, None)["statusCode"] == 200
    assert len(aws.queue) == 1, "the same click"
    out = capsys.readouterr().out
    assert '"outcome": "approve"' in out
    assert VALUE not in out
    assert "payload" not in out


@pytest.mark.parametrize("event", [{}, {"body": None}, {"headers": None, "body": ""}, _event("%%%", {}, True)])
def test_the_handler_survives_empty_and_broken_events(aws: AwsDouble, event: dict[str, Any]) -> None:
    assert front_handler.handler(event, None)["statusCode"] in {400, 401}


def test_the_handler_without_its_secret_is_503(aws: AwsDouble) -> None:
    aws.broken = True
    assert front_handler.handler(_event(BODY.decode(), headers(BODY)), None)["statusCode"] == 503
