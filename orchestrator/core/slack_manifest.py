"""The app's manifest with this installation's request URL in it, as text, and as a link that creates the app.

``slack_app/manifest.yaml`` is YAML with comments that say why; the standard library has no parser for it, and none is
needed: Slack takes YAML, so the placeholder is replaced in the text. A link holds the manifest itself
(``https://api.slack.com/apps?new_app=1&manifest_yaml=…``), without the comments.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

FILE = "slack_app/manifest.yaml"
"""Where the manifest is, from the root of the checkout and of a function's bundle."""

PLACEHOLDER = "https://slack-request-url.example/slack/events"

_COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)
_INTRODUCTION = re.compile(r"\A(?:#.*\n|\s*\n)+")
_URL = re.compile(rf"^ *(?:request_)?url: {re.escape(PLACEHOLDER)}\n", re.MULTILINE)


def manifest(root: Path) -> str:
    """The manifest as it is in the checkout, or in a function's bundle."""
    return (root / FILE).read_text(encoding="utf-8")


def filled(text: str, request_url: str) -> str:
    """The manifest with the front's URL in it. Comments stay, but for the introduction, about filling it in."""
    return _body(text).replace(PLACEHOLDER, request_url)


def for_socket_mode(text: str) -> str:
    """The manifest of an app for development: Slack reaches it through a connection that it opened, not by a URL."""
    changed = _URL.sub("", _body(text)).replace("socket_mode_enabled: false", "socket_mode_enabled: true")
    return changed.replace("name: MLOps Orchestrator\n", "name: MLOps Orchestrator (development)\n")


def link_parts(text: str, slack_api_url: str) -> tuple[str, ...]:
    """The link in the parts that the request URL, percent-encoded, stands between."""
    parts = _COMMENT.sub("", _body(text)).split(PLACEHOLDER)
    head = f"{apps_page(slack_api_url)}?new_app=1&manifest_yaml="
    encoded = [quote(part, safe="") for part in parts]
    return (head + encoded[0], *encoded[1:])


def link(text: str, request_url: str, slack_api_url: str) -> str:
    """The link that creates the app with everything filled in; a person chooses the workspace and confirms."""
    return quote(request_url, safe="").join(link_parts(text, slack_api_url))


def apps_page(slack_api_url: str) -> str:
    """The page of one's apps: Slack's, or GovSlack's where the settings name that."""
    host = urlsplit(slack_api_url).hostname or ""
    return f"https://api.{'slack-gov.com' if host.endswith('slack-gov.com') else 'slack.com'}/apps"


def _body(text: str) -> str:
    """Without the introduction: the comments before the first key."""
    return _INTRODUCTION.sub("", text)
