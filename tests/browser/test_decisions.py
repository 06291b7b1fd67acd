"""Decisions as people take them: clicked, confirmed, refused, reasoned; seen by others without a reload."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from local.slack.client import SlackPage
from tests.browser.conftest import Open
from tests.browser.small_app import CHANNEL, SmallApp

APPROVE = "Approve fraud-detector to staging"
REJECT = "Reject fraud-detector to staging"


def not_reloaded(page: Page) -> bool:
    """Whether this is still the document that `page.evaluate("window.mine = true")` marked."""
    return bool(page.evaluate("window.mine === true"))


def test_approve_asks_once_more_and_then_the_message_changes_for_everybody(app: SmallApp, open_as: Open) -> None:
    app.ask()
    ben, ana = open_as("U0BEN"), open_as("U0ANA")
    for each in (ben, ana):
        each.evaluate("window.mine = true")
    ben.get_by_role("button", name=APPROVE).click()
    sure = ben.get_by_role("dialog", name="Approve for staging?")
    expect(sure).to_contain_text("fraud-detector 1a2b3c goes to staging.")
    assert app.front.received == [], "nothing is sent before the person is sure"
    sure.get_by_role("button", name="Yes, approve").click()
    for each in (ben, ana):
        expect(each.locator("article.message")).to_contain_text("Approved by @Ben Okafor")
        expect(each.get_by_role("button", name=APPROVE)).to_have_count(0)
        assert not_reloaded(each)
    [click] = app.front.received
    assert click.valid
    assert click.path == "/slack/events"
    assert (click.payload["user"]["id"], click.payload["actions"][0]["value"]) == ("U0BEN", "ap-1")


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_not_yet_sends_nothing_and_gives_the_focus_back(app: SmallApp, page: Page, how: str) -> None:
    app.ask()
    page.get_by_role("button", name=APPROVE).focus()
    page.keyboard.press("Enter")
    sure = page.get_by_role("dialog", name="Approve for staging?")
    expect(sure.get_by_role("button", name="Yes, approve")).to_be_focused()
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        sure.get_by_role("button", name="Not yet").click()
    expect(sure).to_be_hidden()
    expect(page.get_by_role("button", name=APPROVE)).to_be_focused()
    assert app.front.received == []


def test_reject_asks_for_a_reason_until_it_is_good_enough(app: SmallApp, page: Page) -> None:
    app.ask()
    page.evaluate("window.mine = true")
    page.get_by_role("button", name=REJECT).click()
    dialog = page.get_by_role("dialog", name="Reject this release")
    reason = dialog.get_by_label("Reason")
    expect(reason).to_be_focused()
    send = dialog.get_by_role("button", name="Reject", exact=True)
    send.click()
    expect(reason).to_have_attribute("aria-invalid", "true")
    expect(dialog).to_contain_text("Please complete this required field.")
    assert [request.kind for request in app.front.received] == ["block_actions"], "Slack itself refuses an empty field"
    dialog.get_by_label("Reason").fill("No.")
    send.click()
    expect(dialog).to_contain_text("A reason has at least 10 characters.")
    expect(dialog.get_by_label("Reason")).to_have_value("No.")
    dialog.get_by_label("Reason").fill("Recall of the malignant class is < 0.9 & falling.")
    send.click()
    expect(dialog).to_be_hidden()
    expect(page.locator("article.message")).to_contain_text(
        "Rejected: Recall of the malignant class is < 0.9 & falling."
    )
    assert not_reloaded(page)


def test_a_dialog_belongs_to_the_page_that_was_there_when_it_opened(app: SmallApp, page: Page, open_as: Open) -> None:
    app.ask()
    page.get_by_role("button", name=REJECT).click()
    dialogs = page.get_by_role("dialog", name="Reject this release")
    expect(dialogs).to_be_visible()
    later = open_as("U0BEN")
    expect(later.get_by_role("button", name=REJECT)).to_be_visible()
    expect(later.get_by_role("dialog")).to_have_count(0)
    page.reload()
    page.get_by_role("button", name=REJECT).click()
    expect(dialogs).to_be_visible()
    expect(later.get_by_role("dialog")).to_have_count(1)


def test_escape_closes_the_dialog_and_tells_the_app(app: SmallApp, page: Page) -> None:
    app.ask()
    page.get_by_role("button", name=REJECT).click()
    page.get_by_label("Reason").fill("Half a thought")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    [closed] = app.front.wait_for(1, "view_closed")
    assert closed.payload["user"]["id"] == "U0BEN"
    expect(page.get_by_role("button", name=REJECT)).to_be_visible()


def test_a_private_answer_is_seen_by_the_one_who_clicked(app: SmallApp, slack: SlackPage, open_as: Open) -> None:
    app.ask()
    ana, ben = open_as("U0ANA"), open_as("U0BEN")
    ana.get_by_role("button", name=REJECT).click()
    expect(ana.locator("article.ephemeral")).to_contain_text("Only visible to you")
    expect(ana.locator("article.ephemeral")).to_contain_text("You asked for this release yourself.")
    slack.say("U0CHLOE", CHANNEL, "later than that")
    expect(ben.get_by_text("later than that", exact=True)).to_be_visible()
    expect(ben.locator("article.ephemeral")).to_have_count(0)


def test_switching_the_person_changes_what_is_seen_and_who_clicks(app: SmallApp, slack: SlackPage, page: Page) -> None:
    app.ask()
    slack.say("U0DEV", "ml-platform", "not for guests")
    app.client.chat_postEphemeral(channel=CHANNEL, user="U0BEN", text="for Ben alone")
    expect(page.locator("article.ephemeral")).to_be_visible()
    page.get_by_role("button", name="Acting as Ben Okafor").click()
    page.get_by_role("dialog", name="Act as").get_by_role("button", name="Gus Lind").click()
    expect(page.get_by_role("button", name="Acting as Gus Lind")).to_be_visible()
    expect(page.locator("article.ephemeral")).to_have_count(0)
    expect(page.get_by_role("button", name="ml-platform")).to_have_count(0)
    page.get_by_role("button", name="Comment").click()
    [click] = app.front.wait_for(1)
    assert click.payload["user"]["id"] == "U0GUS"
    page.reload()
    expect(page.get_by_role("button", name="Acting as Gus Lind")).to_be_visible()


def test_an_app_that_does_not_answer_is_told_beside_the_button(app: SmallApp, slack: SlackPage, page: Page) -> None:
    app.ask()
    slack.faults(lost_clicks=1)
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("alert")).to_contain_text("This app did not respond.")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    app.front.wait_for(1)


def test_a_busy_button_cannot_be_clicked_twice(app: SmallApp, slack: SlackPage, page: Page) -> None:
    app.ask()
    slack.faults(slow_front=1.0)
    page.get_by_role("button", name="Comment").dblclick()
    expect(page.get_by_role("button", name="Comment")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("button", name="Comment")).to_be_enabled()
    assert len(app.front.received) == 1
