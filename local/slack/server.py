"""The HTTP server: which path goes where, and who may ask.

It listens on 127.0.0.1 only, and answers only to requests that name it so: a page elsewhere whose name was pointed at
127.0.0.1 (DNS rebinding) sends another Host, a form on another site another Origin. Anybody at this machine may act as
anybody in the workspace; that is the page's purpose.

    /                        the page           /api/<method>        Web API, with the bot token
    /static/<file>           its files          /response/<ticket>   response URLs
    /avatar/<user>.svg       pictures           /_local/events       live updates
    /archives/<channel>/p…   permalinks         /_local/<what>       see `page`
    /files/<id>              shared files       /upload/<ticket>     takes a file's bytes
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from local.slack import methods_chat
from local.slack.arguments import Arguments
from local.slack.commands import Commands
from local.slack.events import stream
from local.slack.faults import FaultBox, RequestLog
from local.slack.front import Front
from local.slack.interactions import Interactions
from local.slack.method import Api
from local.slack.page import POLICY, Page
from local.slack.people import WorkspaceSpec
from local.slack.schema import Json
from local.slack.views import Views
from local.slack.web_api import WebApi, refusal
from local.slack.workspace import SlackError, Workspace

MOST_BYTES: Final = 2_000_000


@dataclass(frozen=True)
class Settings:
    """What the server is started with. `signing_secret` and `bot_token` are never logged."""

    port: int
    front_url: str
    signing_secret: str
    bot_token: str
    workspace: WorkspaceSpec


class LocalSlackServer(ThreadingHTTPServer):
    """One workspace behind one port. Port 0 takes a free one; see `url`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, settings: Settings) -> None:
        super().__init__(("127.0.0.1", settings.port), _Handler)
        self.port: int = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.stopped = threading.Event()
        self.hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        self.workspace = workspace = Workspace(settings.workspace)
        faults = FaultBox(lambda now: workspace.emit("faults", vars(now)))
        self.log = RequestLog()
        views = Views(self.workspace)
        front = Front(settings.front_url, settings.signing_secret)
        parts = (self.workspace, views, front, faults, self.log)
        self.page = Page(*parts, Interactions(*parts, self.url), Commands(*parts, self.url))
        self.api = Api(self.workspace, views, faults, self.url)
        self.web_api = WebApi(self.api, settings.bot_token, faults, self.log)

    def shutdown(self) -> None:
        self.stopped.set()
        super().shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: LocalSlackServer
    protocol_version = "HTTP/1.1"
    server_version = "LocalSlackPage"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        if not self._let_in():
            return
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        section, _, rest = parts.path.lstrip("/").partition("/")
        if section in ("", "archives"):
            self._file("index.html")
        elif section == "static":
            self._file(rest)
        elif section == "avatar":
            self._avatar(rest.removesuffix(".svg"))
        elif section == "files":
            self._shared_file(rest)
        elif section == "_local" and rest == "events":
            self._events(query)
        elif section == "_local":
            self._json(*self.server.page.get(rest, query))
        elif section == "api":
            self._web_api(rest, b"", parts.query)
        else:
            self._json(404, {"ok": False, "error": "not found"})

    def do_POST(self) -> None:
        if not self._let_in():
            return
        body = self._body()
        if body is None:
            return
        parts = urlsplit(self.path)
        section, _, rest = parts.path.lstrip("/").partition("/")
        if section == "api":
            self._web_api(rest, body, parts.query)
        elif section == "response":
            self._response_url(unquote(rest), body)
        elif section == "upload":
            self._upload(unquote(rest), body)
        elif section == "_local":
            self._act(rest, body)
        else:
            self._json(404, {"ok": False, "error": "not found"})

    # -- who may ask ---------------------------------------------------------------------------------------------

    def _let_in(self) -> bool:
        host = self.headers.get("Host", "").lower()
        origin = self.headers.get("Origin")
        self.close_connection = True  # unless let in: an unread body would be taken for the next request
        if host not in self.server.hosts:
            self._json(421, {"ok": False, "error": f"this page is called {self.server.url}"})
            return False
        if origin is not None and origin not in {f"http://{host}" for host in self.server.hosts}:
            self._json(403, {"ok": False, "error": "requests from other sites are refused"})
            return False
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        return True

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._json(413, {"ok": False, "error": "request too large"})
            return None
        return self.rfile.read(int(length))

    # -- answers -------------------------------------------------------------------------------------------------

    def _web_api(self, method: str, body: bytes, query: str) -> None:
        content_type = self.headers.get("Content-Type", "")
        authorization = self.headers.get("Authorization", "")
        reply = self.server.web_api.call(method, body, content_type, query, authorization)
        self._json(reply.status, reply.body, dict(reply.headers))

    def _response_url(self, ticket: str, body: bytes) -> None:
        status, answer, shown = 200, {"ok": True}, Arguments({})
        try:
            shown = Arguments.read(body, self.headers.get("Content-Type", ""))
            with self.server.workspace.changed:
                methods_chat.respond(self.server.api, ticket, shown)
        except SlackError as error:
            status = {"expired_url": 404, "used_url": 404, "service_unavailable": 503}.get(error.code, 400)
            answer = refusal(error)
        self.server.log.add("response_url", "respond", status=status, ok=status == 200, arguments=shown.shown())
        self._json(status, answer)

    def _upload(self, ticket: str, body: bytes) -> None:
        down = self.server.api.faults.now.outage
        with self.server.workspace.changed:
            taken = not down and self.server.api.files.receive(ticket, body)
        status = 503 if down else 200 if taken else 400
        self.server.log.add("upload", "bytes", status=status, ok=taken, arguments={"length": len(body)})
        self._send(status, f"OK - {len(body)}".encode() if taken else b"", "text/plain; charset=utf-8", {})

    def _shared_file(self, file_id: str) -> None:
        file = self.server.api.files.shown(file_id)
        if file is None or file.data is None:
            self._json(404, {"ok": False, "error": "not found"})
        else:
            # Always as plain text, which no browser runs.
            self._send(200, file.data, "text/plain; charset=utf-8", {"Content-Security-Policy": "default-src 'none'"})

    def _act(self, what: str, body: bytes) -> None:
        # A form on another site can send text/plain without asking; JSON it cannot.
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            self._json(415, {"ok": False, "error": "send application/json"})
            return
        try:
            decoded = json.loads(body or b"{}")
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            self._json(400, {"ok": False, "error": "send a JSON object"})
            return
        self._json(*self.server.page.post(what, decoded))

    def _events(self, query: dict[str, str]) -> None:
        user = query.get("as", "")
        epoch, _, seq = (self.headers.get("Last-Event-ID") or query.get("after", "")).partition("-")
        if user not in self.server.workspace.people or not seq.isdigit():
            self._json(400, {"ok": False, "error": "as and after are needed"})
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        stream(self.server.workspace, user, epoch, int(seq), self.wfile, self.server.stopped.is_set)

    def _file(self, name: str) -> None:
        found = self.server.page.file(name)
        if found is None:
            self._json(404, {"ok": False, "error": "not found"})
        else:
            self._send(200, *found, {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"})

    def _avatar(self, user: str) -> None:
        picture = self.server.page.avatar(user)
        if picture is None:
            self._json(404, {"ok": False, "error": "not found"})
        else:
            self._send(200, picture, "image/svg+xml", {"Content-Security-Policy": "default-src 'none'"})

    def _json(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json; charset=utf-8", headers or {})

    def _send(self, status: int, body: bytes, content_type: str, headers: dict[str, str]) -> None:
        try:
            self.send_response(HTTPStatus(status))
            for name, value in {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the caller has gone, as a browser tab does

    def log_message(self, format: str, *args: object) -> None:
        """Silent: GET /_local/log shows the requests, without credentials."""
