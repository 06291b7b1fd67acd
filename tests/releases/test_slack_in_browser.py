"""The approval as a person meets it: in a real browser, on the local Slack page, against the deployed product.

``pytest tests/releases/test_slack_in_browser.py --refresh-pictures`` writes the README's screenshots anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chromium import opened
from tests.releases.team import Team, stage

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SIZE = (1120, 900)
APPROVE = re.compile(r"^Approve (?!with comment)")
"""Not the button beside it, which asks for a comment."""


def message_of(page: Page, release_id: str) -> Locator:
    """The release's message in the channel."""
    return page.locator("article.message", has_text=release_id).first


@pytest.mark.browser
def test_two_people_approve_in_the_page_and_the_message_follows(
    multi: Team, live: str, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = multi.example_workload.removesuffix("-realtime")
    before = frozenset(known(multi))
    multi.upload(name, multi.configuration(name, inference_instance="ml.m5.2xlarge"))
    release_id = multi.started(multi.example_workload, before)
    multi.until_asked(release_id, "staging")
    url = multi.running.slack_url
    with opened(browser, f"{url}/?as=U0BEN", SIZE) as ben, opened(browser, f"{url}/?as=U0CHLOE", SIZE) as chloe:
        message = message_of(ben, release_id)
        expect(message).to_contain_text("ml.m5.2xlarge")
        expect(message.get_by_role("button", name=APPROVE)).to_be_visible()
        pictures = PICTURES if request.config.getoption("--refresh-pictures") else tmp_path
        message.evaluate("node => node.scrollIntoView({block: 'start'})")
        ben.screenshot(path=pictures / "approval.png")
        home = opened_home(chloe)
        expect(home.get_by_role("button", name=f"Approve staging for {multi.example_workload}")).to_be_visible()
        chloe.screenshot(path=pictures / "home.png")
        chloe.get_by_role("button", name="ml-releases").click()
        for name in ("approval", "home"):
            assert (pictures / f"{name}.png").stat().st_size > 20_000
        ben.evaluate("window.mine = true")
        approve(ben, release_id)
        expect(ben.get_by_text("Your approval of", exact=False).last).to_be_visible()
        assert multi.show(release_id)["stage"] == "staging"
        approve(chloe, release_id)
        expect(message).to_contain_text("approved", timeout=30_000)
        multi.until_asked(release_id, "prod")
        expect(message_of(ben, release_id)).to_contain_text("prod", timeout=30_000)
        assert ben.evaluate("window.mine") is True, "the page was not loaded anew"
    multi.reject(release_id, "Enough for this test.")
    assert multi.ended(release_id).status == "rejected"
    assert stage(multi.show(release_id), "staging")["status"] == "verified"


def approve(page: Page, release_id: str) -> None:
    """Click Approve, and say yes."""
    message_of(page, release_id).get_by_role("button", name=APPROVE).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog).to_be_hidden()


def opened_home(page: Page) -> Locator:
    """Look at the app's Home, once it has been drawn."""
    page.locator("#side").get_by_role("button", name="MLOps Orchestrator").click()
    page.get_by_role("button", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="Live now")).to_be_visible(timeout=30_000)
    return page.locator("#list")


def known(team: Team) -> list[str]:
    """Releases of the example so far."""
    return [found["release_id"] for found in team.releases(team.example_workload)]
