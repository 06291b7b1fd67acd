"""A release that is started in Slack: by words, and by the form, in a real browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import opened
from tests.releases.team import Team, eventually

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "release-form.png"
SIZE = (1120, 900)

NAME = "by-slack"
WORKLOAD = f"{NAME}-realtime"


@dataclass(frozen=True)
class Versions:
    """Two versions of one configuration, and the release of the newer one, which waits for people."""

    older: str
    newest: str
    release_id: str


@pytest.fixture(scope="module")
def versions(multi: Team, live: str) -> Versions:
    older = multi.upload(NAME, multi.configuration(NAME, description="The older one."))
    first = multi.started(WORKLOAD)
    newest = multi.upload(NAME, multi.configuration(NAME, inference_instance="ml.m5.2xlarge"))
    second = multi.started(WORKLOAD, frozenset({first}))
    multi.until_asked(second, "staging")
    return Versions(older, newest, second)


def test_words_start_the_newest_version(multi: Team, versions: Versions) -> None:
    known = frozenset(one["release_id"] for one in multi.releases(WORKLOAD))
    multi.running.slack.slash("U0ANA", "/mlops", f"release {WORKLOAD} --force", "ml-releases")
    forced = multi.started(WORKLOAD, known)
    eventually("the private answer", lambda: multi.private_words("U0ANA", forced))
    assert multi.ended(versions.release_id).status == "superseded"
    eventually("by which, in the message", lambda: multi.message_with(versions.release_id, forced))
    assert any(forced in mail["message"] for mail in multi.mails(versions.release_id))
    found = multi.until_asked(forced, "staging")
    assert found["source"].endswith(f"(version {versions.newest}), asked for in Slack")
    multi.put_aside(forced)


@pytest.mark.browser
def test_the_form_starts_the_version_that_was_chosen(
    multi: Team, versions: Versions, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    known = frozenset(one["release_id"] for one in multi.releases(WORKLOAD))
    with opened(browser, f"{multi.running.slack_url}/?as=U0ANA", SIZE) as ana:
        ana.get_by_role("combobox", name="Message").fill("/mlops release ")
        ana.keyboard.press("Enter")
        form = ana.get_by_role("dialog", name="Start a release")
        form.get_by_label("Workload").select_option(WORKLOAD, timeout=30_000)
        version = form.get_by_label("Version of its configuration")
        expect(version).to_have_value(versions.newest, timeout=30_000)
        version.select_option(versions.older)
        expect(form.get_by_label("Workload")).to_have_value(WORKLOAD)
        picture = PICTURE if request.config.getoption("--refresh-pictures") else tmp_path / "form.png"
        ana.screenshot(path=picture)
        assert picture.stat().st_size > 20_000
        form.get_by_role("button", name="Release").click()
        expect(form).to_contain_text("has started", timeout=30_000)
        ana.screenshot(path=tmp_path / "started.png")
        form.get_by_role("button", name="Close", exact=True).click()
    chosen = multi.started(WORKLOAD, known)
    found = multi.until_asked(chosen, "staging")
    assert found["requester"] == "Ana Silva"
    assert found["description"] == "The older one."
    assert found["source"].endswith(f"(version {versions.older}), asked for in Slack")
    multi.message(chosen, "asked for with /mlops release", "Ana Silva")
    multi.put_aside(chosen)


def test_somebody_who_may_not_is_told(multi: Team, live: str) -> None:
    multi.running.slack.slash("U0GUS", "/mlops", f"release {multi.example_workload}", "ml-releases")
    eventually("the refusal", lambda: multi.private_words("U0GUS", "Guests may not"))
