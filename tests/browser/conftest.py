"""A Chromium for the session; for each test a Slack page, a small app behind it, and a browser tab acting as Ben."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from slack_sdk import WebClient

from local.slack.client import SlackPage
from tests.browser.chromium import DESKTOP, Scheme, launched, opened
from tests.browser.small_app import SmallApp

Open = Callable[..., Page]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as chromium:
        yield chromium


@pytest.fixture
def app() -> Iterator[SmallApp]:
    with SmallApp() as running:
        yield running


@pytest.fixture
def slack(app: SmallApp) -> SlackPage:
    return app.slack


@pytest.fixture
def client(app: SmallApp) -> WebClient:
    return app.client


@pytest.fixture
def open_as(browser: Browser, slack: SlackPage) -> Iterator[Open]:
    """open_as(user, size, scheme): the page in a tab of its own, once it shows something."""
    with ExitStack() as tabs:

        def go(user: str = "U0BEN", size: tuple[int, int] = DESKTOP, scheme: Scheme = "light") -> Page:
            tab = tabs.enter_context(opened(browser, f"{slack.url}/?as={user}", size, scheme))
            tab.locator("#acting[aria-label]").wait_for()
            return tab

        yield go


@pytest.fixture
def page(open_as: Open) -> Page:
    return open_as()
