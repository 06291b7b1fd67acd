"""The Web API as slack_sdk's own client sees it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from local.slack.client import PageError, SlackPage
from tests.slack_page.fake_front import FakeFront
from tests.slack_page.samples import approval_blocks, button, mrkdwn, plain, reject_view

CHANNEL = "C0RELEASES"


def refused(call: Callable[[], Any]) -> str:
    """The error code of a call that must be refused."""
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def post(client: WebClient, **more: Any) -> str:
    blocks = [{"type": "actions", "block_id": "b", "elements": [button("approve", "Approve")]}]
    return str(client.chat_postMessage(channel=CHANNEL, text="Approve?", blocks=blocks, **more)["ts"])


def test_who_the_app_is(client: WebClient) -> None:
    answer = client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0APP", "B0MLOPS", "T0ACME")


@pytest.mark.parametrize(("token", "error"), [("xoxb-wrong", "invalid_auth"), ("", "not_authed")])
def test_a_wrong_or_missing_token_is_refused(page: SlackPage, token: str, error: str) -> None:
    assert refused(lambda: WebClient(token=token, base_url=page.api_url).auth_test()) == error


def test_an_unknown_method_is_refused(client: WebClient) -> None:
    assert refused(lambda: client.api_call("chat.meMessage2")) == "unknown_method"


def test_a_message_comes_back_redrawn(client: WebClient) -> None:
    message = client.chat_postMessage(channel="#ml-releases", text="R & D", blocks=approval_blocks())["message"]
    assert message["text"] == "R &amp; D"
    assert all(block["block_id"] for block in message["blocks"])
    assert message["blocks"][0]["text"]["emoji"] is True
    assert message["blocks"][2]["text"]["verbatim"] is False
    assert (message["bot_id"], message["app_id"]) == ("B0MLOPS", "A0MLOPS")


def test_blocks_may_be_a_json_string_or_a_list(client: WebClient) -> None:
    blocks = [{"type": "divider"}]
    for given in (blocks, json.dumps(blocks)):
        sent = client.api_call("chat.postMessage", json={"channel": CHANNEL, "text": "x", "blocks": given})
        assert sent["message"]["blocks"][0]["type"] == "divider"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0RANDOM2", "text": "x"}, "channel_not_found"),
        ({"channel": CHANNEL, "text": ""}, "no_text"),
        ({"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": CHANNEL, "text": "x", "blocks": [{"type": "header"}]}, "invalid_blocks"),
        ({"channel": CHANNEL, "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": CHANNEL, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "U0APP", "text": "x"}, "cannot_dm_bot"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
def test_messages_slack_refuses(client: WebClient, arguments: dict[str, Any], error: str) -> None:
    assert refused(lambda: client.api_call("chat.postMessage", json=arguments)) == error


def test_a_refusal_says_where_and_why(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=CHANNEL, text="x", blocks=[{"type": "header", "text": plain("h" * 151)}])
    messages = caught.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] must be less than 151 characters, has 151 [json-pointer:/blocks/0/text/text]"]


def test_a_user_id_as_channel_is_the_direct_message(client: WebClient, page: SlackPage) -> None:
    sent = client.chat_postMessage(channel="U0BEN", text="A release waits for you.")
    opened = client.conversations_open(users="U0BEN")
    assert sent["channel"] == opened["channel"]["id"] == page.direct_channel("U0BEN")
    assert client.conversations_members(channel=sent["channel"])["members"] == ["U0APP", "U0BEN"]


def test_update_keeps_or_drops_blocks_as_slack_does(client: WebClient, page: SlackPage) -> None:
    ts = post(client)
    client.chat_update(channel=CHANNEL, ts=ts, text="Approved", blocks=[{"type": "section", "text": mrkdwn("*Done*")}])
    assert page.messages(CHANNEL)[0]["blocks"][0]["text"]["text"] == "*Done*"
    assert "edited" not in page.messages(CHANNEL)[0]
    client.chat_update(channel=CHANNEL, ts=ts, text="Approved by Ben")
    assert "blocks" not in page.messages(CHANNEL)[0]
    assert page.messages(CHANNEL)[0]["edited"]["user"] == "U0APP"


def test_update_and_delete_refuse_what_is_not_the_apps_own(client: WebClient, page: SlackPage) -> None:
    theirs = page.say("U0ANA", CHANNEL, "hello")
    assert refused(lambda: client.chat_update(channel=CHANNEL, ts=theirs, text="x")) == "cant_update_message"
    assert refused(lambda: client.chat_delete(channel=CHANNEL, ts=theirs)) == "cant_delete_message"
    assert refused(lambda: client.chat_update(channel=CHANNEL, ts="1.000001", text="x")) == "message_not_found"
    ts = post(client)
    with pytest.warns(UserWarning, match="`text` argument is missing"):
        assert refused(lambda: client.chat_update(channel=CHANNEL, ts=ts)) == "no_text"


def test_an_ephemeral_message_is_seen_by_one_and_cannot_be_updated(client: WebClient, page: SlackPage) -> None:
    ts = client.chat_postEphemeral(channel=CHANNEL, user="U0BEN", text="Just you")["message_ts"]
    assert [each["text"] for each in page.ephemerals("U0BEN")] == ["Just you"]
    assert page.ephemerals("U0ANA") == page.messages(CHANNEL) == []
    assert refused(lambda: client.chat_update(channel=CHANNEL, ts=ts, text="x")) == "message_not_found"
    outside = refused(lambda: client.chat_postEphemeral(channel="C0PLATFORM", user="U0GUS", text="x"))
    assert outside == "user_not_in_channel"


def test_threads_history_and_permalinks(client: WebClient) -> None:
    ts = post(client)
    reply = client.chat_postMessage(channel=CHANNEL, text="Reminder", thread_ts=ts)["ts"]
    assert [m["ts"] for m in client.conversations_replies(channel=CHANNEL, ts=ts)["messages"]] == [ts, reply]
    parent = client.conversations_history(channel=CHANNEL)["messages"]
    assert [(m["ts"], m["reply_count"], m["latest_reply"]) for m in parent] == [(ts, 1, reply)]
    link = client.chat_getPermalink(channel=CHANNEL, message_ts=reply)["permalink"]
    assert f"/archives/{CHANNEL}/p{reply.replace('.', '')}?thread_ts={ts}" in link
    with urllib.request.urlopen(link) as opened:  # noqa: S310  our own page
        assert b"<title>Local Slack page</title>" in opened.read()


def test_history_comes_in_pages_newest_first(client: WebClient) -> None:
    sent = [post(client) for _ in range(5)]
    pages = [answer["messages"] for answer in client.conversations_history(channel=CHANNEL, limit=2)]
    assert [len(rows) for rows in pages] == [2, 2, 1]
    assert [m["ts"] for rows in pages for m in rows] == sent[::-1]


def test_metadata_is_kept_and_shown_when_asked(client: WebClient) -> None:
    about = {"event_type": "approval", "event_payload": {"id": "ap-1"}}
    client.chat_postMessage(channel=CHANNEL, text="x", metadata=about)
    assert "metadata" not in client.conversations_history(channel=CHANNEL)["messages"][0]
    shown = client.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"][0]
    assert shown["metadata"] == about


def test_people(client: WebClient) -> None:
    ben = client.users_info(user="U0BEN")["user"]
    assert (ben["profile"]["email"], ben["real_name"], ben["is_restricted"]) == ("ben@example.com", "Ben Okafor", False)
    assert client.users_lookupByEmail(email="BEN@example.com")["user"]["id"] == "U0BEN"
    assert refused(lambda: client.users_lookupByEmail(email="nobody@example.com")) == "users_not_found"
    assert refused(lambda: client.users_info(user="U0NOBODY")) == "user_not_found"
    assert client.users_info(user="U0GUS")["user"]["is_restricted"] is True
    assert client.users_info(user="U0APP")["user"]["is_bot"] is True
    pia = client.users_info(user="U0PIA")["user"]
    assert (pia["team_id"], pia["is_stranger"], "email" in pia["profile"]) == ("T0PARTNER", True, False)
    assert "U0PIA" not in [member["id"] for member in client.users_list()["members"]]


def test_user_groups(client: WebClient) -> None:
    assert [group["handle"] for group in client.usergroups_list()["usergroups"]] == ["ml-owners", "risk"]
    assert client.usergroups_users_list(usergroup="S0OWNERS")["users"] == ["U0BEN", "U0DEV"]
    assert refused(lambda: client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"


def test_who_is_in_a_user_group_can_be_changed(client: WebClient, page: SlackPage) -> None:
    page.regroup("S0OWNERS", "U0ANA", "U0ANA")
    assert client.usergroups_users_list(usergroup="S0OWNERS")["users"] == ["U0ANA"]
    page.faults(deactivated=["U0ANA"])
    assert client.usergroups_users_list(usergroup="S0OWNERS")["users"] == []
    assert client.usergroups_users_list(usergroup="S0OWNERS", include_disabled=True)["users"] == ["U0ANA"]
    with pytest.raises(PageError, match="No user group has this id"):
        page.regroup("S0NONE", "U0ANA")
    with pytest.raises(PageError, match="Nobody has this id"):
        page.regroup("S0OWNERS", "U0NOBODY")


def test_a_channel_the_app_is_not_in(client: WebClient) -> None:
    channels = {c["name"]: c for c in client.conversations_list()["channels"]}
    outside = next(c["id"] for c in channels.values() if not c["is_member"])
    assert refused(lambda: client.chat_postMessage(channel=outside, text="x")) == "not_in_channel"
    assert channels["ml-releases"]["is_ext_shared"] is True


def test_archived_channels_are_left_out_when_asked(client: WebClient, page: SlackPage) -> None:
    def names(**more: Any) -> list[str]:
        return [str(channel["name"]) for channel in client.conversations_list(**more)["channels"]]

    page.faults(archived=["ml-platform"])
    assert "ml-platform" in names(types="public_channel,private_channel")
    assert names(exclude_archived=True) == ["ml-releases", "coffee"]
    assert names(types="private_channel") == []


def test_reactions(client: WebClient, page: SlackPage) -> None:
    ts = post(client)
    client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")
    assert page.messages(CHANNEL)[0]["reactions"] == [{"name": "eyes", "users": ["U0APP"], "count": 1}]
    assert refused(lambda: client.reactions_add(channel=CHANNEL, timestamp=ts, name="eyes")) == "already_reacted"


def test_the_home_tab_and_its_hash(client: WebClient, page: SlackPage) -> None:
    view = {"type": "home", "blocks": [{"type": "section", "text": mrkdwn("one")}]}
    first = client.views_publish(user_id="U0BEN", view=view)["view"]
    second = client.views_publish(user_id="U0BEN", view=view, hash=first["hash"])["view"]
    home = page.home("U0BEN")
    assert home is not None
    assert (second["id"], home["hash"]) == (first["id"], second["hash"])
    stale = refused(lambda: client.views_publish(user_id="U0BEN", view=view, hash=first["hash"]))
    assert stale == "hash_conflict"


def test_views_slack_refuses(client: WebClient) -> None:
    assert refused(lambda: client.views_open(trigger_id="1.2.x", view=reject_view())) == "invalid_trigger_id"
    too_long = {**reject_view(), "title": plain("t" * 25)}
    assert refused(lambda: client.views_open(trigger_id="1.2.x", view=too_long)) == "invalid_arguments"
    assert refused(lambda: client.views_update(view_id="V0", view=reject_view())) == "not_found"


# -- Slack's bad sides -------------------------------------------------------------------------------------------


def test_rate_limits_are_told_and_pass(client: WebClient, page: SlackPage) -> None:
    page.faults(rate_limit=1, retry_after=1)
    with pytest.raises(SlackApiError) as caught:
        post(client)
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    assert post(client)
    page.faults(rate_limit=1)
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    assert post(client)


def test_an_outage(client: WebClient, page: SlackPage) -> None:
    page.faults(outage=True)
    with pytest.raises(SlackApiError) as caught:
        post(client)
    assert caught.value.response.status_code == 503
    page.faults(outage=False)
    assert post(client)


def test_an_archived_channel(client: WebClient, page: SlackPage) -> None:
    ts = post(client)
    page.faults(archived=[CHANNEL])
    assert refused(lambda: post(client)) == "is_archived"
    assert refused(lambda: client.chat_update(channel=CHANNEL, ts=ts, text="x")) == "is_archived"
    assert client.conversations_info(channel=CHANNEL)["channel"]["is_archived"] is True
    page.faults(archived=[])
    assert post(client)


def test_the_log_tells_calls_without_the_token(client: WebClient, page: SlackPage) -> None:
    post(client)
    row = page.log()[-1]
    assert (row["direction"], row["what"], row["ok"], row["arguments"]["text"]) == (
        "web_api",
        "chat.postMessage",
        True,
        "Approve?",
    )
    assert "xoxb-local-page" not in json.dumps(page.log())


# -- response URLs -----------------------------------------------------------------------------------------------


def response_url(front: FakeFront, page: SlackPage, client: WebClient) -> tuple[WebhookClient, str]:
    ts = post(client)
    page.click("U0BEN", CHANNEL, ts, "approve")
    return WebhookClient(front.wait_for(1)[-1].payload["response_url"]), ts


def test_a_response_url_answers_replaces_and_deletes(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    webhook, ts = response_url(front, page, client)
    assert webhook.send(text="Only you").status_code == 200
    assert webhook.send(text="All of you", response_type="in_channel").status_code == 200
    assert webhook.send(text="Approved", replace_original=True).status_code == 200
    assert [m["text"] for m in page.ephemerals("U0BEN")] == ["Only you"]
    assert [(m["text"], "blocks" in m) for m in page.messages(CHANNEL)] == [("Approved", False), ("All of you", False)]
    assert webhook.send(delete_original=True).status_code == 200
    assert ts not in [m["ts"] for m in page.messages(CHANNEL)]


def test_a_response_url_works_five_times(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    webhook, _ = response_url(front, page, client)
    assert [webhook.send(text=str(n)).status_code for n in range(6)] == [200] * 5 + [404]
    unknown = WebhookClient(f"{page.url}/response/made-up").send(text="x")
    assert (unknown.status_code, json.loads(unknown.body)["error"]) == (404, "expired_url")


def test_a_response_url_refuses_bad_blocks(front: FakeFront, page: SlackPage, client: WebClient) -> None:
    webhook, _ = response_url(front, page, client)
    answer = webhook.send(text="x", blocks=[{"type": "header", "text": mrkdwn("no")}])
    assert (answer.status_code, json.loads(answer.body)["error"]) == (400, "invalid_blocks")
