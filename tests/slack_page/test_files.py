"""Files: announced, sent, shared in a thread, opened."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from local.slack.client import SlackPage

CHANNEL = "C0RELEASES"
TEXT = "# Plan\n" + "<script>alert(1)</script> <!channel>\n" * 40


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def status(url: str, data: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:  # noqa: S310 - the page's own
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_file_is_shared_in_a_thread_and_can_be_opened(page: SlackPage, client: WebClient) -> None:
    thread = str(client.chat_postMessage(channel=CHANNEL, text="The release")["ts"])
    client.files_upload_v2(filename="plan.md", content=TEXT, title="The plan", channel=CHANNEL, thread_ts=thread)
    (reply,) = client.conversations_replies(channel=CHANNEL, ts=thread)["messages"][1:]
    (file,) = reply["files"]
    assert (file["name"], file["title"], file["size"]) == ("plan.md", "The plan", len(TEXT))
    assert TEXT.startswith(file["preview"])
    assert file["preview_is_truncated"]
    assert "The plan" in page.text_of(CHANNEL)
    with urllib.request.urlopen(file["url_private"]) as answer:  # noqa: S310 - the page's own
        assert answer.read().decode() == TEXT
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_bytes_come_once_and_as_many_as_announced(page: SlackPage, client: WebClient) -> None:
    given = client.files_getUploadURLExternal(filename="plan.md", length=3)
    assert status(given["upload_url"], b"four") == 400
    assert status(given["upload_url"], b"one") == 200
    assert status(given["upload_url"], b"two") == 400
    assert status(f"{page.url}/upload/guessed", b"one") == 400
    assert status(f"{page.url}/files/{given['file_id']}") == 404, "not shared yet"
    files = [{"id": given["file_id"]}]
    client.files_completeUploadExternal(files=files, channel_id=CHANNEL)
    assert refused(lambda: client.files_completeUploadExternal(files=files, channel_id=CHANNEL)) == "file_not_found"


def test_what_slack_refuses(page: SlackPage, client: WebClient) -> None:
    assert refused(lambda: client.files_getUploadURLExternal(filename="x", length=0)) == "missing_argument"
    too_much = refused(lambda: client.files_getUploadURLExternal(filename="x", length=2_000_000))
    assert too_much == "file_upload_size_restricted"
    given = client.files_getUploadURLExternal(filename="plan.md", length=3)
    files: list[dict[str, Any]] = [{"id": given["file_id"]}]
    assert refused(lambda: client.files_completeUploadExternal(files=files, channel_id=CHANNEL)) == "file_not_found"
    assert status(given["upload_url"], b"one") == 200
    lost = refused(lambda: client.files_completeUploadExternal(files=files, channel_id=CHANNEL, thread_ts="1.0"))
    assert lost == "thread_not_found"
    page.faults(outage=True)
    again = f"{page.url}/upload/any"
    assert status(again, b"one") == 503
    page.faults(outage=False, missing_scopes=["files:write"])
    assert refused(lambda: client.files_getUploadURLExternal(filename="x", length=1)) == "missing_scope"
