"""Slack's side of Socket Mode: ``apps.connections.open``, the websocket, and what would have been posted as envelopes.

The local Slack page posts to ``/slack/events`` here as Slack posts to a request URL; each request becomes an envelope,
as docs.slack.dev/apis/events-api/using-socket-mode has it, and the app's acknowledgement becomes the answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request as UrlRequest
from urllib.request import urlopen
from uuid import uuid4

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, Request, TextMessage

Json = dict[str, Any]

PATIENCE_SECONDS = 10.0


@dataclass(eq=False)
class Link:
    """One connection of the app's."""

    connection: Any
    ws: WSConnection = field(default_factory=lambda: WSConnection(ConnectionType.SERVER))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Json) -> None:
        """Send one message as text."""
        self.send_event(TextMessage(json.dumps(message)))

    def send_event(self, event: Any) -> None:
        """Send any event of the protocol."""
        with self.lock:
            self.connection.sendall(self.ws.send(event))


@dataclass
class SocketSlack:
    """The double."""

    url: str
    app_token: str
    links: list[Link] = field(default_factory=list)
    upstream: str = ""
    """Base of a Web API that answers every other method, such as the local Slack page's."""
    opened: list[str] = field(default_factory=list)
    """Tokens that a connection was asked for with."""
    acknowledged: dict[str, Json] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def api_url(self) -> str:
        """Base of the Web API."""
        return f"{self.url}/api/"

    def wait_for_link(self, count: int = 1) -> None:
        """Until the app is connected, for the so-manieth time."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.links) >= count, PATIENCE_SECONDS), "no connection"

    def deliver(self, kind: str, payload: Json, envelope_id: str = "") -> Json:
        """Send an envelope; the acknowledgement."""
        envelope_id = envelope_id or str(uuid4())
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        self.links[-1].send(envelope)
        with self.changed:
            known = self.changed.wait_for(lambda: envelope_id in self.acknowledged, PATIENCE_SECONDS)
            assert known, f"no acknowledgement of {kind}"
            return self.acknowledged.pop(envelope_id)

    def refresh(self) -> None:
        """Tell the app that this connection is about to be closed, as Slack does every few hours."""
        self.links[-1].send({"type": "disconnect", "reason": "refresh_requested"})

    def heard(self, message: Json) -> None:
        """Something came from the app."""
        with self.changed:
            self.acknowledged[str(message.get("envelope_id"))] = message
            self.changed.notify_all()


@contextmanager
def serving(app_token: str) -> Iterator[SocketSlack]:
    """The double on a free port, for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    host, port = cast("tuple[str, int]", server.server_address)
    double = SocketSlack(f"http://{host}:{port}", app_token)
    server.double = double  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    @property
    def double(self) -> SocketSlack:
        found: SocketSlack = self.server.double  # type: ignore[attr-defined]
        return found

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/api/apps.connections.open":
            self._answer(self._open())
        elif self.path.startswith("/api/"):
            self._forward(body)
        else:
            self._answer(self._posted(body))

    def _open(self) -> Json:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.double.opened.append(token)
        if token != self.double.app_token:
            return {"ok": False, "error": "invalid_auth"}
        return {"ok": True, "url": f"{self.double.url.replace('http', 'ws')}/link/?ticket=t&app_id=A0"}

    def _forward(self, body: bytes) -> None:
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        url = self.double.upstream + self.path.removeprefix("/api/")
        with urlopen(UrlRequest(url, body, headers, method="POST"), timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            self._answer(json.loads(answer.read()))

    def _posted(self, body: bytes) -> Json:
        """What the page posts, as Slack would send it through the connection."""
        if self.headers.get("Content-Type", "").startswith("application/json"):
            return dict(self.double.deliver("events_api", json.loads(body)).get("payload") or {})
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if "payload" in form:
            acknowledged = self.double.deliver("interactive", json.loads(form["payload"]))
        else:
            acknowledged = self.double.deliver("slash_commands", form)
        return dict(acknowledged.get("payload") or {})

    def _answer(self, body: Json) -> None:
        data = json.dumps(body).encode() if body else b""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """The websocket: its handshake, and then whatever the app sends."""
        assert urlsplit(self.path).path == "/link/"
        self.close_connection = True
        link = Link(self.connection)
        link.ws.initiate_upgrade_connection(
            [(name.lower().encode(), value.encode()) for name, value in self.headers.items()], self.path
        )
        try:
            self._serve(link)
        except OSError:
            return  # the app has gone

    def _serve(self, link: Link) -> None:
        text = ""
        while True:
            for event in link.ws.events():
                match event:
                    case Request():
                        link.send_event(AcceptConnection())
                        link.send({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0"}})
                        with self.double.changed:
                            self.double.links.append(link)
                            self.double.changed.notify_all()
                    case TextMessage():
                        text += event.data
                        if event.message_finished:
                            self.double.heard(json.loads(text))
                            text = ""
                    case Ping():
                        link.send_event(event.response())
                    case Pong():
                        pass
                    case CloseConnection():
                        link.send_event(event.response())
                        return
            data = self.rfile.read1(4096)
            if not data:
                return
            link.ws.receive_data(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
