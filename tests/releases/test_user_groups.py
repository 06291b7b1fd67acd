"""A role that is a Slack user group: called as one, asked of Slack at each vote, reminded one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from local.settings import CHANNEL, ORCHESTRATOR, REGION, USER_GROUP
from local.signed import call
from tests.browser.chromium import opened
from tests.releases.team import Team, eventually, stage
from tests.releases.test_slack_in_browser import SIZE, approve, message_of

PHONE = (390, 844)


@pytest.mark.browser
def test_a_group_is_called_reminded_and_decides_as_it_is_at_each_vote(
    multi: Team, live: str, browser: Browser, tmp_path: Path
) -> None:
    slack = multi.running.slack
    asks = {"staging": {"any_of": [{"on-duty": 2}], "reminders": {"after_hours": 1, "at_most": 1}}}
    slack.regroup(USER_GROUP, "U0ANA", "U0DEV")
    try:
        release_id = asked_for_by_ben(multi, multi.configuration("on-duty", approval=asks))
        asked = multi.until_asked(release_id, "staging")
        assert stage(asked, "staging")["approval"]["needed"] == "1 × ml-owner and 2 × on-duty"
        eventually("the group called", lambda: in_thread(multi, release_id, f"<!subteam^{USER_GROUP}>"))

        asked_two_hours_ago(multi, stage(asked, "staging")["approval"]["approval_id"])
        eventually("a reminder", lambda: multi.running.cloud.run_schedules() and reminders(multi, release_id))
        multi.running.cloud.run_schedules()

        url = slack.url
        with opened(browser, f"{url}/?as=U0DEV", SIZE) as dev, opened(browser, f"{url}/?as=U0ANA", SIZE) as ana:
            approve(dev, release_id)
            expect(dev.get_by_text("Your approval of", exact=False).last).to_be_visible()
            slack.regroup(USER_GROUP, "U0DEV")
            approve(ana, release_id)
            expect(ana.get_by_text("You are not an approver of staging", exact=False).last).to_be_visible()
            seen(dev, release_id, tmp_path / "group.png")
        with opened(browser, f"{url}/?as=U0DEV", PHONE, "dark") as phone:
            seen(phone, release_id, tmp_path / "group-phone.png")

        (reminder,) = reminders(multi, release_id)
        assert "<@U0ANA>" in reminder["text"]
        assert "<@U0DEV>" in reminder["text"]

        slack.regroup(USER_GROUP, "U0ANA", "U0DEV")
        decided = by_api(multi, "ana", release_id, stage(asked, "staging")["plan"]["digest"])
        assert (decided["status"], decided["counted"]) == ("approved", True), decided
        multi.until_asked(release_id, "prod")
        multi.put_aside(release_id, user="U0CHLOE")
    finally:
        slack.regroup(USER_GROUP, "U0BEN", "U0DEV")


def seen(page: Page, release_id: str, picture: Path) -> None:
    """The thread with the question and its reminder, and a picture of it."""
    message_of(page, release_id).get_by_role("button", name="replies").click()
    thread = page.locator("#thread")
    expect(thread).to_contain_text("@ml-owners")
    expect(thread).to_contain_text("still waits for your decision")
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000


def asked_for_by_ben(multi: Team, configuration: dict[str, Any]) -> str:
    """Ben asks by the API, so it is certain who has."""
    url = multi.running.cloud.local_url(multi.running.outputs["ApiUrl"]).rstrip("/")
    started = call("POST", f"{url}/provisionpipeline", multi.credentials_of("ben"), REGION, configuration)
    assert started.status == 200, started.body
    return str(started.json()["release_id"])


def by_api(multi: Team, person: str, release_id: str, digest: str) -> dict[str, Any]:
    """Somebody approves by the API."""
    url = multi.running.cloud.local_url(multi.running.outputs["ApiUrl"]).rstrip("/")
    body = {"decision": "approve", "stage": "staging", "digest": digest}
    found: dict[str, Any] = call(
        "POST", f"{url}/releases/{release_id}/decision", multi.credentials_of(person), REGION, body
    ).json()
    return found


def in_thread(multi: Team, release_id: str, words: str) -> list[dict[str, Any]]:
    """Replies to the release's message that have these words."""
    row = multi.row(f"RELEASE#{release_id}", "MESSAGE")
    ts = row["body"]["M"]["ts"]["S"] if row else ""
    return [
        reply
        for reply in multi.running.slack.messages(CHANNEL)
        if ts and reply.get("thread_ts") == ts and reply["ts"] != ts and words in reply["text"]
    ]


def reminders(multi: Team, release_id: str) -> list[dict[str, Any]]:
    """The reminders in its thread."""
    return in_thread(multi, release_id, "still waits")


def asked_two_hours_ago(multi: Team, approval_id: str) -> None:
    """Nobody can wait for an hour here: the row says that the question was put earlier."""
    multi.client("dynamodb", ORCHESTRATOR).update_item(
        TableName=multi.running.outputs["TableName"],
        Key={"pk": {"S": f"APPROVAL#{approval_id}"}, "sk": {"S": "APPROVAL"}},
        UpdateExpression="SET body.asked_at = :earlier, revision = revision + :one",
        ExpressionAttributeValues={":earlier": {"S": "2020-01-01T00:00:00.000Z"}, ":one": {"N": "1"}},
    )
