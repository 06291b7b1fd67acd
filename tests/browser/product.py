"""The product itself behind the Slack page: its front, queue and worker, its table in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import DESKTOP, Scheme, opened
from tests.browser.conftest import Open
from tests.slack_app.conftest import SlackScene, aws
from tests.slack_app.conftest import slack as scene

__all__ = ["NARROW", "aws", "open_as", "scene", "settle"]

NARROW = (390, 844)


@pytest.fixture
def open_as(browser: Browser, scene: SlackScene) -> Iterator[Open]:
    """open_as(user, size, scheme): the page of the product's own workspace."""
    with ExitStack() as tabs:

        def go(user: str = "U0BEN", size: tuple[int, int] = DESKTOP, scheme: Scheme = "light") -> Page:
            tab = tabs.enter_context(opened(browser, f"{scene.page.url}/?as={user}", size, scheme))
            tab.locator("#acting[aria-label]").wait_for()
            tab.evaluate("window.mine = true")
            return tab

        yield go


def settle(scene: SlackScene, page: Page) -> None:
    """The worker takes what was clicked, once it has come, and the stream tells."""
    for _ in range(200):
        if scene.aws.queue:
            break
        page.wait_for_timeout(25)
    assert scene.work() == []
