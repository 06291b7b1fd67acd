"""A small app front for these tests: verifies signatures as an app does, keeps what it got, answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import SignatureVerifier

Json = dict[str, Any]
Answer = tuple[int, str]


@dataclass(frozen=True)
class Received:
    """One request: `payload` is the decoded interaction, command form or event envelope."""

    kind: str
    payload: Json
    valid: bool
    headers: dict[str, str]
    path: str


@dataclass
class FakeFront:
    """`answer` may be replaced by a test: Received -> (status, body)."""

    signing_secret: str
    answer: Callable[[Received], Answer] = lambda request: (200, "")
    received: list[Received] = field(default_factory=list)
    url: str = ""

    def wait_for(self, count: int, kind: str = "") -> list[Received]:
        """The requests of a kind, once there are `count`."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            found = [each for each in self.received if kind in ("", each.kind)]
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{count} requests of kind {kind or 'any'} wanted, got {[r.kind for r in self.received]}")

    def start(self) -> ThreadingHTTPServer:
        front = self
        verifier = SignatureVerifier(self.signing_secret)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                valid = verifier.is_valid_request(raw, dict(self.headers))
                request = _parse(raw, valid, dict(self.headers), self.path)
                front.received.append(request)
                status, body = front.answer(request)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body.encode())))
                    self.end_headers()
                    self.wfile.write(body.encode())
                except OSError:
                    return  # the page gave up waiting

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


def _parse(raw: bytes, valid: bool, headers: dict[str, str], path: str) -> Received:
    if headers.get("Content-Type", "").startswith("application/json"):
        event: Json = json.loads(raw)
        kind = event["event"]["type"] if "event" in event else event["type"]
        return Received(kind, event, valid, headers, path)
    form = {key: values[0] for key, values in parse_qs(raw.decode(), keep_blank_values=True).items()}
    if "payload" in form:
        payload: Json = json.loads(form["payload"])
        return Received(payload["type"], payload, valid, headers, path)
    return Received("command", form, valid, headers, path)
