"""Who may ask the page, and what its answers forbid the browser."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient

from local.slack.client import SlackPage

SAY = json.dumps({"as": "U0ANA", "channel": "ml-releases", "text": "hi"})
JSON = {"Content-Type": "application/json"}


@contextmanager
def asked(
    page: SlackPage, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(urlsplit(page.url).netloc, timeout=10)
    connection.request(method, path, body, headers or {})
    yield connection.getresponse()
    connection.close()


def test_it_listens_on_this_machine_alone(page: SlackPage) -> None:
    parts = urlsplit(page.url)
    assert (parts.hostname, parts.scheme) == ("127.0.0.1", "http")
    with socket.socket() as other:
        other.settimeout(1)
        assert other.connect_ex(("127.0.0.2", parts.port or 0)) != 0


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {"Host": "evil.example"}, 421),
        ("/_local/state", {"Host": "evil.example"}, 421),
        ("/api/auth.test", {"Host": "127.0.0.1"}, 421),
        ("/", {"Origin": "https://evil.example"}, 403),
        ("/", {"Origin": "null"}, 403),
        ("/static/../server.py", {}, 404),
        ("/static/%2e%2e%2fserver.py", {}, 404),
        ("/nowhere", {}, 404),
        ("/_local/nothing", {}, 404),
        ("/_local/events?as=U0BEN", {}, 400),
    ],
)
def test_requests_it_does_not_answer(page: SlackPage, path: str, headers: dict[str, str], status: int) -> None:
    with asked(page, "GET", path, headers=headers) as response:
        assert response.status == status
        assert "evil" not in response.read().decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 200),
        ({**JSON, "Origin": "SELF"}, 200),
        ({**JSON, "Origin": "https://evil.example"}, 403),
        ({**JSON, "Origin": "null"}, 403),
        ({**JSON, "Host": "evil.example"}, 421),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_other_sites_cannot_act(page: SlackPage, headers: dict[str, str], status: int) -> None:
    own = {name: page.url if value == "SELF" else value for name, value in headers.items()}
    with asked(page, "POST", "/_local/say", SAY, own) as response:
        assert response.status == status
    assert len(page.messages("ml-releases")) == (1 if status == 200 else 0)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"as": "U0ANA"}', '{"as": "U0ANA", "channel": 7, "text": "x"}'])
def test_broken_requests_are_refused_and_break_nothing(page: SlackPage, body: str) -> None:
    with asked(page, "POST", "/_local/say", body, JSON) as response:
        assert 400 <= response.status < 500
    assert page.text_of("ml-releases") == ""


def test_a_body_too_large_is_refused(page: SlackPage) -> None:
    with asked(page, "POST", "/_local/say", "x", {**JSON, "Content-Length": "2000001"}) as response:
        assert response.status == 413


def test_the_browser_is_told_to_run_nothing_but_the_pages_own_files(page: SlackPage) -> None:
    for path in ("/", "/static/app.js", "/archives/C0RELEASES/p1000000000000000"):
        with asked(page, "GET", path) as response:
            policy = dict(part.split(" ", 1) for part in str(response.headers["Content-Security-Policy"]).split("; "))
            assert response.status == 200
            assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            page_text = response.read().decode()
    with asked(page, "GET", "/") as response:
        page_text = response.read().decode()
        assert "<script>" not in page_text
        assert "http://" not in page_text
        assert "https://" not in page_text


def test_pictures_of_people_are_inert(page: SlackPage) -> None:
    with asked(page, "GET", "/avatar/U0BEN.svg") as response:
        assert response.headers["Content-Security-Policy"] == "default-src 'none'"
        assert b">BO<" in response.read()
    with asked(page, "GET", "/avatar/U0NOBODY.svg") as response:
        assert response.status == 404


def test_events_are_told_from_those_of_an_earlier_server(page: SlackPage, client: WebClient) -> None:
    with asked(page, "GET", "/_local/state?as=U0BEN") as response:
        state = json.loads(response.read())
    client.chat_postMessage(channel="ml-releases", text="new")
    with asked(page, "GET", f"/_local/events?as=U0BEN&after={state['epoch']}-{state['seq']}") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        lines = [response.readline().decode().strip() for _ in range(4)]
        assert lines[2] == f"id: {state['epoch']}-{state['seq'] + 1}"
        event = json.loads(lines[3].removeprefix("data: "))
        assert (event["kind"], event["data"]["text"]) == ("message", "new")
    with asked(page, "GET", "/_local/events?as=U0BEN&after=earlier-7") as response:
        assert response.read().decode().split("\n\n")[1] == 'data: {"kind": "restarted"}'


@pytest.mark.parametrize(
    ("user", "seen"), [("U0BEN", ["everybody", "Ben", "platform"]), ("U0GUS", ["everybody"])], ids=["Ben", "Gus"]
)
def test_each_person_is_told_only_what_they_see(page: SlackPage, client: WebClient, user: str, seen: list[str]) -> None:
    with asked(page, "GET", f"/_local/state?as={user}") as response:
        state = json.loads(response.read())
    client.chat_postMessage(channel="ml-releases", text="everybody")
    client.chat_postEphemeral(channel="ml-releases", user="U0BEN", text="Ben")
    client.chat_postMessage(channel="ml-platform", text="platform")
    page.faults(outage=True)
    told = []
    with asked(page, "GET", f"/_local/events?as={user}&after={state['epoch']}-{state['seq']}") as response:
        while (line := response.readline().decode()) and "outage" not in line:
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: "))["data"]["text"])
    assert told == seen
