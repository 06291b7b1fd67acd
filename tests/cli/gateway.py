"""API Gateway on 127.0.0.1: checks the caller's signature as IAM does, then asks the product's own routes.

The routes work on the world in memory, and the product's state machines move after each request, so that the command
is tried against the real API: what it sends must be what the routes take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from functions.api.env import Env
from functions.api.routes import ROUTES, respond
from functions.api.service import Service
from tests.fakes.machine import Machines
from tests.fakes.memory_world import ASSETS, MULTI_MACHINE, PACKAGES, SINGLE_MACHINE, MemoryWorld

REGION = "eu-central-1"
STAGE = "/prod"
SLACK_REQUEST_URL = "https://abc123.execute-api.eu-central-1.amazonaws.com/slack/events"
SECRETS = {"ANA": "secret-of-ana", "BEN": "secret-of-ben", "CHLOE": "secret-of-chloe"}
"""Secret key by access key; the access key in lower case is the session's name."""


@dataclass(frozen=True)
class Received:
    """One request that arrived, signed well or not."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Canned = tuple[int, bytes]


@dataclass
class Gateway:
    """The server, what it received, and answers it should give in place of the product's."""

    url: str
    world: MemoryWorld
    machines: Machines
    received: list[Received] = field(default_factory=list)
    canned: list[Canned] = field(default_factory=list)
    """Status and body of the next answers; used up from the front."""
    examination: Any = None
    """Stands for ``orchestrator.aws.examination.ExamineFunction``."""
    after: Callable[[Received], None] = lambda request: None
    """Called after each answer: what happens in the world meanwhile."""

    def answer(self, request: Received) -> Canned:
        """Status and body for one request."""
        self.received.append(request)
        if self.canned:
            return self.canned.pop(0)
        caller = self.caller(request)
        if caller is None:
            return 403, b'{"message": "The request signature we calculated does not match the signature you provided."}'
        found = respond(_event(request, caller), self._service())
        self.machines.settle()
        self.after(request)
        return found["statusCode"], found["body"].encode()

    def caller(self, request: Received) -> str | None:
        """ARN of who signed; None for a signature that is wrong, or another service's or region's."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "AWS4-HMAC-SHA256" or set(parts) != {"Credential", "SignedHeaders", "Signature"}:
            return None
        access_key, _, scope = parts["Credential"].partition("/")
        stamp = request.headers.get("x-amz-date", "")
        if access_key not in SECRETS or scope != f"{stamp[:8]}/{REGION}/execute-api/aws4_request":
            return None
        signed = {name: request.headers[name] for name in parts["SignedHeaders"].split(";")}
        if not {"host", "x-amz-date"} <= set(signed):
            return None
        repeated = AWSRequest(request.method, f"http://{signed['host']}{request.path}", signed, request.body)
        repeated.context["timestamp"] = stamp
        auth = SigV4Auth(Credentials(access_key, SECRETS[access_key]), "execute-api", REGION)
        expected = auth.signature(auth.string_to_sign(repeated, auth.canonical_request(repeated)), repeated)
        if parts["Signature"] != expected:
            return None
        return f"arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/{access_key.lower()}"

    def _service(self) -> Service:
        world = SimpleNamespace(
            store=self.world.store,
            ledgers=self.world.ledgers,
            objects=self.world.objects,
            tasks=self.world.tasks,
            registry=self.world.registry,
            cards=self.world.cards,
            catalogue=self.world.catalogue,
            installation=self.world.installation,
            now=self.world.clock,
            reception=lambda env: self.world.reception,
            examination=lambda name: self.examination,
        )
        env = Env(
            *("table", "settings", ASSETS, PACKAGES, MULTI_MACHINE, SINGLE_MACHINE),
            *("mlops-examine", SLACK_REQUEST_URL, "arn:aws:secretsmanager:eu-central-1:111111111111:secret:Slack"),
        )
        return Service(world=cast(Any, world), env=env)


@contextmanager
def serving() -> Iterator[Gateway]:
    """A gateway on a free port, for the length of the block."""
    world = MemoryWorld()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    host, port = cast("tuple[str, int]", server.server_address)
    gateway = Gateway(f"http://{host}:{port}{STAGE}", world, Machines(world))
    server.gateway = gateway  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def do_DELETE(self) -> None:
        self._reply()

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        gateway: Gateway = self.server.gateway  # type: ignore[attr-defined]
        status, data = gateway.answer(Received(self.command, self.path, headers, body))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _event(request: Received, caller: str) -> dict[str, Any]:
    """The proxy event of API Gateway (REST API, payload format 1.0)."""
    parts = urlsplit(request.path)
    path = parts.path.removeprefix(STAGE)
    parts_of_path = path.split("/")
    named = "/".join(["", parts_of_path[1], "{id}", *parts_of_path[3:]]) if len(parts_of_path) > 2 else path
    resource = named if (request.method, named) in ROUTES else "/{proxy+}"
    parameters = {"id": parts_of_path[2]} if "{id}" in resource else {}
    return {
        "httpMethod": request.method,
        "resource": resource,
        "path": path,
        "pathParameters": parameters or None,
        "queryStringParameters": dict(parse_qsl(parts.query)) or None,
        "headers": request.headers,
        "body": request.body.decode(),
        "isBase64Encoded": False,
        "requestContext": {"requestId": "one-request", "identity": {"userArn": caller}},
    }
