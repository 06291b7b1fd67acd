"""A click in the page, through the real front, queue, worker and records, back into the page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.people import UNKNOWN
from orchestrator.core.records import ApprovalStatus, Status
from tests.fakes.memory_world import BEN, ROLES, configuration
from tests.slack_app.conftest import BOT_TOKEN, CHANNEL, SlackScene

REASON = "The recall of the malignant class is too low."


def test_approve_is_counted_answered_and_shown(slack: SlackScene) -> None:
    release_id = slack.asked()
    assert slack.buttons == ["approve", "approve_comment", "reject"]
    assert slack.click("U0BEN")
    assert slack.work() == []
    approval = slack.world.approval(release_id, "staging")
    assert approval.status is ApprovalStatus.APPROVED
    assert approval.token is None
    assert list(slack.world.fake_tasks.answers.values())[-1] == {"decision": "approved"}
    assert slack.buttons == []
    assert "Ben Okafor approved" in slack.page.text_of(CHANNEL)
    assert "approved for staging by Ben Okafor" in slack.told("U0BEN")
    assert len(slack.messages) == 1


def test_reject_asks_why_in_a_dialog(slack: SlackScene) -> None:
    release_id = slack.asked()
    assert slack.click("U0BEN", "reject")
    (loading,) = slack.page.views("U0BEN")
    assert loading["submit"] is None
    slack.work()
    view = slack.page.wait_for_view("U0BEN")
    short = slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": "no"}})
    assert not short.ok
    assert slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": REASON}}).ok
    assert slack.page.views("U0BEN") == []
    slack.drain()
    slack.world.end(release_id, Status.REJECTED)
    slack.tell()
    assert slack.world.of(release_id).status is Status.REJECTED
    assert REASON in slack.page.text_of(CHANNEL)
    assert REASON in slack.world.mail.sent[0][1]
    assert "was rejected for staging by Ben Okafor" in slack.told("U0BEN")


def test_a_dialog_submitted_after_somebody_else_decided_is_told_so(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.click("U0BEN", "reject")
    slack.work()
    view = slack.page.wait_for_view("U0BEN")
    slack.click("U0CHLOE")
    slack.drain()
    slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": REASON}})
    slack.work()
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.APPROVED
    assert "already approved by Chloé Martin" in slack.told("U0BEN")


def test_reject_of_what_is_decided_says_so_in_the_dialog(slack: SlackScene) -> None:
    slack.asked()
    slack.click("U0CHLOE")
    slack.drain()
    slack.click("U0BEN", "reject")
    slack.work()
    (view,) = slack.page.views("U0BEN")
    assert view["submit"] is None
    assert "already approved by Chloé Martin" in json.dumps(view["blocks"], ensure_ascii=False)


def test_an_expired_trigger_is_told_and_costs_nothing(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.page.faults(expired_triggers=True)
    assert slack.click("U0BEN", "reject"), "the click is answered all the same"
    slack.work()
    assert slack.page.views("U0BEN") == []
    assert "Please click once more" in slack.told("U0BEN")
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.PENDING


def test_a_click_delivered_twice_is_queued_once(slack: SlackScene) -> None:
    release_id = slack.asked("prod")
    slack.page.faults(duplicate_clicks=True)
    slack.click("U0BEN")
    while len(slack.answers) < 2:
        slack.page.log()
    slack.work()
    assert len(slack.aws.sent) == 1
    assert len(slack.world.approval(release_id, "prod").votes) == 1


def test_two_clicks_of_one_person_count_once(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.click("U0BEN")
    slack.click("U0BEN")
    slack.work()
    assert len(slack.aws.sent) == 2
    assert len(slack.world.approval(release_id, "staging").votes) == 1
    assert "already approved by Ben Okafor" in slack.told("U0BEN")


def test_approve_after_reject_is_refused_with_who_and_when(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.click("U0BEN", "reject")
    slack.work()
    view = slack.page.wait_for_view("U0BEN")
    slack.page.submit_view("U0BEN", view["id"], {"reason": {"reason": REASON}})
    slack.work()
    assert slack.buttons == []
    slack.click("U0CHLOE", stale=True)
    slack.work()
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.REJECTED
    assert "already rejected by Ben Okafor" in slack.told("U0CHLOE")
    assert "<!date^" in slack.told("U0CHLOE")


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ("U0ANA", "You asked for this release"),
        ("U0GUS", "Guests may not"),
        ("U0PIA", "other workspaces"),
    ],
    ids=["requester", "guest", "partner"],
)
def test_who_may_not_decide_is_told_privately(slack: SlackScene, user: str, told: str) -> None:
    everybody = {**ROLES, "ml-owner": ("ana@example.com", *ROLES["ml-owner"])}
    slack.world.installation = replace(slack.world.installation, roles=everybody)
    release_id = slack.asked()
    slack.click(user)
    assert slack.work() == []
    assert told in slack.told(user)
    assert slack.world.approval(release_id, "staging").votes == ()
    assert slack.buttons == ["approve", "approve_comment", "reject"]


def test_who_may_not_decide_gets_no_form(slack: SlackScene) -> None:
    slack.asked()
    slack.click("U0GUS", "reject")
    slack.work()
    (view,) = slack.page.views("U0GUS")
    assert view["submit"] is None
    assert "Guests may not" in json.dumps(view["blocks"])


def test_an_unknown_requester_costs_one_approval_more(slack: SlackScene) -> None:
    release = slack.world.release(configuration(), requester=UNKNOWN)
    slack.world.package(release.release_id)
    slack.world.plan(release.release_id, "staging")
    slack.world.ask(release.release_id, "staging")
    slack.tell()
    assert "one approval more" in slack.page.text_of(CHANNEL)
    slack.click("U0BEN")
    slack.work()
    assert "one approval more" in slack.told("U0BEN")
    assert slack.buttons == ["approve", "approve_comment", "reject", "withdraw"]
    slack.click("U0CHLOE")
    slack.work()
    assert slack.world.approval(release.release_id, "staging").status is ApprovalStatus.APPROVED


def test_an_old_plans_button_is_refused(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.world.vote(BEN, slack.world.approval(release_id, "staging"))
    slack.world.stacks("staging").somebody_else_deploys(slack.world.of(release_id).stack_name)
    slack.world.deploy(release_id, "staging")
    slack.world.plan(release_id, "staging")
    slack.world.ask(release_id, "staging")
    slack.click("U0CHLOE")
    slack.work()
    assert slack.world.approval(release_id, "staging").votes == ()
    assert "already approved by Ben Okafor" in slack.told("U0CHLOE")
    assert slack.buttons == ["approve", "approve_comment", "reject"], "the new question"


def test_slack_out_of_order_decides_nothing_and_loses_nothing(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.click("U0BEN")
    taken = slack.aws.sent[-1]
    slack.page.faults(outage=True)
    assert slack.drain() == ["m-0"], "the queue delivers it again"
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.PENDING
    slack.page.faults(outage=False)
    slack.aws.queue.append(taken)
    assert slack.work() == []
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.APPROVED


def test_a_429_is_waited_for(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.click("U0BEN")
    slack.page.faults(rate_limit=1, retry_after=0)
    assert slack.work() == []
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.APPROVED
    assert slack.buttons == []


def test_an_answer_that_cannot_be_shown_undoes_no_vote(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.click("U0BEN")
    slack.page.faults(archived=[CHANNEL])
    assert slack.drain() == []
    assert slack.world.approval(release_id, "staging").status is ApprovalStatus.APPROVED


def test_a_queue_out_of_reach_is_seen_by_the_clicker(slack: SlackScene) -> None:
    slack.asked()
    slack.aws.broken = True
    assert not slack.click("U0BEN")
    assert slack.answers[-1]["statusCode"] == 503


def test_status_lists_and_shows_without_buttons(slack: SlackScene) -> None:
    release_id = slack.asked()
    assert slack.page.slash("U0DEV", "/mlops", "status", CHANNEL).ok
    slack.work()
    assert release_id in json.dumps(slack.page.ephemerals("U0DEV")[-1]["blocks"])
    slack.page.slash("U0DEV", "/mlops", f"status {release_id}", CHANNEL)
    slack.work()
    shown = slack.page.ephemerals("U0DEV")[-1]["blocks"]
    assert "ml-owner" in json.dumps(shown)
    assert not [block for block in shown if block["type"] == "actions"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "status, release, approve"),
        ("help", "status, release, approve"),
        ("status no-such-release", "no release `no-such-release`"),
        ("status <!channel>", "&lt;!channel&gt;"),
        ("dance", "/mlops dance"),
    ],
)
def test_commands_are_answered(slack: SlackScene, words: str, told: str) -> None:
    slack.page.slash("U0DEV", "/mlops", words, CHANNEL)
    assert slack.work() == []
    assert told in slack.told("U0DEV")


def test_guests_see_no_status(slack: SlackScene) -> None:
    release_id = slack.asked()
    slack.page.slash("U0GUS", "/mlops", "status", CHANNEL)
    slack.work()
    assert release_id not in json.dumps(slack.page.ephemerals("U0GUS"))


def test_slack_verifies_the_url(slack: SlackScene) -> None:
    assert slack.page.verify_url()


def test_no_credential_is_in_the_queue_or_the_page(slack: SlackScene) -> None:
    slack.asked()
    slack.click("U0BEN", "reject")
    queued = json.dumps(slack.aws.sent)
    assert BOT_TOKEN not in queued
    assert "token-" not in queued
    assert "response_url" not in queued
    assert "token-" not in json.dumps(slack.page.messages(CHANNEL))
    assert "token-" not in json.dumps(slack.page.views("U0BEN"))
