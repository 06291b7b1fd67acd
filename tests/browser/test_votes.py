"""The conversation about an approval as people have it: comments, votes taken back, what is asked in words.

Everything is clicked and typed in the page, and goes through the product's own front, queue and worker.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.records import ApprovalStatus
from tests.browser.chromium import DESKTOP, Scheme
from tests.browser.conftest import Open
from tests.browser.product import NARROW, aws, open_as, scene, settle
from tests.browser.seeing import faint, outside, scrolls_sideways
from tests.slack_app.conftest import SlackScene

__all__ = ["aws", "open_as", "scene"]

BOTH = ApprovalPolicy(((("ml-owner", 1), ("risk", 1)),))
COMMENT = "Recall is fine; watch the latency on Monday."


@pytest.fixture
def release_id(scene: SlackScene) -> str:
    """A release waits for prod, which needs an owner and somebody of risk."""
    *others, prod = scene.world.installation.stages
    scene.world.installation = replace(scene.world.installation, stages=(*others, replace(prod, approval=BOTH)))
    return scene.asked("prod")


def status(scene: SlackScene, release_id: str) -> ApprovalStatus:
    return scene.world.approval(release_id, "prod").status


def question(page: Page, release_id: str) -> Locator:
    """The release's message."""
    return page.locator("article.message").filter(has_text=release_id).first


def click(scene: SlackScene, page: Page, release_id: str, name: str) -> None:
    """A button of the message, which asks nothing more."""
    question(page, release_id).get_by_role("button", name=name).click()
    settle(scene, page)


def approve(scene: SlackScene, page: Page, release_id: str) -> None:
    question(page, release_id).get_by_role("button", name="Approve prod for").click()
    page.get_by_role("dialog", name="Approve prod?").get_by_role("button", name="Approve", exact=True).click()
    settle(scene, page)


def typed(scene: SlackScene, page: Page, words: str) -> Locator:
    """``/mlops WORDS``, typed; the private answer."""
    answers = page.locator("article.ephemeral")
    before = answers.count()
    page.get_by_role("combobox", name="Message").fill(f"/mlops {words}")
    page.keyboard.press("Enter")
    settle(scene, page)
    expect(answers).to_have_count(before + 1)
    return answers.last


def test_an_approval_with_a_comment_is_read_by_everybody(scene: SlackScene, open_as: Open, release_id: str) -> None:
    ben, ana = open_as(), open_as("U0ANA")
    click(scene, ben, release_id, "Approve with comment: prod")
    dialog = ben.get_by_role("dialog", name="Approve with comment")
    comment = dialog.get_by_label("Comment")
    expect(comment).to_be_focused()
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(comment).to_have_attribute("aria-invalid", "true")
    comment.fill(COMMENT)
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(dialog).to_be_hidden()
    settle(scene, ben)
    scene.tell()
    for page in (ben, ana):
        expect(question(page, release_id)).to_contain_text("Ben Okafor")
        expect(question(page, release_id)).to_contain_text(COMMENT)
    assert status(scene, release_id) is ApprovalStatus.PENDING
    question(ana, release_id).locator("button.replies").click()
    expect(ana.locator("#thread")).to_contain_text(COMMENT)


def test_a_vote_is_taken_back_after_one_more_question(scene: SlackScene, open_as: Open, release_id: str) -> None:
    ben, chloe = open_as(), open_as("U0CHLOE")
    approve(scene, ben, release_id)
    back = question(ben, release_id).get_by_role("button", name="Withdraw your approval of prod")
    sure = ben.get_by_role("dialog", name="Withdraw your approval of prod?")
    back.click()
    sure.get_by_role("button", name="Keep it").click()
    assert len(scene.world.approval(release_id, "prod").votes) == 1
    back.click()
    sure.get_by_role("button", name="Withdraw", exact=True).click()
    settle(scene, ben)
    expect(ben.locator("article.ephemeral").last).to_contain_text("is withdrawn")
    for page in (ben, chloe):
        expect(question(page, release_id)).to_contain_text("withdrew")
        expect(question(page, release_id).get_by_role("button", name="Withdraw")).to_have_count(0)
    approve(scene, chloe, release_id)
    assert status(scene, release_id) is ApprovalStatus.PENDING
    approve(scene, ben, release_id)
    assert status(scene, release_id) is ApprovalStatus.APPROVED
    expect(question(chloe, release_id).get_by_role("button", name="Approve")).to_have_count(0)


def test_what_is_asked_in_words_is_answered_to_who_asks(scene: SlackScene, open_as: Open, release_id: str) -> None:
    ben, ana = open_as(), open_as("U0ANA")
    approve(scene, ben, release_id)
    expect(question(ana, release_id)).to_contain_text("Still needed: 1 × ml-owner/risk")
    why = typed(scene, ana, f"why {release_id}")
    expect(why).to_contain_text("risk")
    expect(why).to_contain_text("Chloé Martin")
    workload = scene.world.of(release_id).workload
    for words in ("status", f"status {release_id}", f"history {workload}"):
        expect(typed(scene, ana, words)).to_contain_text(release_id)
    expect(typed(scene, ana, "help")).to_contain_text("/mlops why RELEASE")
    expect(typed(scene, ana, f"approve {release_id}")).to_contain_text("not an approver")
    expect(ben.locator("article.ephemeral")).to_have_count(1)
    assert status(scene, release_id) is ApprovalStatus.PENDING


def test_the_whole_plan_is_a_file_in_the_thread(scene: SlackScene, open_as: Open, release_id: str) -> None:
    ana = open_as("U0ANA")
    expect(question(ana, release_id)).to_contain_text("The whole plan: the file in the thread")
    question(ana, release_id).locator("button.replies").click()
    file = ana.locator("#thread figure.file")
    expect(file).to_contain_text("Endpoint")
    with ana.context.expect_page() as other:
        file.get_by_role("link", name="Open").click()
    plan = scene.world.stage(release_id, "prod").plan
    assert plan is not None
    assert len(plan.parameters) >= 10
    for parameter in plan.parameters:
        expect(other.value.locator("body")).to_contain_text(parameter.name)
    other.value.close()


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(DESKTOP, "light", id="desktop-light"),
        pytest.param(NARROW, "dark", id="phone-dark"),
        pytest.param(DESKTOP, "dark", id="desktop-dark", marks=pytest.mark.long),
        pytest.param(NARROW, "light", id="phone-light", marks=pytest.mark.long),
    ],
)
def test_it_is_a_pleasure_to_read(
    scene: SlackScene, open_as: Open, release_id: str, tmp_path: Path, scheme: Scheme, size: tuple[int, int]
) -> None:
    """A question with all four buttons, the dialogs that they open, and the answers to words."""
    page = open_as("U0BEN", size, scheme)

    def seen(name: str) -> None:
        assert (faint(page), scrolls_sideways(page), outside(page)) == ([], [], []), name
        page.screenshot(path=tmp_path / f"{name}-{scheme}-{size[0]}.png")

    approve(scene, page, release_id)
    message = question(page, release_id)
    expect(message.get_by_role("button", name="for fraud-detector-realtime")).to_have_count(4)
    message.get_by_role("button", name="Reject").scroll_into_view_if_needed()
    seen("four-buttons")
    message.get_by_role("button", name="Withdraw").click()
    seen("withdraw")
    page.keyboard.press("Escape")
    for name, title in (("Approve with comment", "Approve with comment"), ("Reject prod", "Reject this release")):
        click(scene, page, release_id, name)
        expect(page.get_by_role("dialog", name=title).get_by_role("textbox")).to_be_focused()
        seen(title.replace(" ", "-").lower())
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        settle(scene, page)
    workload = scene.world.of(release_id).workload
    for words in (f"why {release_id}", f"history {workload}", "status", "help"):
        typed(scene, page, words)
        seen(words.split(" ", maxsplit=1)[0])
