"""What a message looks like: everything drawn, nothing cut off, readable in light and dark, hostile text inert."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from local.slack.client import SlackPage
from tests.browser.chromium import APT, DESKTOP, PHONE, Scheme
from tests.browser.conftest import Open
from tests.browser.seeing import coloured_pixels, faint, outside, scrolls_sideways
from tests.browser.small_app import CHANNEL, SmallApp
from tests.slack_page.samples import QUESTION, Json, button, mrkdwn, plain

HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=alert(1)>",
    "<javascript:alert(1)|click me>",
    "<data:text/html,boo|data>",
    "<https://example.com/\"onmouseover=alert(1)//|quote>",
    "<!date^99999999999999999^{date}^javascript:alert(1)|date>",
    "<@U0NOBODY|<b>nobody</b>> :<i>emoji</i>:",
    "&lt;svg/onload=alert(1)&gt; {{7*7}} ${7*7}",
)  # fmt: skip


def attach(app: SmallApp, ts: str) -> None:
    """A file in a message's thread."""
    text = "# Plan\n" + f"- Parameter: {'before' * 40} → after\n" * 30
    app.client.files_upload_v2(
        filename="plan-staging-0123456789ab.md", content=text, title="The whole plan", channel=CHANNEL, thread_ts=ts
    )


def test_a_file_can_be_opened_and_is_only_text(app: SmallApp, page: Page) -> None:
    ts = app.ask()
    hostile = "<script>document.title='owned'</script>"
    app.client.files_upload_v2(filename="x.md", content=hostile, title=hostile, channel=CHANNEL, thread_ts=ts)
    page.get_by_role("button", name="1 reply").click()
    card = page.get_by_role("region", name="Replies").locator(".file")
    expect(card.get_by_text(hostile)).to_have_count(2)
    with page.expect_popup() as opened:
        card.get_by_role("link", name="Open").click()
    expect(opened.value.locator("body")).to_have_text(hostile)
    assert opened.value.locator("script").count() == 0


def test_a_message_is_drawn_as_people_read_it(app: SmallApp, page: Page) -> None:
    app.ask()
    message = page.locator("article.message")
    expect(message.get_by_role("heading", name=QUESTION)).to_be_visible()
    expect(message.get_by_role("strong").filter(has_text="What would change")).to_be_visible()
    expect(message.locator(".mention", has_text="@Ana Silva")).to_be_visible()
    expect(message.locator("code", has_text="AWS::SageMaker::EndpointConfig")).to_be_visible()
    expect(message.get_by_role("cell", name="ml.m5.xlarge")).to_be_visible()
    expect(message.get_by_role("columnheader")).to_have_text(["Parameter", "Now", "After"])
    expect(message.get_by_role("link", name="Audit trail")).to_have_attribute("href", "https://example.com/audit")
    expect(message.locator("time")).to_have_text(re.compile(r"^(today|tomorrow) at \d\d:\d\d$"))
    expect(message.get_by_role("img", name="heavy plus sign")).to_have_text("➕")
    for label in ("Approve fraud-detector to staging", "Reject fraud-detector to staging", "Comment"):
        expect(message.get_by_role("button", name=label)).to_be_enabled()
    shown = message.inner_text()
    assert not re.search(r"<[@!#]|:[a-z_]+:|\*|undefined|\[object", shown), shown


def test_emoji_are_pictures_not_boxes(app: SmallApp, page: Page) -> None:
    app.client.chat_postMessage(
        channel=CHANNEL, text=":rocket: :white_check_mark: :hourglass_flowing_sand: :no_such_one:"
    )
    expect(page.locator(".emoji")).to_have_text(["🚀", "✅", "⏳"])
    expect(page.locator(".words")).to_contain_text(":no_such_one:")
    drawn = min(coloured_pixels(page, sign) for sign in "🚀✅⏳")
    assert drawn > 150, f"boxes instead of emoji; on Debian: {APT}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(app: SmallApp, open_as: Open, scheme: Scheme) -> None:
    ts = app.ask()
    app.client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="Reminder for <@U0BEN> and <@U0CHLOE>")
    attach(app, ts)
    app.client.chat_postEphemeral(channel=CHANNEL, user="U0BEN", text="Only <https://example.com|you>")
    failed = [{"color": "danger", "blocks": [{"type": "section", "text": mrkdwn("*failed*: `ROLLBACK_COMPLETE`")}]}]
    app.client.chat_postMessage(channel=CHANNEL, text="Failed", attachments=failed)
    page = open_as("U0BEN", DESKTOP, scheme)
    expect(page.locator("article.message")).to_have_count(3)
    assert faint(page) == []
    page.get_by_role("button", name="2 replies").click()
    page.get_by_role("region", name="Replies").get_by_text("The whole plan").wait_for()
    assert faint(page) == []
    page.get_by_role("button", name="Acting as").click()
    page.get_by_role("dialog").wait_for()
    assert faint(page) == []
    page.keyboard.press("Escape")
    page.locator("article.message").get_by_role("button", name="Reject").first.click()
    page.get_by_label("Reason").wait_for()
    page.get_by_role("button", name="Reject", exact=True).click()
    page.get_by_text("Please complete this required field.").wait_for()
    assert faint(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_cut_off_or_scrolls_sideways(app: SmallApp, open_as: Open, size: tuple[int, int]) -> None:
    ts = app.ask()
    app.client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="Reminder " + "w" * 300)
    attach(app, ts)
    long = {
        "type": "actions",
        "elements": [button("a", "A button with a text of seventy-five characters, which is all it may have")],
    }
    fields = {"type": "section", "fields": [mrkdwn(f"*Field {n}*\n{'f' * 80}") for n in range(4)]}
    code = {"type": "section", "text": mrkdwn("```" + "c" * 400 + "```\n> " + "q" * 300)}
    context = {"type": "context", "elements": [mrkdwn("x" * 200), plain("y" * 90)]}
    app.client.chat_postMessage(channel=CHANNEL, text="long", blocks=[long, fields, code, context])
    app.client.chat_postMessage(channel=CHANNEL, text=f"https://example.com/{'path/' * 60} {'z' * 300}")
    page = open_as("U0BEN", size)
    expect(page.locator("article.message")).to_have_count(3)
    assert (scrolls_sideways(page), outside(page)) == ([], [])
    page.get_by_role("button", name="2 replies").click()
    page.get_by_role("region", name="Replies").get_by_text("The whole plan").wait_for()
    assert (scrolls_sideways(page), outside(page)) == ([], [])
    page.get_by_role("button", name="Close thread").click()
    page.locator("article.message").get_by_role("button", name="Reject").click()
    page.get_by_label("Reason").wait_for()
    assert (scrolls_sideways(page), outside(page)) == ([], [])


def test_a_phone_has_the_channels_behind_a_button(app: SmallApp, open_as: Open) -> None:
    page = open_as("U0BEN", PHONE)
    expect(page.get_by_role("button", name="ml-platform")).to_be_hidden()
    page.get_by_role("button", name="Channels").click()
    page.get_by_role("button", name="ml-platform").click()
    expect(page.get_by_role("heading", name="#ml-platform")).to_be_visible()
    expect(page.get_by_role("button", name="ml-releases")).to_be_hidden()


def test_buttons_are_large_enough_for_a_finger(app: SmallApp, open_as: Open) -> None:
    app.ask()
    page = open_as("U0BEN", PHONE)
    for button_ in page.locator("article.message .b-actions button").all():
        box = button_.bounding_box()
        assert box is not None
        assert box["height"] >= 40


def test_hostile_text_is_only_text(client: WebClient, slack: SlackPage, page: Page) -> None:
    blocks: list[Json] = [{"type": "section", "text": mrkdwn(text)} for text in HOSTILE]
    blocks += [{"type": "section", "text": plain(text)} for text in HOSTILE]
    blocks += [
        {"type": "markdown", "text": "\n\n".join([*HOSTILE, "[x](javascript:alert(1)) ![y](javascript:alert(2))"])}
    ]
    blocks += [{"type": "actions", "elements": [button("a", HOSTILE[1], HOSTILE[0])]}]
    client.chat_postMessage(channel=CHANNEL, text=" ".join(HOSTILE), blocks=blocks)
    client.chat_postMessage(channel=CHANNEL, text="\n".join(HOSTILE))
    slack.say("U0ANA", CHANNEL, "\n".join(HOSTILE))
    messages = page.locator("article.message")
    expect(messages).to_have_count(3)
    assert messages.locator("script, img, svg:not(.line), iframe, object, b, i").count() == 0
    schemes = {str(link.get_attribute("href")).split(":")[0] for link in messages.locator("a:not(.stamp)").all()}
    assert schemes <= {"https", "http"}
    names = page.evaluate("[...document.querySelectorAll('#list *')].flatMap((node) => node.getAttributeNames())")
    assert [name for name in names if name.startswith("on")] == []
    expect(messages.last).to_contain_text("<script>document.title='owned'</script>")
    assert "Local Slack page" in page.title()
