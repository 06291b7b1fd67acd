"""One page in its own process, and one fake front, for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from local.slack.client import SlackPage
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


@pytest.fixture
def page(front: FakeFront) -> Iterator[SlackPage]:
    with SlackPage(front_url=front.url, signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN) as running:
        yield running


@pytest.fixture
def client(page: SlackPage) -> WebClient:
    return WebClient(token=BOT_TOKEN, base_url=page.api_url)
