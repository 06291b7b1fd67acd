"""Control endpoints under ``/_local/``: outside AWS's API and its authentication, on the loopback interface only."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from local.cloud import event_buses, faults, mail, schedules, waiting_tasks
from local.cloud.calls import LEDGER
from local.cloud.codecommit.api import push
from local.cloud.codepipeline.api import deliver, expire

PREFIX = "/_local/"

Handler = Callable[[dict[str, str], dict[str, Any]], tuple[int, Any]]
"""Query parameters, JSON body → HTTP status, JSON answer."""


def health(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """The server serves."""
    return 200, {"status": "ok"}


def calls(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """API calls with a number above ``since`` (default 0)."""
    return 200, LEDGER.since(int(query.get("since", "0")))


def mails(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Every e-mail that SNS sent, oldest first."""
    return 200, mail.sent()


def switch_faults(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Set the faults that the body names; answers all."""
    return 200, faults.switch(body)


def inject_event(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Put an event on a bus as it is; answers its id."""
    return 200, {"id": event_buses.inject(body["event"], body["account"], body["region"], body["bus"])}


def run_schedules(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Fire every recurring schedule of ``account``, or of all accounts; answers the ARNs of what fired."""
    return 200, {"fired": schedules.run(body.get("account", ""))}


def expire_tasks(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Let the waiting tasks of ``execution`` time out now; answers how many there were."""
    return 200, {"expired": waiting_tasks.expire(body["execution"])}


def scale_waits(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Shorten Wait states and retry intervals by ``factor``; answers the factor that was in force."""
    return 200, {"former": waiting_tasks.scale_waits(body["factor"])}


ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "health"): health,
    ("GET", "calls"): calls,
    ("GET", "mail"): mails,
    ("POST", "faults"): switch_faults,
    ("POST", "events"): inject_event,
    ("POST", "schedules"): run_schedules,
    ("POST", "expire"): expire_tasks,
    ("POST", "push"): push,
    ("POST", "deliver"): deliver,
    ("POST", "expire-approvals"): expire,
    ("POST", "waits"): scale_waits,
}


async def answer(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer one control request; a browser page of another origin is refused."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status, reply = _route(scope, body)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(reply).encode()})


def _route(scope: dict[str, Any], body: bytes) -> tuple[int, Any]:
    if any(name.lower() == b"origin" for name, _ in scope["headers"]):
        return 403, {"error": "control endpoints are not for web pages"}
    handler = ROUTES.get((scope["method"], scope["path"].removeprefix(PREFIX)))
    if handler is None:
        return 404, {"error": f"no control endpoint {scope['method']} {scope['path']}"}
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
    try:
        return handler(query, json.loads(body) if body else {})
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}
