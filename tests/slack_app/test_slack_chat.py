"""Slack's Web API as a port, against the local page: what is repeated, what is refused, what is found again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from functions.notify.slack_chat import SlackChat
from functions.notify.upload import NOT_SLACKS, upload
from local.slack.client import SlackPage
from orchestrator.core.chat import Posted
from orchestrator.core.errors import ChatPutOff, ChatRefused, ChatUnavailable
from orchestrator.core.messages.blocks import File, Message, section
from tests.fakes.outbox import AnyPace

CHANNEL = "C0RELEASES"
HELLO = Message("Hello.", (section("Hello."),))
LATER = Message("Later.", (section("Later."),))


@pytest.fixture(scope="module")
def page() -> Iterator[SlackPage]:
    with SlackPage(signing_secret="s" * 32, bot_token="xoxb-1") as running:
        yield running


@pytest.fixture
def pace() -> AnyPace:
    return AnyPace()


@pytest.fixture
def chat(page: SlackPage, pace: AnyPace) -> Iterator[SlackChat]:
    yield SlackChat("xoxb-1", page.api_url, pace)
    page.faults(outage=False, rate_limit=0, archived=[])


def since(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_post_and_update(page: SlackPage, chat: SlackChat) -> None:
    posted = chat.post("ml-releases", HELLO, key="k")
    assert posted.channel == CHANNEL
    chat.update(posted, LATER)
    assert page.messages(CHANNEL)[-1]["text"] == "Later."


@pytest.mark.parametrize("channel", [CHANNEL, "ml-releases", "#ml-releases"])
def test_a_message_is_found_again_by_its_key(page: SlackPage, chat: SlackChat, channel: str) -> None:
    before = since(-1)
    key = f"message:{channel}"
    posted = chat.post(channel, HELLO, key=key)
    assert chat.find(channel, key, since=before) == posted
    assert chat.find(channel, "another", since=before) is None
    assert chat.find(channel, key, since=since(3600)) is None


def test_a_reply_is_found_again_in_its_thread(chat: SlackChat) -> None:
    before = since(-1)
    posted = chat.post(CHANNEL, HELLO, key="m")
    reply = chat.post(CHANNEL, LATER, key="asked", thread=posted.ts)
    assert chat.find(CHANNEL, "asked", since=before, thread=posted.ts) == reply
    assert chat.find(CHANNEL, "m2", since=before, thread=posted.ts) is None


def test_where_the_app_may_not_look_nothing_is_found(chat: SlackChat) -> None:
    assert chat.find("coffee", "k", since=since()) is None
    assert chat.find("no-such-channel", "k", since=since()) is None


def test_an_outage_is_unavailable(page: SlackPage, chat: SlackChat) -> None:
    page.faults(outage=True)
    with pytest.raises(ChatUnavailable):
        chat.post(CHANNEL, HELLO, key="k")


def test_every_call_is_asked_for(page: SlackPage, chat: SlackChat, pace: AnyPace) -> None:
    posted = chat.post("ml-releases", HELLO, key="k")
    chat.update(posted, LATER)
    chat.find(CHANNEL, "k", since=since(-9))
    chat.find(CHANNEL, "k", since=since(-9), thread=posted.ts)
    chat.find("ml-releases", "k", since=since(-9))
    assert pace.calls == [
        "chat.postMessage",
        "chat.update",
        "conversations.history",
        "conversations.replies",
        "conversations.list",
        "conversations.history",
    ]
    called = [row["what"] for row in page.log() if row["direction"] == "web_api"]
    assert called[-6:] == pace.calls, "there is no way past the pace"


def test_a_429_is_told_to_the_pace_and_not_repeated(page: SlackPage, chat: SlackChat, pace: AnyPace) -> None:
    page.faults(rate_limit=1, retry_after=30)
    with pytest.raises(ChatPutOff) as put_off:
        chat.post(CHANNEL, HELLO, key="k")
    assert put_off.value.seconds == 30
    assert pace.pauses == [30]
    assert len(pace.calls) == 1


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(ChatUnavailable, match="URLError"):
        SlackChat("xoxb-1", "http://127.0.0.1:9/api/", AnyPace()).post(CHANNEL, HELLO, key="k")


@pytest.mark.parametrize(
    ("code", "channel", "message", "token"),
    [
        ("channel_not_found", "no-such-channel", HELLO, "xoxb-1"),
        ("not_in_channel", "coffee", HELLO, "xoxb-1"),
        ("invalid_auth", CHANNEL, HELLO, "xoxb-2"),
        ("invalid_blocks", CHANNEL, Message("x", ({"type": "header"},)), "xoxb-1"),
    ],
)
def test_refusals_carry_slacks_code(page: SlackPage, code: str, channel: str, message: Message, token: str) -> None:
    with pytest.raises(ChatRefused) as refused:
        SlackChat(token, page.api_url, AnyPace()).post(channel, message, key="k")
    assert refused.value.code == code
    assert token not in str(refused.value)


def test_an_archived_channel_refuses_updates(page: SlackPage, chat: SlackChat) -> None:
    posted = chat.post(CHANNEL, HELLO, key="k")
    page.faults(archived=[CHANNEL])
    with pytest.raises(ChatRefused, match="is_archived"):
        chat.update(posted, LATER)


def test_a_message_that_is_gone_refuses_updates(chat: SlackChat) -> None:
    with pytest.raises(ChatRefused, match="message_not_found"):
        chat.update(Posted(CHANNEL, "1.000000"), LATER)


PLAN = File("plan-staging-0123.md", "The plan", "- Größe: 1 → 2\n")


def test_a_file_is_put_into_the_thread_and_found_there(page: SlackPage, chat: SlackChat) -> None:
    before = since(-1)
    posted = chat.post(CHANNEL, HELLO, key="with a file")
    assert not chat.has_file(posted, PLAN.name, since=before)
    chat.attach(posted, PLAN)
    assert chat.has_file(posted, PLAN.name, since=before)
    reply = page.messages(CHANNEL)[-1]
    assert (reply["thread_ts"], reply["files"][0]["preview"]) == (posted.ts, PLAN.text)


def test_without_the_scope_a_file_is_refused(page: SlackPage, chat: SlackChat) -> None:
    posted = chat.post(CHANNEL, HELLO, key="k")
    page.faults(missing_scopes=["files:write"])
    with pytest.raises(ChatRefused) as refused:
        chat.attach(posted, PLAN)
    page.faults(missing_scopes=[])
    assert refused.value.code == "missing_scope"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://files.example/upload",
        "https://slack.com.example/upload",
        "https://evilslack.com/upload",
        "http://files.slack.com/upload",
        "https://files.slack.com:8443/upload",
        "https://files.slack.com@evil.example/upload",
        "https://me@files.slack.com/upload",
        "ftp://files.slack.com/upload",
        "http://127.0.0.1:1/upload",
        "http://169.254.169.254/latest",
    ],
)
def test_bytes_go_to_slacks_own_addresses_only(address: str) -> None:
    for api in ("https://slack.com/api/", "http://127.0.0.1:2/api/"):
        with pytest.raises(ChatRefused, match=NOT_SLACKS):
            upload(address, b"plan", api)


@pytest.mark.parametrize("api", ["http://127.0.0.1:9/api/"])
def test_at_this_machine_the_address_is_the_pages_own(api: str) -> None:
    with pytest.raises(ChatUnavailable):
        upload("http://127.0.0.1:9/upload/ticket", b"plan", api)


def test_the_address_of_a_message_is_slacks_own(page: SlackPage, chat: SlackChat) -> None:
    posted = chat.post(CHANNEL, HELLO, key="k")
    assert chat.link(posted) == f"{page.url}/archives/{CHANNEL}/p{posted.ts.replace('.', '')}"
    with pytest.raises(ChatRefused, match="message_not_found"):
        chat.link(Posted(CHANNEL, "1.000001"))


@pytest.mark.parametrize(
    ("ids", "email", "workspace", "found"),
    [
        (("U0ANA",), "", "", "U0ANA"),
        (("U0NOBODY", "U0ANA"), "", "T0ACME", "U0ANA"),
        ((), "ana@example.com", "", "U0ANA"),
        (("U0NOBODY",), "ANA@example.com", "", "U0ANA"),
        ((), "nobody@example.com", "", ""),
        (("U0GUS",), "", "", ""),
        (("U0PIA",), "", "T0ACME", ""),
        ((), "", "", ""),
    ],
)
def test_a_direct_message_goes_to_a_full_member(
    page: SlackPage, chat: SlackChat, ids: tuple[str, ...], email: str, workspace: str, found: str
) -> None:
    channel = chat.direct(ids, email, workspace)
    assert channel == (page.direct_channel(found) if found else "")
    if channel:
        chat.post(channel, HELLO, key="k")
        assert page.messages(channel)[-1]["text"] == "Hello."


def test_a_missing_scope_for_direct_messages_is_a_refusal(page: SlackPage, chat: SlackChat) -> None:
    page.faults(missing_scopes=["im:write"])
    try:
        with pytest.raises(ChatRefused, match="missing_scope"):
            chat.direct(("U0ANA",), "", "")
    finally:
        page.faults(missing_scopes=[])
