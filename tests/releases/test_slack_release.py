"""A release that is started in Slack: by the form, in a real browser, and by words."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import opened
from tests.releases.team import Team, eventually

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "release-form.png"
SIZE = (1120, 900)


@pytest.mark.browser
def test_the_form_starts_the_version_that_was_chosen(
    multi: Team, live: str, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = "by-form"
    older = multi.upload(name, multi.configuration(name, description="The older one."))
    first = multi.started(f"{name}-realtime")
    multi.until_asked(first, "staging")
    newest = multi.upload(name, multi.configuration(name, inference_instance="ml.m5.2xlarge"))
    second = multi.started(f"{name}-realtime", frozenset({first}))
    multi.until_asked(second, "staging")
    multi.reject(second, "Back to the older one.")
    assert multi.ended(second).status == "rejected"
    with opened(browser, f"{multi.running.slack_url}/?as=U0ANA", SIZE) as ana:
        ana.get_by_role("combobox", name="Message").fill("/mlops release ")
        ana.keyboard.press("Enter")
        form = ana.get_by_role("dialog", name="Start a release")
        form.get_by_label("Workload").select_option(f"{name}-realtime", timeout=30_000)
        version = form.get_by_label("Version of its configuration")
        expect(version).to_have_value(newest, timeout=30_000)
        version.select_option(older)
        expect(form.get_by_label("Workload")).to_have_value(f"{name}-realtime")
        picture = PICTURE if request.config.getoption("--refresh-pictures") else tmp_path / "form.png"
        ana.screenshot(path=picture)
        assert picture.stat().st_size > 20_000
        form.get_by_role("button", name="Release").click()
        expect(form).to_contain_text("has started", timeout=30_000)
        ana.screenshot(path=tmp_path / "started.png")
        form.get_by_role("button", name="Close", exact=True).click()
    third = multi.started(f"{name}-realtime", frozenset({first, second}))
    found = multi.until_asked(third, "staging")
    assert found["requester"] == "Ana Silva"
    assert found["description"] == "The older one."
    assert found["source"].endswith(f"(version {older}), asked for in Slack")
    eventually("who and what in the message", lambda: multi.message_with(third, "asked for with /mlops release"))
    assert "Ana Silva" in multi.message(third)
    multi.reject(third, "Enough for this test.")
    assert multi.ended(third).status == "rejected"


def test_words_start_the_newest_version(multi: Team, live: str) -> None:
    name = "by-words"
    multi.upload(name, multi.configuration(name))
    first = multi.started(f"{name}-realtime")
    multi.until_asked(first, "staging")
    multi.running.slack.slash("U0ANA", "/mlops", f"release {name}-realtime --force", "ml-releases")
    second = multi.started(f"{name}-realtime", frozenset({first}))
    eventually("the private answer", lambda: multi.private_words("U0ANA", second))
    ended = multi.ended(first)
    assert ended.status == "superseded"
    eventually("by which, in the message", lambda: multi.message_with(first, second))
    assert any(second in mail["message"] for mail in multi.mails(first))
    multi.until_asked(second, "staging")
    multi.reject(second, "Enough for this test.")
    assert multi.ended(second).status == "rejected"


def test_somebody_who_may_not_is_told(multi: Team, live: str) -> None:
    multi.running.slack.slash("U0GUS", "/mlops", f"release {multi.example_workload}", "ml-releases")
    eventually("the refusal", lambda: multi.private_words("U0GUS", "Guests may not"))
