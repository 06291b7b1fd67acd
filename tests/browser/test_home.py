"""The app's Home as people meet it: the product itself behind the Slack page, its table in memory.

Three sections, a decision taken there, a reason given in the dialog, somebody else's decision seen without a reload,
and the direct message to whoever asked.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from orchestrator.core.messages.home import NOTHING_LIVE, NOTHING_OWN, NOTHING_WAITS
from orchestrator.core.records import ApprovalStatus, LiveStage, Status, Workload
from tests.browser.chromium import DESKTOP, Scheme
from tests.browser.conftest import Open
from tests.browser.product import NARROW, aws, open_as, scene, settle
from tests.browser.seeing import faint, outside, scrolls_sideways
from tests.fakes.memory_world import CHLOE, configuration
from tests.slack_app.conftest import SlackScene
from tests.steps.journeys import live

__all__ = ["aws", "open_as", "scene"]

REASON = "The recall of the malignant class is below what we agreed on."


def look_home(scene: SlackScene, page: Page) -> Locator:
    """Somebody opens the app's Home."""
    if page.get_by_role("button", name="Channels").is_visible():
        page.get_by_role("button", name="Channels").click()
    page.locator("#side").get_by_role("button", name="MLOps Orchestrator").click()
    home = page.get_by_role("button", name="Home", exact=True)
    if home.get_attribute("aria-current") != "page":
        home.click()
    settle(scene, page)
    expect(page.get_by_role("heading", name="Live now")).to_be_visible()
    return page.locator("#list")


def filled(scene: SlackScene) -> str:
    """Something of everything: one release waits, one is live, others are since long ago; the id of the first."""
    live(scene.world, configuration(model_name="churn"))
    for number, name in enumerate(("credit-scoring-realtime", "demand-forecast-batch", "spam-filter-realtime")):
        places = (
            LiveStage("dev", f"{name}-2222222222", "2" * 64, f"2026-02-2{number}T10:00:00.000Z"),
            LiveStage("prod", f"{name}-1111111111", "1" * 64, f"2026-02-1{number}T10:00:00.000Z"),
        )
        scene.world.memory.insert(Workload(name, live=places))
    return scene.asked()


def test_three_sections_and_kind_words_where_they_are_empty(scene: SlackScene, open_as: Open) -> None:
    ben = open_as()
    home = look_home(scene, ben)
    for sentence in (NOTHING_WAITS, NOTHING_OWN, NOTHING_LIVE):
        expect(home).to_contain_text(sentence.split(": ", 1)[1].split("`")[0].strip())
    release_id = filled(scene)
    scene.tell()
    expect(home.get_by_role("heading", name="Waiting for me (1)")).to_be_visible()
    expect(home.get_by_role("heading", name="Live now (5)")).to_be_visible()
    expect(home).to_contain_text("fraud-detector-realtime: deploy it to staging?")
    expect(home).to_contain_text("Asked for by Ana Silva (verified)")
    expect(home).to_contain_text("What would change")
    expect(home.get_by_role("button", name="Approve staging for fraud-detector-realtime")).to_be_visible()
    with ben.context.expect_page() as message:
        home.get_by_role("button", name="Review fraud-detector-realtime for staging").click()
    expect(message.value.locator("article.message", has_text=release_id).first).to_be_in_viewport()
    message.value.close()
    ana = look_home(scene, open_as("U0ANA"))
    expect(ana).to_contain_text("fraud-detector-realtime: waiting for the approval of staging")
    expect(ana.get_by_role("button", name="Approve")).to_have_count(0)
    assert ben.evaluate("window.mine") is True, "the page was not loaded anew"


def test_approve_and_reject_in_the_home_and_who_asked_is_told(scene: SlackScene, open_as: Open) -> None:
    first = scene.asked()
    second = scene.asked(model_name="churn")
    ben, chloe, ana = open_as(), open_as("U0CHLOE"), open_as("U0ANA")
    home, hers = look_home(scene, ben), look_home(scene, chloe)
    home.get_by_role("button", name="Approve staging for fraud-detector-realtime").click()
    sure = ben.get_by_role("dialog", name="Approve staging?")
    sure.get_by_role("button", name="Approve").click()
    settle(scene, ben)
    expect(home).to_contain_text("is approved for staging by Ben Okafor")
    expect(home.get_by_role("heading", name="Waiting for me (1)")).to_be_visible()
    expect(hers.get_by_role("heading", name="Waiting for me (1)")).to_be_visible()
    expect(hers).not_to_contain_text("fraud-detector-realtime: deploy it")
    assert scene.world.approval(first, "staging").status is ApprovalStatus.APPROVED

    home.get_by_role("button", name="Reject staging for churn-realtime").click()
    settle(scene, ben)
    dialog = ben.get_by_role("dialog", name="Reject this release")
    dialog.get_by_label("Reason").fill(REASON)
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(dialog).to_be_hidden()
    settle(scene, ben)
    expect(home).to_contain_text("was rejected for staging by Ben Okafor")
    expect(home.get_by_role("heading", name="Waiting for me", exact=True)).to_be_visible()
    expect(hers.get_by_role("heading", name="Waiting for me", exact=True)).to_be_visible()
    scene.world.end(second, Status.REJECTED)
    scene.tell()

    app = ana.locator("#side").get_by_role("button", name="MLOps Orchestrator")
    expect(app).to_contain_text("2")
    app.click()
    told = ana.locator("article.message")
    expect(told).to_have_count(2)
    expect(told.first).to_contain_text("fraud-detector-realtime is approved to be deployed to staging by Ben Okafor.")
    expect(told.last).to_contain_text(REASON)
    expect(told.last.get_by_role("link", name="Open the release's message")).to_be_visible()
    chloe.get_by_role("button", name="Messages", exact=True).click()
    expect(chloe.locator("article.message")).to_have_count(0)
    for page in (ben, chloe, ana):
        assert page.evaluate("window.mine") is True


def test_a_decision_of_somebody_else_takes_the_question_away_and_a_late_dialog_is_told(
    scene: SlackScene, open_as: Open
) -> None:
    release_id = scene.asked()
    ben = open_as()
    home = look_home(scene, ben)
    home.get_by_role("button", name="Reject staging for fraud-detector-realtime").click()
    settle(scene, ben)
    dialog = ben.get_by_role("dialog", name="Reject this release")
    dialog.get_by_label("Reason").fill(REASON)
    scene.world.vote(CHLOE, scene.world.approval(release_id, "staging"))
    scene.tell()
    expect(home).to_contain_text(NOTHING_WAITS.split(": ", 1)[1])
    dialog.get_by_role("button", name="Reject", exact=True).click()
    settle(scene, ben)
    expect(home).to_contain_text("staging was already approved by Chloé Martin")


@pytest.mark.parametrize("user", ["U0GUS", "U0PIA"])
def test_guests_and_partners_get_a_polite_home_that_shows_nothing(scene: SlackScene, open_as: Open, user: str) -> None:
    release_id = scene.asked()
    page = open_as(user)
    page.locator("#side").get_by_role("button", name="MLOps Orchestrator").click()
    settle(scene, page)
    expect(page.locator("#list")).to_contain_text("may not see")
    expect(page.locator("#list")).not_to_contain_text(release_id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, NARROW], ids=["desktop", "phone"])
def test_it_is_a_pleasure_to_read(
    scene: SlackScene, open_as: Open, tmp_path: Path, scheme: Scheme, size: tuple[int, int]
) -> None:
    long = f"a-model-with-a-name-of-sixty-three-characters-{'x' * 17}"
    filled(scene)
    place = LiveStage("prod", f"{long}-1", "3" * 64, "2026-02-01T10:00:00.000Z")
    scene.world.memory.insert(Workload(long, live=(place,)))
    page = open_as("U0BEN", size, scheme)
    home = look_home(scene, page)
    expect(home.get_by_role("button", name="Approve staging for fraud-detector-realtime")).to_be_visible()
    expect(home.get_by_role("heading", name="Waiting for me")).to_be_in_viewport()
    assert (faint(page), scrolls_sideways(page), outside(page)) == ([], [], [])
    page.screenshot(path=tmp_path / f"home-{scheme}-{size[0]}.png", full_page=True)
    home.get_by_role("heading", name="Live now").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / f"home-{scheme}-{size[0]}-end.png", full_page=True)
