"""The manifest says what the code does: its scopes are the methods called, its routes the front's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from slack_app.front.answering import COMMAND, PATH

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "slack_app").rglob("*.py"), *(ROOT / "functions" / "notify").rglob("*.py")]

SCOPES: dict[str, set[str]] = {
    "auth_test": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_replies": {"channels:history", "groups:history"},
    "conversations_list": {"channels:read", "groups:read"},
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_update": set(),
}
"""Bot scopes of each method (docs.slack.dev/reference/methods); conversations.* for public and private channels."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "slack_app" / "manifest.yaml").read_text())
    return found


def called() -> set[str]:
    """Web API methods that the sources call, by slack_sdk's names."""
    text = "\n".join(path.read_text() for path in SOURCES)
    by_sdk = set(re.findall(r"lient\.([a-z]+_[A-Za-z_]+)\(", text))
    by_front = {name.replace(".", "_") for name in re.findall(r'"(views\.[a-z]+|chat\.[a-zA-Z]+)"', text)}
    return by_sdk | by_front


def test_scopes_are_what_the_called_methods_need_and_no_more(manifest: dict[str, Any]) -> None:
    methods = called()
    assert methods == set(SCOPES), "a method was added or dropped: say here which scopes it needs"
    needed = {"commands"}.union(*(SCOPES[method] for method in methods))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed
    assert "user" not in manifest["oauth_config"]["scopes"]


def test_routes_are_the_fronts(manifest: dict[str, Any]) -> None:
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    for url in (command["url"], manifest["settings"]["interactivity"]["request_url"]):
        assert url.startswith("https://")
        assert url.endswith(PATH)


def test_no_event_is_subscribed_that_nobody_listens_to(manifest: dict[str, Any]) -> None:
    assert "event_subscriptions" not in manifest["settings"]
