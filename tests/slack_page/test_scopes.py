"""What the bot token may call: as Slack has it, told in every answer, and the same facts as the product's own list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from local.slack import scopes
from local.slack.client import ROOT, SlackPage
from local.slack.people import SCOPES
from local.slack.web_api import METHODS
from orchestrator.core import slack_methods
from tests.slack_page.conftest import BOT_TOKEN, SIGNING_SECRET

OFFICE = "C0RELEASES"


@pytest.fixture
def installed() -> Iterator[SlackPage]:
    """A workspace in which the app was installed from its manifest."""
    with SlackPage(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as running:
        yield running


def refusal(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as caught:
        call()
    found: dict[str, Any] = caught.value.response.data
    return found


def test_every_method_says_what_it_needs() -> None:
    assert set(scopes.FIXED) | set(scopes.BY_KIND) == set(METHODS)


def test_the_app_is_installed_with_what_its_manifest_asks_for() -> None:
    manifest = yaml.safe_load((ROOT / "slack_app" / "manifest.yaml").read_text())
    assert list(SCOPES) == manifest["oauth_config"]["scopes"]["bot"]


@pytest.mark.parametrize("method", slack_methods.METHODS)
def test_the_products_own_list_agrees(method: str) -> None:
    """Two lists of the same facts, written apart: the page's plays Slack, the product's says what is asked for."""
    needed = slack_methods.METHODS[method]
    assert needed - {scopes.EMAIL} <= set(scopes.accepted(method)) | {"users:read"}
    assert bool(needed) is bool(scopes.accepted(method))
    if method in scopes.BY_KIND:
        kind = scopes.BY_KIND[method]
        assert needed == {f"channels:{kind}", f"groups:{kind}"}, "the product works in channels of either kind"


def test_every_answer_tells_the_tokens_scopes(installed: SlackPage) -> None:
    client = WebClient(token=BOT_TOKEN, base_url=installed.api_url)
    headers = {name.lower(): value for name, value in client.auth_test().headers.items()}
    assert headers["x-oauth-scopes"].split(",") == list(SCOPES)
    assert headers["x-accepted-oauth-scopes"] == ""
    headers = {name.lower(): value for name, value in client.users_info(user="U0BEN").headers.items()}
    assert headers["x-accepted-oauth-scopes"] == "users:read"


@pytest.mark.parametrize(
    ("method", "arguments", "needed"),
    [
        ("reactions.add", {"channel": OFFICE, "timestamp": "1", "name": "eyes"}, "reactions:write"),
        ("conversations.list", {"types": "public_channel,im"}, "im:read"),
    ],
)
def test_what_the_app_did_not_ask_for_is_refused(
    installed: SlackPage, method: str, arguments: dict[str, str], needed: str
) -> None:
    client = WebClient(token=BOT_TOKEN, base_url=installed.api_url)
    found = refusal(lambda: client.api_call(method, data=arguments))
    assert (found["error"], found["needed"]) == ("missing_scope", needed)
    assert found["provided"].split(",") == list(SCOPES)


def test_a_scope_that_was_taken_away_is_missed(installed: SlackPage) -> None:
    client = WebClient(token=BOT_TOKEN, base_url=installed.api_url)
    assert client.users_info(user="U0BEN")["user"]["profile"]["email"] == "ben@example.com"
    assert client.conversations_open(users="U0BEN")["channel"]["id"].startswith("D")
    installed.faults(missing_scopes=["users:read.email", "channels:history", "im:write"])
    assert refusal(lambda: client.conversations_open(users="U0BEN"))["needed"] == "im:write"
    assert "email" not in client.users_info(user="U0BEN")["user"]["profile"]
    assert refusal(lambda: client.users_lookupByEmail(email="ben@example.com"))["needed"] == "users:read.email"
    assert refusal(lambda: client.conversations_history(channel=OFFICE))["needed"] == "channels:history"
    assert "channels:history" not in client.auth_test().headers["X-OAuth-Scopes"]
    installed.faults(missing_scopes=[])
    assert client.conversations_history(channel=OFFICE)["ok"] is True


def test_an_account_can_be_deactivated(installed: SlackPage) -> None:
    client = WebClient(token=BOT_TOKEN, base_url=installed.api_url)
    installed.faults(deactivated=["U0BEN"])
    found = client.users_info(user="U0BEN")["user"]
    assert found["deleted"] is True
    assert "is_restricted" not in found
    assert refusal(lambda: client.users_lookupByEmail(email="ben@example.com"))["error"] == "users_not_found"


def test_the_channels_that_the_app_is_in(installed: SlackPage) -> None:
    client = WebClient(token=BOT_TOKEN, base_url=installed.api_url)
    channels = client.users_conversations(types="public_channel,private_channel")["channels"]
    assert {(channel["name"], channel["is_member"]) for channel in channels} == {
        ("ml-releases", True),
        ("ml-platform", True),
    }


def test_a_workspace_file_may_name_the_scopes(tmp_path: Path) -> None:
    from local.slack.people import WorkspaceFileError, parse_spec

    people = [{"id": "U0A", "name": "a", "real_name": "A"}, {"id": "U0B", "name": "b", "real_name": "B", "kind": "bot"}]
    channels = [{"id": "C0C", "name": "c", "members": ["U0A", "U0B"]}]
    given = {"people": people, "channels": channels, "scopes": ["chat:write"]}
    assert parse_spec(given).scopes == ("chat:write",)
    with pytest.raises(WorkspaceFileError, match="scopes: must be a list of names"):
        parse_spec({**given, "scopes": "chat:write"})
