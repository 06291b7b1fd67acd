"""Clicks of a user group's members, through front, queue and worker to the local Slack page and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.installation import ApprovalPolicy, Reminders, StageSettings
from orchestrator.core.records import ApprovalStatus
from tests.fakes.memory_world import OWNER, ROLES, installation
from tests.slack_app.conftest import CHANNEL, SlackScene

GROUP = "S0OWNERS"


@pytest.fixture
def group(slack: SlackScene) -> SlackScene:
    """Staging is decided by two of the group: Ben, Dev, and Gus, who is a guest."""
    policy = ApprovalPolicy(((("duty", 2),),), reminders=Reminders(4, 1))
    setting = installation(
        *(StageSettings("dev", "2" * 12), StageSettings("staging", "3" * 12, policy)),
        StageSettings("prod", "4" * 12, OWNER),
        roles={**ROLES, "duty": (GROUP,)},
    )
    world = slack.world
    world.installation = replace(
        setting, slack_api_url=slack.page.api_url, slack_channel=world.installation.slack_channel
    )
    slack.page.regroup(GROUP, "U0BEN", "U0DEV", "U0GUS")
    return slack


def status(scene: SlackScene, release_id: str) -> ApprovalStatus:
    return scene.world.approval(release_id, "staging").status


def test_members_decide_and_whoever_left_does_not(group: SlackScene) -> None:
    release_id = group.asked()
    assert group.click("U0BEN")
    assert group.work() == []
    assert "Still needed: 1 × duty" in group.told("U0BEN")
    group.page.regroup(GROUP, "U0DEV")
    group.click("U0DEV")
    group.work()
    assert status(group, release_id) is ApprovalStatus.PENDING, "Ben's vote went with him"
    group.click("U0BEN")
    group.work()
    assert group.told("U0BEN") == "You are not an approver of staging."
    group.page.regroup(GROUP, "U0DEV", "U0BEN")
    group.click("U0BEN")
    group.work()
    assert status(group, release_id) is ApprovalStatus.APPROVED


def test_a_guest_in_the_group_is_a_guest(group: SlackScene) -> None:
    release_id = group.asked()
    group.click("U0GUS")
    group.work()
    assert "Guests may not" in group.told("U0GUS")
    assert group.world.approval(release_id, "staging").votes == ()


def test_without_the_scope_the_group_is_closed_and_says_so(group: SlackScene) -> None:
    release_id = group.asked()
    group.page.faults(missing_scopes=["usergroups:read"])
    group.click("U0BEN")
    assert group.work() == [], "it is not tried again: the person is told"
    assert "who is in the user group S0OWNERS (missing_scope)" in group.told("U0BEN")
    group.page.faults(missing_scopes=[])
    group.click("U0BEN")
    group.work()
    assert len(group.world.approval(release_id, "staging").votes) == 1


def test_the_reject_dialog_opens_for_members_alone(group: SlackScene) -> None:
    release_id = group.asked()
    group.page.regroup(GROUP, "U0DEV")
    group.click("U0BEN", "reject")
    group.work()
    assert "You are not an approver of staging." in json.dumps(group.page.views("U0BEN"))
    group.click("U0DEV", "reject")
    group.work()
    view = group.page.wait_for_view("U0DEV")
    group.page.submit_view("U0DEV", view["id"], {"reason": "Recall is too low."})
    group.work()
    assert status(group, release_id) is ApprovalStatus.REJECTED


def test_question_and_reminder_as_the_page_shows_them(group: SlackScene) -> None:
    group.asked()
    group.world.clock.pass_hours(5)
    assert group.world.sweep().reminded == 1
    group.tell()
    replies = [one for one in group.page.messages(CHANNEL) if one.get("thread_ts") not in {None, one["ts"]}]
    question, reminder = [one for one in replies if not one.get("files")]
    assert f"<!subteam^{GROUP}>" in question["text"]
    assert "<@U0BEN> <@U0DEV>" in reminder["text"], "Gus is nobody of people"
    assert GROUP not in reminder["text"]
