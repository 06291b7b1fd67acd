"""The local Slack page without its servers: people, front, queue and Web API in one process, on a clock of the test's.

Only the wires are replaced: slack_sdk's HTTP calls end in the page's own Web API, what people do ends in the front's
own ``answer``, and what the front queues is taken from a list.
"""

from __future__ import annotations

import io
import json
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message as Headers
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

import pytest

from local.slack.faults import FaultBox, RequestLog
from local.slack.front import Answer as Delivered
from local.slack.front import Front as Delivery
from local.slack.interactions import Interactions
from local.slack.method import Api
from local.slack.people import default_spec
from local.slack.views import Views
from local.slack.web_api import WebApi
from local.slack.workspace import Message, Workspace
from orchestrator.core.errors import ChatUnavailable
from slack_app.front import answering
from slack_app.front.calls import CallFailed
from slack_app.front.replay import Replay
from slack_app.front.secrets import Known
from tests.fakes.clock import FakeClock

URL = "http://slack.test"
API_URL = f"{URL}/api/"
BOT_TOKEN = "xoxb-in-process"
SIGNING_SECRET = "a-signing-secret-of-the-tests"
CHANNEL = "C0RELEASES"


class Died(BaseException):
    """The function ends here, as when Lambda kills it."""


class _Known:
    """``answering.Secrets`` that never change."""

    def known(self) -> Known:
        """See ``answering.Secrets``."""
        return Known((SIGNING_SECRET,), BOT_TOKEN)

    def renewed(self) -> Known | None:
        """See ``answering.Secrets``."""
        return None


class _Delivery(Delivery):
    """Signs as the page does, and hands the request to the front."""

    def __init__(self, slack: SlackInProcess) -> None:
        super().__init__(URL, SIGNING_SECRET)
        self._slack = slack

    def deliver(
        self, body: str, content_type: str, headers: Mapping[str, str] | None = None, delay: float = 0.0
    ) -> Delivered:
        """See ``local.slack.front``."""
        stamp = str(int(self._slack.clock.moment.timestamp()))
        signature = self._verifier.generate_signature(timestamp=stamp, body=body)
        sent = {
            "content-type": content_type,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature or "",
        }
        return self._slack.deliver(sent, body.encode())


class SlackInProcess:
    """See the module."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.workspace = Workspace(default_spec(), now=lambda: clock.moment.timestamp())
        self.faults = FaultBox()
        self.log = RequestLog()
        self.views = Views(self.workspace)
        self.people = Interactions(self.workspace, self.views, _Delivery(self), self.faults, self.log, URL)
        there = Api(self.workspace, self.views, self.faults, URL)
        self.files = there.files
        self.api = WebApi(there, BOT_TOKEN, self.faults, self.log)
        self.front = answering.Front(_Known(), self.send, self.open_view, lambda: clock.moment.timestamp())
        self.requests: list[tuple[dict[str, str], bytes]] = []
        """Every request to the front, as Slack may deliver it again."""
        self.queue: list[dict[str, Any]] = []
        self.queued: dict[str, float] = {}
        """Deduplication id → when it was queued first."""
        self.calls: list[tuple[float, str, int]] = []
        """When which method was called, and the status of the answer."""
        self.dies_after = ""
        """Method whose next call has its effect, and kills who called."""
        self.statuses: list[int] = []
        """What the front answered."""

    # -- towards the app -----------------------------------------------------------------------------------------

    def deliver(self, headers: dict[str, str], body: bytes) -> Delivered:
        """A request reaches the front."""
        self.requests.append((headers, body))
        found = answering.answer(headers, body, self.front)
        self.statuses.append(found.status)
        return Delivered(found.status, json.dumps(found.body) if found.body is not None else "", 0.0)

    def send(self, replay: Replay) -> None:
        """The FIFO queue: a deduplication id counts for five minutes."""
        moment = self.clock.moment.timestamp()
        if moment - self.queued.get(replay.deduplication, -1e9) < 300:
            return
        self.queued[replay.deduplication] = moment
        self.queue.append(
            {
                "messageId": f"m-{len(self.queued)}-{moment}",
                "body": replay.to_json(),
                "attributes": {"MessageGroupId": replay.group},
            }
        )

    def open_view(self, token: str, trigger_id: str, view: Mapping[str, Any]) -> None:
        """The front opens a dialog."""
        body = json.dumps({"trigger_id": trigger_id, "view": view}).encode()
        reply = self.api.call("views.open", body, "application/json", "", f"Bearer {token}")
        if not reply.body["ok"]:
            raise CallFailed(str(reply.body["error"]), reply.status)

    # -- the Web API ---------------------------------------------------------------------------------------------

    @contextmanager
    def wired(self) -> Iterator[None]:
        """Within, slack_sdk's calls end here, and its waiting takes the clock's time."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("slack_sdk.web.base_client.urlopen", self.urlopen)
            patched.setattr("functions.notify.slack_chat.upload", self.upload)
            patched.setattr("slack_sdk.http_retry.builtin_handlers.time.sleep", self.clock.pass_seconds)
            yield

    def upload(self, address: str, data: bytes, api_url: str) -> None:
        """The bytes of a file, to the page's own address."""
        assert address.startswith(f"{URL}/upload/"), address
        down = self.faults.now.outage
        if down or not self.files.receive(address.rpartition("/")[2], data):
            raise ChatUnavailable("the file was not taken")

    def urlopen(self, request: Request, context: object = None, timeout: object = None) -> _Answered:
        """``urllib.request.urlopen``, to Slack's Web API alone."""
        parts = urlsplit(request.full_url)
        assert request.full_url.startswith(API_URL), request.full_url
        method = parts.path.removeprefix("/api/")
        body = request.data if isinstance(request.data, bytes) else b""
        reply = self.api.call(
            method,
            body,
            str(request.get_header("Content-type", "")),
            parts.query,
            str(request.get_header("Authorization", "")),
        )
        self.calls.append((self.clock.moment.timestamp(), method, reply.status))
        if self.dies_after == method and reply.status == 200:
            self.dies_after = ""
            raise Died(method)
        headers = Headers()
        headers["Content-Type"] = "application/json; charset=utf-8"
        for name, value in reply.headers.items():
            headers[name] = value
        raw = json.dumps(reply.body).encode()
        if reply.status >= 400:
            raise urllib.error.HTTPError(request.full_url, reply.status, "", headers, io.BytesIO(raw))
        return _Answered(reply.status, headers, raw)

    # -- what people see -----------------------------------------------------------------------------------------

    def messages(self) -> list[Message]:
        """The app's messages to everybody that are no replies, in all channels."""
        return [
            message
            for channel, rows in self.workspace.messages.items()
            if not channel.startswith("D")
            for message in rows
            if message.ephemeral_to is None and message.thread_ts is None and message.metadata
        ]


class _Answered:
    """What ``urlopen`` answers."""

    def __init__(self, code: int, headers: Headers, body: bytes) -> None:
        self.code = code
        self.headers = headers
        self._body = body

    def read(self) -> bytes:
        """The body."""
        return self._body
