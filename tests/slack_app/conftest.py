"""Slack's front, queue, worker and notifications around a world in memory, and the local Slack page in its process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from functions.notify.slack_chat import SlackChat
from local.slack.client import SlackPage
from orchestrator.core.records import Release
from orchestrator.core.steps.notify_release import notify_release
from slack_app.app import build_app
from slack_app.desk import Desk
from slack_app.front import handler as front_handler
from slack_app.worker import replay_batch
from tests.fakes.memory_world import BEN, MemoryWorld, configuration
from tests.slack_app.aws_double import ACCESS_KEY, QUEUE_URL, SECRET_ARN, SECRET_KEY, SESSION_TOKEN, AwsDouble

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-local-page"
CHANNEL = "C0RELEASES"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsDouble]:
    """Secrets Manager and SQS, and a function's environment that points to them."""
    double = AwsDouble({"AWSCURRENT": {"bot_token": BOT_TOKEN, "signing_secret": SIGNING_SECRET}})
    server = double.start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_ENDPOINT_URL": double.url,
        "QUEUE_URL": QUEUE_URL,
        "SLACK_SECRET_ARN": SECRET_ARN,
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
    }.items():
        monkeypatch.setenv(name, value)
    front_handler._front.cache_clear()
    yield double
    server.shutdown()
    server.server_close()
    front_handler._front.cache_clear()


@dataclass
class SlackScene:
    """People click in the page; ``work`` lets the worker and the notifications catch up."""

    page: SlackPage
    aws: AwsDouble
    world: MemoryWorld = field(default_factory=MemoryWorld)
    answers: list[dict[str, Any]] = field(default_factory=list)
    """What the front answered."""

    def work(self) -> list[str]:
        """The worker takes what is queued, then the stream tells Slack; ids of messages that failed."""
        failed = self.drain()
        self.tell()
        return failed

    def drain(self) -> list[str]:
        """The worker takes what is queued."""
        answer = replay_batch(self.aws.take(), build_app(Desk(self.world.reception), BOT_TOKEN))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def tell(self) -> None:
        """The stream delivers every release."""
        chat = SlackChat(BOT_TOKEN, self.world.installation.slack_api_url)
        for release in self.world.memory.all(Release):
            notify_release(
                release.release_id,
                store=self.world.store,
                chat=chat,
                mail=self.world.mail,
                installation=self.world.installation,
                now=self.world.clock,
                pause=lambda seconds: None,
                holder=uuid4().hex,
                groups=chat,
            )

    def asked(self, stage: str = "staging", **changes: Any) -> str:
        """A release waits for a stage's approval and is shown; its id."""
        release = self.world.release(configuration(**changes))
        self.world.package(release.release_id)
        for before in ("dev", "staging"):
            if before == stage:
                break
            if before == "staging":
                self.world.plan(release.release_id, before)
                self.world.ask(release.release_id, before)
                self.world.vote(BEN, self.world.approval(release.release_id, before))
            self.world.deploy(release.release_id, before)
            self.world.verify(release.release_id, before)
        self.world.plan(release.release_id, stage)
        self.world.ask(release.release_id, stage)
        self.tell()
        return release.release_id

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The channel's messages that are no replies, oldest first."""
        return [found for found in self.page.messages(CHANNEL) if found.get("thread_ts") in {None, found["ts"]}]

    @property
    def message(self) -> dict[str, Any]:
        """The newest of them."""
        return self.messages[-1]

    @property
    def buttons(self) -> list[str]:
        """action_ids in the newest message."""
        rows = [block for block in self.message["blocks"] if block["type"] == "actions"]
        return [element["action_id"] for row in rows for element in row["elements"]]

    def told(self, user: str) -> str:
        """The last thing one person was told privately."""
        found = self.page.ephemerals(user)
        return str(found[-1]["text"]) if found else ""

    def click(self, user: str, action: str = "approve", *, stale: bool = False) -> bool:
        """Click in the newest message; whether Slack was answered in time."""
        return self.page.click(user, CHANNEL, self.message["ts"], action, stale=stale).ok


@pytest.fixture
def slack(aws: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackScene]:
    """Everything together."""
    server, answers = _front_server()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with SlackPage(front_url=url, signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as page:
        monkeypatch.setenv("SLACK_API_URL", page.api_url)
        front_handler._front.cache_clear()
        scene = SlackScene(page, aws, answers=answers)
        scene.world.installation = replace(
            scene.world.installation, slack_api_url=page.api_url, slack_channel="ml-releases"
        )
        yield scene
    server.shutdown()
    server.server_close()


def _front_server() -> tuple[ThreadingHTTPServer, list[dict[str, Any]]]:
    """API Gateway's HTTP API before the front's real handler (payload format 2.0)."""
    answers: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = {
                "version": "2.0",
                "rawPath": self.path,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": body.decode(),
                "isBase64Encoded": False,
            }
            answer = front_handler.handler(event, None)
            answers.append(answer)
            data = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, answers
