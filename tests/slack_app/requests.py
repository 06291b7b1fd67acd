"""Requests as Slack makes them, and the front's collaborators in memory."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from slack_app.front.answering import Answer, Front, answer
from slack_app.front.calls import CallFailed
from slack_app.front.replay import FORM, Replay
from slack_app.front.secrets import Known

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_772_366_400
VALUE = "0123456789abcdef0123|64879f7d6b960a01"
APPROVAL_ID = "0123456789abcdef0123"


def signature(body: bytes, timestamp: str = str(NOW), secret: str = SECRET, version: str = "v0") -> str:
    """Slack's signature."""
    signed = f"{version}:{timestamp}:".encode() + body
    return f"{version}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def headers(body: bytes, timestamp: str = str(NOW), content_type: str = FORM, **changes: str) -> dict[str, str]:
    """The headers of a signed request; header names with ``_`` for ``-``."""
    known = {
        "content-type": content_type,
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature(body, timestamp),
    }
    return known | {name.replace("_", "-"): value for name, value in changes.items()}


def click(action: str = "approve", value: Any = VALUE, **changes: Any) -> dict[str, Any]:
    """A click as Slack sends it, with everything that the front should leave behind."""
    return {
        "type": "block_actions",
        "user": {"id": "U0BEN", "username": "ben", "name": "ben", "team_id": "T0ACME"},
        "api_app_id": "A0MLOPS",
        "token": "deprecated-verification-token",
        "container": {"type": "message", "message_ts": "1.000001", "channel_id": "C0RELEASES", "is_ephemeral": False},
        "trigger_id": "123.456.abc",
        "team": {"id": "T0ACME", "domain": "acme"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": "C0RELEASES", "name": "ml-releases"},
        "message": {"ts": "1.000001", "text": "long " * 20_000, "blocks": []},
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T0/1/secret",
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": "decide",
                "value": value,
                "action_ts": "2.000002",
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
        **changes,
    }


def submission(reason: Any = "Recall is too low.", metadata: Any = f"{VALUE}|C0RELEASES|1.000001") -> dict[str, Any]:
    """A submitted reject dialog."""
    return {
        "type": "view_submission",
        "user": {"id": "U0BEN", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "trigger_id": "123.456.abc",
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": "reject_reason",
            "private_metadata": metadata,
            "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}},
        },
        "response_urls": [],
    }


def form(payload: Mapping[str, Any]) -> bytes:
    """An interaction's body."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def command(text: str = "status", name: str = "/mlops") -> bytes:
    """A slash command's body."""
    return urlencode(
        {
            "token": "deprecated-verification-token",
            "command": name,
            "text": text,
            "user_id": "U0BEN",
            "team_id": "T0ACME",
            "channel_id": "C0RELEASES",
            "response_url": "https://hooks.slack.com/commands/T0/1/secret",
            "trigger_id": "123.456.abc",
        }
    ).encode()


@dataclass
class FakeFront:
    """Secrets, queue and dialogs."""

    now: int = NOW
    secrets: list[Known] = field(default_factory=lambda: [Known((SECRET,), "xoxb-1")])
    """What each reading of the secret finds; the last one stays."""
    queue: list[Replay] = field(default_factory=list)
    opened: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    readings: int = 0
    queue_is_down: bool = False
    dialog_error: str = ""
    dead_tokens: tuple[str, ...] = ()

    def known(self) -> Known:
        """See ``answering.Secrets``."""
        self.readings = max(self.readings, 1)
        return self.secrets[min(self.readings, len(self.secrets)) - 1]

    def renewed(self) -> Known | None:
        """See ``answering.Secrets``."""
        self.readings += 1
        return self.known()

    def send(self, replay: Replay) -> None:
        """Queue a request."""
        if self.queue_is_down:
            raise CallFailed("ServiceUnavailable", 503)
        self.queue.append(replay)

    def open_view(self, token: str, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Open a dialog."""
        self.opened.append((token, trigger_id, view))
        if self.dialog_error or token in self.dead_tokens:
            raise CallFailed(self.dialog_error or "invalid_auth", 200)

    def answer(self, body: bytes, **changes: str) -> Answer:
        """Answer a signed request; ``changes`` are headers."""
        return self.raw(headers(body, str(self.now)) | {k.replace("_", "-"): v for k, v in changes.items()}, body)

    def raw(self, sent: Mapping[str, str], body: bytes) -> Answer:
        """Answer any request."""
        return answer(sent, body, Front(self, self.send, self.open_view, lambda: float(self.now)))
