"""A request on its way from the front to the worker: as much of it as the worker's app needs, and no more.

What Slack sends holds whole messages, names of people and short-lived credentials. The queue gets ids, the one value
that was clicked or typed, and the answer URL of a command; so a message fits the queue however long the Slack message
is, and there is little to lose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"

MAX_COMMAND = 4_000
"""Characters of a command's text that are kept: more than a reason with every character escaped, so that one too long
is refused as such and not shortened unseen."""

TYPED_AT = "typed_at"
"""Field of our own: when the front got a command (epoch seconds). What was asked later was not meant."""

_COMMAND_FIELDS = (
    "command",
    "text",
    "user_id",
    "team_id",
    "channel_id",
    "enterprise_id",
    "api_app_id",
    "response_url",
    "trigger_id",
)


@dataclass(frozen=True)
class Replay:
    """One request as the worker's Bolt app takes it: a body of the content type ``FORM``, or an event's JSON."""

    body: str
    group: str
    """Message group of the queue: what belongs to one approval is worked on in order."""
    deduplication: str
    """The same for every delivery of the same click."""

    def to_json(self) -> str:
        """The queue's message."""
        return json.dumps({"body": self.body})


def body_of(message: str) -> str:
    """The request's body in a queue's message; raises ``ValueError`` for what the front did not write."""
    raw = json.loads(message)
    if not isinstance(raw, dict) or not isinstance(raw.get("body"), str):
        raise ValueError("not a message of the front")
    return str(raw["body"])


def interaction_body(payload: Mapping[str, Any]) -> str:
    """A click or a submitted dialog, reduced to what the app needs."""
    kept = _kept(payload, "type", "is_enterprise_install", "api_app_id", "trigger_id")
    for name, fields in {
        "team": ("id",),
        "enterprise": ("id",),
        "user": ("id", "team_id"),
        "channel": ("id",),
        "message": ("ts", "thread_ts"),
        "container": ("type", "message_ts", "channel_id", "view_id", "is_ephemeral"),
        "view": ("id", "type", "team_id", "callback_id", "external_id", "private_metadata", "hash"),
    }.items():
        if isinstance(payload.get(name), Mapping):
            kept[name] = _kept(payload[name], *fields)
        elif name in payload:
            kept[name] = None
    if isinstance(payload.get("actions"), list):
        kept["actions"] = [_action(action) for action in payload["actions"] if isinstance(action, Mapping)]
    if isinstance(payload.get("view"), Mapping):
        kept["view"]["state"] = payload["view"].get("state")
    return urlencode({"payload": json.dumps(kept)})


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    kept = _kept(action, "type", "action_id", "block_id", "value", "action_ts")
    chosen = action.get("selected_option")
    return kept | {"selected_option": _kept(chosen, "value")} if isinstance(chosen, Mapping) else kept


def command_body(form: Mapping[str, str], now: float) -> str:
    """A slash command, reduced to what the app needs; ``now`` in epoch seconds."""
    kept = {name: form[name] for name in _COMMAND_FIELDS if name in form}
    return urlencode(kept | {"text": kept.get("text", "")[:MAX_COMMAND], TYPED_AT: f"{now:.3f}"})


def event_body(event: Mapping[str, Any]) -> str:
    """Somebody looked at the app's Home: who, where, and which view was shown to him."""
    inner: Mapping[str, Any] = event["event"]
    shown = inner.get("view")
    view = {"view": _kept(shown, "id", "hash")} if isinstance(shown, Mapping) else {}
    opened = _kept(inner, "type", "user", "tab", "channel", "event_ts") | view
    return json.dumps(_kept(event, "type", "team_id", "enterprise_id", "api_app_id", "event_id") | {"event": opened})


def _kept(payload: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: payload[name] for name in names if isinstance(payload.get(name), str | bool)}
