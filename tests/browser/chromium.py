"""A real headless Chromium for tests, and pages in it that must stay free of errors.

Debian's Chromium is driven through Playwright's client library; Playwright's own browsers are not downloaded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

APT = "apt-get install -y chromium fonts-noto-color-emoji"
ARGUMENTS = (
    "--no-sandbox",  # as root, as in containers, Chromium has no sandbox; it opens pages of this machine only
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OURS = ("http://127.0.0.1:", "data:")
DESKTOP = (1280, 900)
PHONE = (400, 860)

Scheme = Literal["light", "dark"]


def chromium_path() -> str:
    """Where Chromium is. Without it the test is skipped, and says how to install it; in CI it fails."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        sentence = f"NO BROWSER TEST RAN: there is no Chromium. As root: {APT}"
        if os.environ.get("CI"):
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light") -> Iterator[Page]:
    """A page at `url` in a context of its own. Afterwards it must have logged no error, asked no other host."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", reduced_motion="reduce"
    )
    troubles: list[str] = []
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.extend([message.text] if message.type == "error" else []))
    page.on("dialog", lambda dialog: troubles.append(f"alert {dialog.message}"))
    page.on("request", lambda request: troubles.extend([] if request.url.startswith(OURS) else [request.url[:200]]))
    try:
        page.goto(url)
        yield page
        assert troubles == []
    finally:
        context.close()
