"""``python -m slack_app.socket_mode``: the Slack app over Socket Mode, for development against a real workspace.

Slack cannot reach a computer behind a desk, so the app opens the connection and Slack sends through it what it would
post to the request URL. Each envelope becomes the request that Slack would have posted and goes through the product's
own front, which answers it and opens dialogs, and then, in the place of the queue, straight into the worker's Bolt app.
Only the signature is left out: the connection is authenticated by the app-level token.

The environment is the worker's own (``slack_app/env.py``) with AWS credentials, and ``SLACK_APP_TOKEN`` (``xapp-…``);
the bot token is in the installation's secret. ``mlops local slack`` sets all of it for the local installation. Not for
production: one process, and what it holds is lost with it.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Queue
from typing import Any
from urllib.parse import urlencode

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from orchestrator.aws.clients import client
from orchestrator.aws.environment import load
from orchestrator.aws.secrets import slack_secret
from slack_app.app import build_app
from slack_app.env import Env
from slack_app.front.answering import Answer, Front, answer_verified
from slack_app.front.calls import CallFailed, slack_call
from slack_app.front.replay import FORM, Replay
from slack_app.front.secrets import Known
from slack_app.worker import desk_of, replay

REMEMBERED = 1000
"""Requests that are known again when Slack sends them once more, as the queue knows them."""

logger = logging.getLogger("slack_app.socket_mode")


@dataclass(frozen=True)
class Token:
    """See ``orchestrator.aws.environment``."""

    slack_app_token: str = field(repr=False)


def as_posted(request: SocketModeRequest) -> tuple[dict[str, str], bytes] | None:
    """Headers and body as Slack would have posted them; None for a type that the app never gets.

    docs.slack.dev/apis/events-api/using-socket-mode: the payload is that of the request URL.
    """
    payload: Any = request.payload
    match request.type:
        case "slash_commands":
            return {"content-type": FORM}, urlencode({name: str(value) for name, value in payload.items()}).encode()
        case "interactive":
            return {"content-type": FORM}, urlencode({"payload": json.dumps(payload)}).encode()
        case "events_api":
            return {"content-type": "application/json"}, json.dumps(payload).encode()
    return None


class Line:
    """In the place of the queue: one request after the other, each once."""

    def __init__(self, work: Callable[[str], bool]) -> None:
        self._work = work
        self._waiting: Queue[Replay | None] = Queue()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def send(self, request: Replay) -> None:
        """Put a request at the end, unless it has been there."""
        if request.deduplication in self._known:
            return
        self._known[request.deduplication] = None
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        self._waiting.put(request)

    def close(self) -> None:
        """Work off what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (request := self._waiting.get()) is not None:
            if not self._work(request.to_json()):
                logger.error("a request was not carried out, and is not tried again here")


class _NoSecrets:
    """See ``front.answering.Secrets``: nothing is verified here."""

    def known(self) -> Known:
        raise AssertionError("unreachable")

    def renewed(self) -> Known | None:
        raise AssertionError("unreachable")


class SocketFront(SocketModeHandler):
    """The front before the app, fed by Slack's connection."""

    def __init__(
        self,
        app: App,
        app_token: str,
        bot_token: str,
        slack_api_url: str,
        now: Callable[[], float],
        web_client: WebClient | None = None,
    ) -> None:
        """``web_client`` asks for the connection (apps.connections.open); by itself the app's own."""
        super().__init__(app, app_token, web_client=web_client)
        self._known = Known((), bot_token)
        self._line = Line(lambda message: replay(message, app))

        def open_view(token: str, trigger_id: str, view: Mapping[str, Any]) -> None:
            slack_call(slack_api_url, "views.open", token, {"trigger_id": trigger_id, "view": view})

        self._front = Front(_NoSecrets(), self._line.send, open_view, now)

    def handle(self, client: BaseSocketModeClient, req: SocketModeRequest) -> None:
        """Answer one envelope; Slack waits three seconds for it."""
        found = self._answer(req)
        logger.info("%s: %s", req.type, found.outcome)
        payload = dict(found.body) if found.body is not None else None
        client.send_socket_mode_response(SocketModeResponse(req.envelope_id, payload))

    def connect(self) -> None:
        """Open the connection; raises ``SlackApiError`` where Slack does not take the app-level token."""
        super().connect()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """End the connection, and work off what has come by it."""
        super().close()  # type: ignore[no-untyped-call]
        self._line.close()

    def _answer(self, request: SocketModeRequest) -> Answer:
        posted = as_posted(request)
        if posted is None:
            return Answer(200, "ignored")
        try:
            return answer_verified(*posted, self._known, self._front)
        except CallFailed as error:
            return Answer(200, f"lost: {error.code}")
        except (ValueError, RecursionError):
            return Answer(200, "malformed")


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    import time

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    env, token = load(Env), load(Token)
    desk = desk_of(env)
    secret = slack_secret(client("secretsmanager"), env.slack_secret_arn)
    app = build_app(desk, secret.bot_token)
    served = SocketFront(app, token.slack_app_token, secret.bot_token, desk.installation.slack_api_url, time.time)
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    served.connect()
    print("Connected to Slack.", flush=True)
    ended.wait()
    served.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
