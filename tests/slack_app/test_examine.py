"""The function Examine, against the local Slack page and the product's own front; AWS is a double."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.examine.request_url import RequestUrl
from functions.examine.slack_workspace import SlackWorkspace
from local.slack.client import SlackPage
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.examination.findings import Check, Finding, State
from orchestrator.core.examination.ports import Role
from slack_app.front.answering import PATH, Front, answer
from slack_app.front.secrets import Known
from tests.fakes.examination import SECRET, SIGNING, TOKEN, good_roles
from tests.fakes.memory_world import MemoryWorld, installation
from tests.functions.conftest import VALUES, Called

HOST = "abc123.execute-api.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def page() -> Iterator[SlackPage]:
    with SlackPage(bot_token=TOKEN, signing_secret=SIGNING) as running:
        yield running


@pytest.fixture(autouse=True)
def _well(page: SlackPage) -> Iterator[None]:
    """No test leaves a fault behind."""
    yield
    page.faults(missing_scopes=[], deactivated=[], archived=[], outage=False, rate_limit=0)


class OneSecret:
    """See ``slack_app.front.secrets.SlackSecrets``."""

    def known(self) -> Known:
        return Known((SIGNING,), TOKEN)

    def renewed(self) -> Known | None:
        return None


@pytest.fixture(scope="module")
def gateway() -> Iterator[ThreadingHTTPServer]:
    """API Gateway before the product's front: it goes by the host name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            front = Front(OneSecret(), lambda replay: None, lambda *given: None, time.time)
            known = self.headers["Host"] == HOST and self.path == PATH
            status, found = (404, None) if not known else ((one := answer(headers, body, front)).status, one.body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode() if found else b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Aws:
    """The clients that the function makes."""

    def __init__(self) -> None:
        self.secret = SECRET
        self.subscribed = [{"Protocol": "email", "Endpoint": "team@example.com", "SubscriptionArn": "arn:aws:sns:1"}]

    def __call__(self, service: str, *_: Any, **__: Any) -> Any:
        return self

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
        assert SecretId == VALUES["slack_secret_arn"]
        return {"SecretString": self.secret}

    def get_paginator(self, name: str) -> Any:
        assert name == "list_subscriptions_by_topic"
        return self

    def paginate(self, *, TopicArn: str) -> list[dict[str, Any]]:
        assert TopicArn == VALUES["topic_arn"]
        return [{"Subscriptions": self.subscribed}]


class Stages:
    """See ``examination.ports.StageRoles``."""

    def roles(self, stage: str, names: Any) -> tuple[Role, ...]:
        return good_roles(installation(), names)


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def examine(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    page: SlackPage,
    gateway: ThreadingHTTPServer,
    aws: Aws,
) -> Called:
    # People of another company are in ml-releases, which is a warning.
    memory = MemoryWorld(installation(slack_api_url=page.api_url, slack_channel="ml-platform"))
    memory.accounts = Stages()  # type: ignore[assignment]
    function = Called("examine", memory, monkeypatch, lambda: "".join(capsys.readouterr()))
    monkeypatch.setattr("functions.examine.handler.client", aws)
    host, port = gateway.server_address[:2]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host!s}:{port}")
    return function


def findings(answered: Any) -> list[Finding]:
    found = answered["findings"]
    return [Finding(**{**one, "check": Check(one["check"]), "state": State(one["state"])}) for one in found]


def of(answered: Any, check: Check) -> list[Finding]:
    return [one for one in findings(answered) if one.check is check]


def test_all_is_well(examine: Called) -> None:
    answered = examine({})
    assert [one for one in findings(answered) if one.state is not State.OK] == []
    assert (answered["faults"], answered["warnings"]) == (0, 0)
    (channel,) = of(answered, Check.CHANNEL)
    assert channel.what == "is public, and the app is in it (ml-platform, C0PLATFORM)"
    assert examine.last["faults"] == 0


def test_nothing_of_the_secret_is_answered_or_logged(examine: Called, aws: Aws) -> None:
    for secret in (SECRET, "{}", json.dumps({"bot_token": "xoxb-wrong-one", "signing_secret": "short-secret"})):
        aws.secret = secret
        told = json.dumps(examine({})) + examine.output
        for value in (TOKEN, SIGNING, "xoxb-wrong-one", "short-secret"):
            assert value not in told


def test_each_broken_thing_is_named(examine: Called, page: SlackPage, aws: Aws) -> None:
    page.faults(
        missing_scopes=["users:read.email", "channels:history"], deactivated=["U0BEN"], archived=["ml-platform"]
    )
    aws.subscribed[0]["SubscriptionArn"] = "PendingConfirmation"
    answered = examine({})
    told = {(one.check, one.state, one.about) for one in findings(answered) if one.state is not State.OK}
    assert told == {
        (Check.SCOPES, State.FAULT, "users:read.email"),
        (Check.SCOPES, State.WARNING, "channels:history"),
        (Check.CHANNEL, State.FAULT, "#ml-platform"),
        (Check.APPROVER, State.WARNING, "Ben Okafor (ml-owner, risk)"),
        (Check.MAIL, State.FAULT, "team@example.com"),
    }
    assert (answered["faults"], answered["warnings"]) == (3, 2)
    assert examine.last["faults"] == 3


def test_a_token_of_another_app(examine: Called, aws: Aws) -> None:
    aws.secret = json.dumps({"bot_token": "xoxb-another", "signing_secret": "f" * 32})
    answered = examine({})
    assert "does not know the bot token" in of(answered, Check.TOKEN)[0].what
    assert "refuses what is signed" in of(answered, Check.FRONT)[0].what


def test_slack_is_out(examine: Called, page: SlackPage) -> None:
    page.faults(outage=True)
    (token,) = of(examine({}), Check.TOKEN)
    assert "Slack answered 503" in token.what


def test_channels_by_name_and_by_id(page: SlackPage) -> None:
    workspace = SlackWorkspace(TOKEN, page.api_url)
    member, other = workspace.channel("ml-platform"), workspace.channel("coffee")
    assert member is not None
    assert other is not None
    assert (member.id, member.is_member, other.is_member) == ("C0PLATFORM", True, False)
    assert workspace.channel("C0PLATFORM") == member
    assert workspace.channel("nowhere") is workspace.channel("C0NOWHERE") is None


def test_accounts_by_id_and_by_address(page: SlackPage) -> None:
    workspace = SlackWorkspace(TOKEN, page.api_url)
    assert workspace.account("U0NOBODY") is workspace.account_of("nobody@example.com") is None
    by_id, by_address = workspace.account("U0CHLOE"), workspace.account_of("chloe@example.com")
    assert by_id is not None
    assert by_address is not None
    assert by_id["id"] == by_address["id"] == "U0CHLOE"
    page.faults(missing_scopes=["users:read.email"])
    with pytest.raises(ChatRefused, match="missing_scope"):
        workspace.account_of("chloe@example.com")


def test_a_wish_for_a_slower_pace_is_not_waited_for(page: SlackPage) -> None:
    page.faults(rate_limit=1, retry_after=30)
    started = time.monotonic()
    with pytest.raises(ChatUnavailable, match="slower pace"):
        SlackWorkspace(TOKEN, page.api_url).account("U0BEN")
    assert time.monotonic() - started < 5


def test_nobody_listens() -> None:
    found = RequestUrl(f"http://127.0.0.1:1{PATH}").url_verification("x", SIGNING)
    assert (found.status, found.body) == (0, "ConnectionRefusedError")
    with pytest.raises(ChatUnavailable, match="not reached"):
        SlackWorkspace(TOKEN, "http://127.0.0.1:1/api/").app()
