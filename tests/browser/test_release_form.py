"""The form that starts a release: a list that depends on another, what is missing, what came of it, in one dialog."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.small_app import SmallApp


def opened_form(page: Page) -> Locator:
    """``/mlops release``, typed."""
    page.get_by_role("combobox", name="Message").fill("/mlops release ")
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Start a release")
    expect(form).to_be_visible()
    return form


def test_a_workload_brings_its_versions_and_another_one_others(app: SmallApp, page: Page) -> None:
    form = opened_form(page)
    workload, version = form.get_by_label("Workload"), form.get_by_label("Version of its configuration")
    expect(workload).to_be_focused()
    expect(version).to_have_count(0)
    workload.select_option("fraud-realtime")
    expect(version).to_have_value("fraud-realtime-2")
    version.select_option("fraud-realtime-1")
    form.get_by_label("Workload").select_option("churn-realtime")
    expect(version).to_have_value("churn-realtime-2")
    form.get_by_label("Also when this content is live already").check()
    form.get_by_role("button", name="Release").click()
    expect(form).to_contain_text("churn-realtime, churn-realtime-2, True")
    expect(form.get_by_role("button", name="Release")).to_have_count(0)


def test_without_a_workload_nothing_is_sent(app: SmallApp, page: Page) -> None:
    form = opened_form(page)
    form.get_by_role("button", name="Release").click()
    expect(form.get_by_label("Workload")).to_have_attribute("aria-invalid", "true")
    assert [request.kind for request in app.front.received] == ["command"]


def test_what_was_ticked_stays_while_the_versions_come(app: SmallApp, page: Page) -> None:
    form = opened_form(page)
    form.get_by_label("Also when this content is live already").check()
    form.get_by_label("Workload").select_option("fraud-realtime")
    expect(form.get_by_label("Version of its configuration")).to_have_value("fraud-realtime-2")
    expect(form.get_by_label("Also when this content is live already")).to_be_checked()
