"""What the app receives when people click, submit, close and type, and what they see of its answers."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from local.slack.client import PageError, SlackPage
from tests.slack_page.conftest import SIGNING_SECRET
from tests.slack_page.fake_front import FakeFront, Received
from tests.slack_page.samples import Json, approval_blocks, button, mrkdwn, plain, reject_view

CHANNEL = "C0RELEASES"


def ask(client: WebClient, **more: Any) -> str:
    return str(client.chat_postMessage(channel=CHANNEL, text="Approve?", blocks=approval_blocks(), **more)["ts"])


def open_dialog(front: FakeFront, client: WebClient, page: SlackPage, view: Json | None = None) -> Json:
    """Ben clicks Reject, the app opens a dialog for it."""
    page.click("U0BEN", CHANNEL, ask(client), "reject")
    trigger = front.wait_for(1, "block_actions")[-1].payload["trigger_id"]
    opened: Json = client.views_open(trigger_id=trigger, view=view or reject_view())["view"]
    return opened


# -- clicks ------------------------------------------------------------------------------------------------------


def test_a_click_is_a_signed_request_with_everything_slack_tells(
    front: FakeFront, page: SlackPage, client: WebClient
) -> None:
    ts = ask(client)
    result = page.click("U0BEN", "ml-releases", ts, "approve")
    [request] = front.received
    click = request.payload
    assert (result.ok, request.valid, request.path) == (True, True, "/slack/events")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (click["user"]["id"], click["user"]["team_id"], click["team"]["id"]) == ("U0BEN", "T0ACME", "T0ACME")
    assert (click["api_app_id"], click["channel"]) == ("A0MLOPS", {"id": CHANNEL, "name": "ml-releases"})
    assert click["container"] == {"type": "message", "message_ts": ts, "channel_id": CHANNEL, "is_ephemeral": False}
    [action] = click["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "decide", "ap-1")
    assert float(action["action_ts"]) > float(ts)
    assert click["response_url"].startswith(page.url)


def test_the_message_of_a_click_has_what_slack_added(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    page.click("U0BEN", CHANNEL, ask(client), "approve")
    blocks = front.received[0].payload["message"]["blocks"]
    assert blocks != approval_blocks()
    assert all(block["block_id"] for block in blocks)
    assert blocks[-1]["elements"][0]["text"] == {"type": "plain_text", "text": "Approve", "emoji": True}


def test_a_partner_is_of_another_team(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    page.click("U0PIA", CHANNEL, ask(client), "approve")
    click = front.received[0].payload
    assert (click["user"]["team_id"], click["team"]["id"]) == ("T0PARTNER", "T0ACME")


@pytest.mark.parametrize(
    ("user", "channel", "action_id", "sentence"),
    [
        ("U0BEN", CHANNEL, "withdraw", "nothing to click with action_id withdraw"),
        ("U0GUS", "C0PLATFORM", "approve", "not in this channel"),
        ("U0NOBODY", CHANNEL, "approve", "Nobody has this id"),
        ("U0APP", CHANNEL, "approve", "cannot act"),
    ],
)
def test_what_nobody_could_click_is_refused(
    front: FakeFront, page: SlackPage, client: WebClient, user: str, channel: str, action_id: str, sentence: str
) -> None:
    ts = ask(client)
    with pytest.raises(PageError, match=sentence):
        page.click(user, channel, ts, action_id)
    assert front.received == []


def test_a_button_that_an_update_took_away_can_only_be_clicked_by_a_lagging_screen(
    front: FakeFront, page: SlackPage, client: WebClient
) -> None:
    ts = ask(client)
    client.chat_update(channel=CHANNEL, ts=ts, text="Approved")
    with pytest.raises(PageError, match="nothing to click"):
        page.click("U0BEN", CHANNEL, ts, "approve")
    assert page.click("U0BEN", CHANNEL, ts, "approve", stale=True).ok
    assert front.received[0].payload["actions"][0]["value"] == "ap-1"


def test_the_app_has_three_seconds(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    released = threading.Event()

    def late(request: Received) -> tuple[int, str]:
        released.wait(10)
        return 200, ""

    front.answer = late
    result = page.click("U0BEN", CHANNEL, ask(client), "approve")
    released.set()
    assert (result.ok, result.error, result.status) == (False, "This app did not respond.", None)
    assert result.seconds >= 3


def test_a_failing_app_is_told_to_the_person(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    front.answer = lambda request: (500, "trouble")
    result = page.click("U0BEN", CHANNEL, ask(client), "approve")
    assert (result.ok, result.error, result.status) == (False, "This app did not respond.", 500)


# -- triggers ----------------------------------------------------------------------------------------------------


def test_a_trigger_opens_one_dialog_and_only_soon(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    ts = ask(client)

    def refused(trigger: str) -> str:
        with pytest.raises(SlackApiError) as caught:
            client.views_open(trigger_id=trigger, view=reject_view())
        return str(caught.value.response["error"])

    page.click("U0BEN", CHANNEL, ts, "reject")
    used = front.received[-1].payload["trigger_id"]
    client.views_open(trigger_id=used, view=reject_view())
    assert refused(used) == "exchanged_trigger_id"
    page.faults(expired_triggers=True)
    page.click("U0BEN", CHANNEL, ts, "reject")
    assert refused(front.received[-1].payload["trigger_id"]) == "expired_trigger_id"


# -- dialogs -----------------------------------------------------------------------------------------------------


def test_a_submission_carries_the_answers(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    view = open_dialog(front, client, page)
    assert page.submit_view("U0BEN", view["id"], {"reason": "Recall fell", "kind": "quality"}).ok
    submitted = front.wait_for(1, "view_submission")[0].payload
    assert (submitted["view"]["callback_id"], submitted["view"]["private_metadata"]) == ("reject", "ap-1")
    values = submitted["view"]["state"]["values"]
    assert values["reason"]["text"] == {"type": "plain_text_input", "value": "Recall fell"}
    assert values["kind"]["pick"]["selected_option"]["value"] == "quality"
    assert {"channel", "message", "response_url"} & submitted.keys() == set()
    assert page.views("U0BEN") == []


def test_slack_itself_refuses_an_empty_required_field(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    view = open_dialog(front, client, page)
    result = page.submit_view("U0BEN", view["id"], {"reason": "  "})
    assert result.errors == {"reason": "Please complete this required field."}
    assert page.submit_view("U0BEN", view["id"], {"reason": "x" * 501}).errors.keys() == {"reason"}
    assert [request.kind for request in front.received] == ["block_actions"]


def test_the_answer_to_a_submission_decides_what_becomes_of_the_dialog(
    front: FakeFront, page: SlackPage, client: WebClient
) -> None:
    view = open_dialog(front, client, page)
    done = {"type": "modal", "title": plain("Done"), "blocks": [{"type": "section", "text": mrkdwn("Rejected.")}]}
    answers: list[tuple[Json | str, bool]] = [
        ({"response_action": "errors", "errors": {"reason": "Too short."}}, False),
        ({"response_action": "errors", "errors": {"elsewhere": "No such block."}}, False),
        ({"response_action": "update", "view": {**done, "title": plain("t" * 25)}}, False),
        ("not JSON", False),
        ({"response_action": "update", "view": done}, True),
    ]
    for answer, ok in answers:
        body = answer if isinstance(answer, str) else json.dumps(answer)
        front.answer = lambda request, body=body: (200, body)  # type: ignore[misc]
        result = page.submit_view("U0BEN", view["id"], {"reason": "Because"})
        assert result.ok is ok, answer
        assert [shown["id"] for shown in page.views("U0BEN")] == [view["id"]]
    assert page.views("U0BEN")[0]["title"]["text"] == "Done"
    assert result.errors == {}


def test_a_dialog_that_asked_for_it_tells_when_it_is_closed(
    front: FakeFront, page: SlackPage, client: WebClient
) -> None:
    view = open_dialog(front, client, page)
    page.close_view("U0BEN", view["id"])
    [closed] = front.wait_for(1, "view_closed")
    assert (closed.payload["view"]["id"], closed.payload["is_cleared"]) == (view["id"], False)
    with pytest.raises(PageError, match="no longer open"):
        page.submit_view("U0BEN", view["id"], {"reason": "Because"})


def test_only_its_own_person_can_use_a_dialog(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    view = open_dialog(front, client, page)
    with pytest.raises(PageError, match="no longer open"):
        page.submit_view("U0ANA", view["id"], {"reason": "Because"})


def test_what_was_typed_stays_when_the_app_updates_the_dialog(
    front: FakeFront, page: SlackPage, client: WebClient
) -> None:
    inputs = [{**reject_view()["blocks"][1], "dispatch_action": True}]
    view = open_dialog(front, client, page, {**reject_view(), "blocks": inputs})
    page.act_in_view("U0BEN", view["id"], "text", "Half a thought")
    client.views_update(view_id=view["id"], view={**reject_view(), "title": plain("Reject at last")})
    [shown] = page.views("U0BEN")
    assert shown["title"]["text"] == "Reject at last"
    assert shown["state"]["values"]["reason"]["text"]["value"] == "Half a thought"


# -- commands, Home, messages ------------------------------------------------------------------------------------


def test_a_command_is_a_signed_form(front: FakeFront, page: SlackPage) -> None:
    assert page.slash("U0ANA", "/mlops", "status a&b", "ml-releases").ok
    [request] = front.wait_for(1, "command")
    form = request.payload
    assert request.valid
    assert (form["command"], form["text"], form["channel_id"]) == ("/mlops", "status a&amp;b", CHANNEL)
    assert (form["user_id"], form["user_name"], form["team_id"]) == ("U0ANA", "ana", "T0ACME")
    assert {"response_url", "trigger_id"} <= form.keys()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "", None),
        (200, "Two releases run.", "Two releases run."),
        (200, json.dumps({"text": "Two releases run."}), "Two releases run."),
        (500, "", '/mlops failed with the error "dispatch_failed"'),
        (200, "{broken", '/mlops failed with the error "invalid_json"'),
        (200, json.dumps({"blocks": [{"type": "header"}]}), '/mlops failed with the error "invalid_blocks"'),
    ],
)
def test_the_answer_to_a_command_is_shown_to_who_typed_it(
    front: FakeFront, page: SlackPage, status: int, body: str, said: str | None
) -> None:
    front.answer = lambda request: (status, body)
    page.slash("U0ANA", "/mlops", "status", CHANNEL)
    assert [message["text"] for message in page.ephemerals("U0ANA")] == ([said] if said else [])
    assert page.messages(CHANNEL) == []


def test_an_unknown_command_never_reaches_the_app(front: FakeFront, page: SlackPage) -> None:
    assert page.slash("U0ANA", "/deploy", "x", CHANNEL).ok is False
    assert front.received == []
    assert "not a valid command" in page.ephemerals("U0ANA")[0]["text"]


def test_looking_at_home_is_an_event(front: FakeFront, page: SlackPage) -> None:
    assert page.open_home("U0BEN").ok
    [request] = front.wait_for(1, "app_home_opened")
    assert request.valid
    assert request.headers["Content-Type"] == "application/json"
    assert (request.payload["type"], request.payload["event"]["user"]) == ("event_callback", "U0BEN")


def test_an_event_that_failed_comes_again_at_once(front: FakeFront, page: SlackPage) -> None:
    answers = iter([(500, ""), (200, "")])
    front.answer = lambda request: next(answers)
    page.open_home("U0BEN")
    first, second = front.wait_for(2, "app_home_opened")
    assert first.payload["event_id"] == second.payload["event_id"]
    assert "X-Slack-Retry-Num" not in first.headers
    assert (second.headers["X-Slack-Retry-Num"], second.headers["X-Slack-Retry-Reason"]) == ("1", "http_error")


@pytest.mark.parametrize("plain_answer", [True, False], ids=["text", "JSON"])
def test_the_request_url_is_verified(front: FakeFront, page: SlackPage, plain_answer: bool) -> None:
    def echo(request: Received) -> tuple[int, str]:
        challenge = request.payload["challenge"]
        return 200, challenge if plain_answer else json.dumps({"challenge": challenge})

    front.answer = echo
    assert page.verify_url()
    front.answer = lambda request: (200, "")
    assert not page.verify_url()


# -- faults ------------------------------------------------------------------------------------------------------


def test_duplicates_are_the_same_click_twice(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    page.faults(duplicate_clicks=True)
    page.click("U0BEN", CHANNEL, ask(client), "approve")
    one, other = front.wait_for(2, "block_actions")
    assert one.payload == other.payload


def test_of_two_clicks_the_second_may_arrive_first(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    ts = ask(client)
    page.faults(reorder_clicks=True)
    first = threading.Thread(target=page.click, args=("U0BEN", CHANNEL, ts, "approve"))
    first.start()
    until = time.monotonic() + 5
    while not any(row["what"] == "held" for row in page.log()) and time.monotonic() < until:
        time.sleep(0.01)
    page.click("U0CHLOE", CHANNEL, ts, "reject")
    first.join()
    assert [request.payload["user"]["id"] for request in front.received] == ["U0CHLOE", "U0BEN"]


def test_an_unknown_fault_is_refused_with_those_there_are(page: SlackPage) -> None:
    with pytest.raises(PageError, match="unknown fault flood; known are rate_limit"):
        page.faults(flood=True)
    with pytest.raises(PageError, match="outage must be true or false"):
        page.faults(outage=1)


def test_a_channel_is_archived_by_name(page: SlackPage) -> None:
    assert page.faults(archived=["ml-releases"])["archived"] == [CHANNEL]
    with pytest.raises(PageError, match="archived"):
        page.say("U0ANA", "ml-releases", "hello")


# -- signatures --------------------------------------------------------------------------------------------------


def test_another_secret_does_not_verify(front: FakeFront, client: WebClient, page: SlackPage) -> None:
    page.click("U0BEN", CHANNEL, ask(client), "approve")
    headers = front.received[0].headers
    body = b"payload=forged"
    assert not SignatureVerifier(SIGNING_SECRET).is_valid_request(body, headers)
    assert headers["X-Slack-Signature"].startswith("v0=")


def test_two_equal_buttons_need_a_value(page: SlackPage, client: WebClient, front: FakeFront) -> None:
    rows = [{"type": "actions", "elements": [button("pick", text, text)]} for text in ("one", "two")]
    ts = client.chat_postMessage(channel=CHANNEL, text="Pick", blocks=rows)["ts"]
    with pytest.raises(PageError, match="give a value or a block_id"):
        page.click("U0BEN", CHANNEL, ts, "pick")
    assert page.click("U0BEN", CHANNEL, ts, "pick", "two").ok
    assert front.received[0].payload["actions"][0]["value"] == "two"
