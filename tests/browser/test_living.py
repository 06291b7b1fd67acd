"""The page as a chat: live, unread, in threads, by keyboard; a server that restarts; Home; faults."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from local.slack.client import SlackPage
from tests.browser.chromium import opened
from tests.browser.conftest import Open
from tests.browser.small_app import CHANNEL, SmallApp


def test_messages_arrive_change_and_go_without_a_reload(client: WebClient, page: Page) -> None:
    page.evaluate("window.mine = true")
    ts = client.chat_postMessage(channel=CHANNEL, text="Packaging")["ts"]
    message = page.locator("article.message .words")
    expect(message).to_have_text("Packaging")
    expect(page.locator("#live")).to_have_text("MLOps Orchestrator: Packaging")
    client.chat_update(channel=CHANNEL, ts=ts, text="Deployed")
    expect(message).to_have_text("Deployed (edited)")
    client.chat_delete(channel=CHANNEL, ts=ts)
    expect(page.locator("article.message")).to_have_count(0)
    assert page.evaluate("window.mine") is True


def test_the_newest_message_stays_in_view(client: WebClient, page: Page) -> None:
    for number in range(60):
        client.chat_postMessage(channel=CHANNEL, text=f"Line {number}")
    expect(page.get_by_text("Line 59", exact=True)).to_be_in_viewport()
    page.locator("#scroll").evaluate("(node) => { node.scrollTop = 0; }")
    expect(page.get_by_text("Line 0", exact=True)).to_be_in_viewport()
    client.chat_postMessage(channel=CHANNEL, text="Line 60")
    expect(page.get_by_text("Line 60", exact=True)).to_be_attached()
    expect(page.get_by_text("Line 0", exact=True)).to_be_in_viewport()


def test_unread_messages_are_counted_until_read(client: WebClient, page: Page) -> None:
    client.chat_postMessage(channel="ml-platform", text="one")
    client.chat_postMessage(channel="ml-platform", text="two")
    page.get_by_role("button", name="ml-platform, 2 unread").click()
    expect(page.get_by_text("two", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="ml-platform", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="ml-platform", exact=True)).to_be_visible()


def test_updates_survive_a_restart_of_the_server(browser: Browser) -> None:
    first = SlackPage(signing_secret="s", bot_token="xoxb-1").start()
    port = urlsplit(first.url).port
    assert port is not None
    second = SlackPage(signing_secret="s", bot_token="xoxb-1", port=port)
    try:
        with browser.new_context() as context:
            tab = context.new_page()
            tab.goto(f"{first.url}/?as=U0BEN")
            for number in range(3):
                first.say("U0ANA", CHANNEL, f"before {number}")
            expect(tab.get_by_text("before 2", exact=True)).to_be_visible()
            first.stop()
            expect(tab.get_by_text("Not connected")).to_be_visible()
            second.start()
            second.say("U0ANA", CHANNEL, "after")
            expect(tab.get_by_text("after", exact=True)).to_be_visible(timeout=15_000)
            expect(tab.get_by_text("Not connected")).to_be_hidden()
            expect(tab.locator("article.message")).to_have_count(1)
            second.say("U0ANA", CHANNEL, "and again")
            expect(tab.get_by_text("and again", exact=True)).to_be_visible()
    finally:
        first.stop()
        second.stop()


def test_a_thread_opens_is_answered_and_closes_by_keyboard(app: SmallApp, page: Page) -> None:
    ts = app.ask()
    app.client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="Reminder")
    page.get_by_role("button", name="1 reply").click()
    reply = page.get_by_role("textbox", name="Reply in thread")
    expect(reply).to_be_focused()
    reply.fill("On it")
    page.keyboard.press("Enter")
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("On it")).to_be_visible()
    expect(page.get_by_role("button", name="2 replies")).to_be_visible()
    assert app.slack.messages(CHANNEL)[-1]["thread_ts"] == ts
    page.keyboard.press("Escape")
    expect(thread).to_be_hidden()


def test_commands_are_completed_and_answered(app: SmallApp, page: Page) -> None:
    box = page.get_by_role("combobox", name="Message #ml-releases")
    box.press_sequentially("/ml")
    suggestions = page.get_by_role("listbox", name="Suggestions")
    expect(suggestions.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(box).to_have_value("/mlops ")
    expect(suggestions.get_by_role("option").first).to_have_text("/mlops status")
    page.keyboard.press("ArrowDown")
    expect(suggestions.get_by_role("option", selected=True)).to_have_text("/mlops release")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box).to_have_value("/mlops status ")
    expect(suggestions).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("article.ephemeral")).to_contain_text("You asked for: status")
    expect(box).to_have_value("")
    assert app.front.received[0].payload["channel_name"] == "ml-releases"


def test_people_are_mentioned_by_name(slack: SlackPage, page: Page) -> None:
    box = page.get_by_role("combobox", name="Message #ml-releases")
    box.press_sequentially("Please look, @chl")
    page.keyboard.press("Enter")
    expect(box).to_have_value("Please look, @chloe ")
    page.keyboard.press("Enter")
    expect(page.locator("article.message .mention")).to_have_text("@Chloé Martin")
    assert slack.messages(CHANNEL)[0]["text"].strip() == "Please look, <@U0CHLOE>"


def test_the_home_tab_is_asked_for_and_shown(app: SmallApp, page: Page) -> None:
    page.get_by_role("button", name="MLOps Orchestrator").click()
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    page.get_by_role("button", name="Review").click()
    [opened_] = app.front.wait_for(1, "app_home_opened")
    [click] = app.front.wait_for(1, "block_actions")
    assert opened_.payload["event"]["tab"] == "home"
    assert (click.payload["view"]["type"], "channel" in click.payload) == ("home", False)


def test_faults_are_switched_on_the_page_and_shown_to_everybody(app: SmallApp, open_as: Open) -> None:
    ben, ana = open_as("U0BEN"), open_as("U0ANA")
    ben.get_by_role("button", name="Slack's bad sides: all off").click()
    faults = ben.get_by_role("dialog", name="Slack's bad sides")
    faults.get_by_label("Outage").check()
    faults.get_by_label("#ml-releases is archived").check()
    expect(ana.get_by_role("button", name="Slack's bad sides: some are on")).to_be_visible()
    expect(ana.get_by_text("Archived")).to_be_visible()
    assert app.slack.faults()["outage"] is True
    faults.get_by_role("button", name="All off").click()
    expect(ana.get_by_role("button", name="Slack's bad sides: all off")).to_be_visible()
    expect(ana.get_by_text("Archived")).to_be_hidden()


def test_a_permalink_leads_to_its_message(app: SmallApp, browser: Browser) -> None:
    wanted = app.ask("ml-platform")
    link = app.client.chat_getPermalink(channel="C0PLATFORM", message_ts=wanted)["permalink"]
    with opened(browser, link) as tab:
        expect(tab.get_by_role("heading", name="#ml-platform")).to_be_visible()
        expect(tab.locator(f'article[data-ts="{wanted}"]')).to_be_in_viewport()
