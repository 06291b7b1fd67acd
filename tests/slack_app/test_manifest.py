"""The manifest says what the code does: its scopes are the methods called, its routes the front's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml  # type: ignore[import-untyped]
from slack_sdk import WebClient

from orchestrator.core.slack_manifest import PLACEHOLDER, apps_page, filled, for_socket_mode, link, manifest
from orchestrator.core.slack_methods import METHODS, OF_NO_METHOD, SCOPES, methods_of
from slack_app.front.answering import COMMAND, HOME_OPENED, PATH

ROOT = Path(__file__).parents[2]
SOURCES = [
    *(ROOT / "slack_app").rglob("*.py"),
    ROOT / "orchestrator" / "aws" / "user_groups.py",
    *(path for function in ("notify", "examine") for path in (ROOT / "functions" / function).rglob("*.py")),
]
"""What speaks to Slack."""

URL = "https://abc123.execute-api.eu-central-1.amazonaws.com/slack/events"
SLACK = "https://slack.com/api/"

BY_SDK = {name.replace(".", "_"): name for name in METHODS}
"""Method by slack_sdk's name of it: ``chat_postMessage``."""


@pytest.fixture(scope="module")
def text() -> str:
    return manifest(ROOT)


@pytest.fixture(scope="module")
def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def called() -> set[str]:
    """Web API methods that the sources call: by slack_sdk's client, or by name in a call of our own."""
    sources = "\n".join(path.read_text() for path in SOURCES)
    by_sdk = set(re.findall(r"lient\.([a-z]+_[A-Za-z_]+)\b", sources))
    known = {name for name in by_sdk if hasattr(WebClient, name)}
    by_name = set(
        re.findall(r'"((?:apps|auth|chat|conversations|usergroups|users|views|files|reactions)\.[a-zA-Z.]+)"', sources)
    )
    return {BY_SDK.get(name, name) for name in known} | by_name


def test_the_methods_are_those_that_the_sources_call() -> None:
    assert called() == set(METHODS), "a method was added or dropped: say in core/slack_methods.py which scopes it needs"


def test_each_scope_is_of_a_method_and_says_why() -> None:
    assert set(SCOPES) == OF_NO_METHOD.union(*METHODS.values())
    for name, scope in SCOPES.items():
        assert len(scope.why) > 10
        assert bool(methods_of(name)) is (name not in OF_NO_METHOD)


def test_the_manifest_asks_for_these_scopes_and_no_more(parsed: dict[str, Any]) -> None:
    scopes = parsed["oauth_config"]["scopes"]
    assert scopes == {"bot": list(SCOPES)}


def test_routes_are_the_fronts(parsed: dict[str, Any]) -> None:
    (command,) = parsed["features"]["slash_commands"]
    assert command["command"] == COMMAND
    for url in (command["url"], parsed["settings"]["interactivity"]["request_url"]):
        assert url == PLACEHOLDER
        assert url.startswith("https://")
        assert url.endswith(PATH)


def test_no_event_is_subscribed_that_nobody_listens_to(parsed: dict[str, Any]) -> None:
    assert parsed["settings"]["event_subscriptions"] == {"request_url": PLACEHOLDER, "bot_events": [HOME_OPENED]}
    home = parsed["features"]["app_home"]
    assert home == dict.fromkeys(("home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"), True)


def test_filled_in_it_is_the_same_with_the_url(text: str, parsed: dict[str, Any]) -> None:
    found = filled(text, URL)
    assert "slack-request-url" not in found
    assert found.startswith("display_information:")
    assert yaml.safe_load(found.replace(URL, PLACEHOLDER)) == parsed


def test_the_link_holds_the_whole_manifest(text: str) -> None:
    parts = urlsplit(link(text, URL, SLACK))
    query = parse_qs(parts.query, strict_parsing=True)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "api.slack.com", "/apps", "")
    assert query["new_app"] == ["1"]
    (inside,) = query["manifest_yaml"]
    assert yaml.safe_load(inside) == yaml.safe_load(filled(text, URL))
    assert "# " not in inside.replace('"#0f766e"', "")
    assert len(link(text, URL, SLACK)) < 4000, "browsers and CloudFormation's outputs take no end of characters"


@pytest.mark.parametrize(
    ("api", "page"),
    [
        (SLACK, "https://api.slack.com/apps"),
        ("https://slack-gov.com/api/", "https://api.slack-gov.com/apps"),
        ("http://127.0.0.1:8765/api/", "https://api.slack.com/apps"),
    ],
)
def test_the_page_of_apps_is_the_workspaces(api: str, page: str) -> None:
    assert apps_page(api) == page


def test_for_socket_mode_no_url_is_needed(text: str, parsed: dict[str, Any]) -> None:
    found = yaml.safe_load(for_socket_mode(text))
    assert found["settings"]["socket_mode_enabled"] is True
    assert found["settings"]["interactivity"] == {"is_enabled": True}
    assert found["settings"]["event_subscriptions"] == {"bot_events": [HOME_OPENED]}
    assert "url" not in found["features"]["slash_commands"][0]
    assert found["display_information"]["name"] == "MLOps Orchestrator (development)"
    assert found["oauth_config"] == parsed["oauth_config"]
    assert "slack-request-url" not in for_socket_mode(text)


def test_the_documentation_names_every_scope_and_method_and_no_other_scope() -> None:
    page = (ROOT / "docs" / "slack-setup.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [scope for row in rows for scope in re.findall(r"`([a-z:.]+)`", row.split(" | ")[0])] == list(SCOPES)
    assert {method for method in METHODS if f"`{method}`" not in page} == set()
