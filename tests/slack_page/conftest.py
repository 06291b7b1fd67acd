"""One page in its own process, and one fake front, for each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from slack_sdk import WebClient

from local.slack import scopes
from local.slack.client import SlackPage
from local.slack.people import default_spec
from local.slack.web_api import METHODS
from tests.slack_page.fake_front import FakeFront

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-local-page"


@pytest.fixture
def front() -> Iterator[FakeFront]:
    fake = FakeFront(SIGNING_SECRET)
    server = fake.start()
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual people and channels, and a token that may call everything."""
    every = sorted({scope for method in METHODS for scope in scopes.accepted(method)})
    file = tmp_path_factory.mktemp("workspace") / "workspace.json"
    file.write_text(json.dumps({**asdict(default_spec()), "scopes": every}), encoding="utf-8")
    return file


@pytest.fixture
def page(front: FakeFront, workspace: Path) -> Iterator[SlackPage]:
    with SlackPage(
        front_url=front.url, signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, workspace=workspace
    ) as running:
        yield running


@pytest.fixture
def client(page: SlackPage) -> WebClient:
    return WebClient(token=BOT_TOKEN, base_url=page.api_url)
