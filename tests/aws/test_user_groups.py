"""Slack's user groups over plain HTTP, against the local Slack page: what it tells, refuses, and leaves unanswered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.slack.client import SlackPage
from orchestrator.aws.user_groups import SlackUserGroups
from orchestrator.core.errors import AccessDenied, ChatRefused, ChatUnavailable

TOKEN = "xoxb-local-page"


@pytest.fixture(scope="module")
def page() -> Iterator[SlackPage]:
    with SlackPage(signing_secret="8f742231b10e8888abcd99yyyzzz85a5", bot_token=TOKEN) as running:
        yield running


@pytest.fixture
def groups(page: SlackPage) -> Iterator[SlackUserGroups]:
    yield SlackUserGroups(lambda: TOKEN, page.api_url)
    page.faults(outage=False, missing_scopes=[], deactivated=[], rate_limit=0)
    page.regroup("S0OWNERS", "U0BEN", "U0DEV")


def test_the_members_are_those_of_this_moment(page: SlackPage, groups: SlackUserGroups) -> None:
    assert groups.members("S0OWNERS") == {"U0BEN", "U0DEV"}
    page.regroup("S0OWNERS", "U0CHLOE")
    assert groups.members("S0OWNERS") == {"U0CHLOE"}


def test_who_is_deactivated_is_no_member(page: SlackPage, groups: SlackUserGroups) -> None:
    page.faults(deactivated=["U0DEV"])
    assert groups.members("S0OWNERS") == {"U0BEN"}


@pytest.mark.parametrize(
    ("faults", "group", "code"),
    [
        ({}, "S0NONE", "no_such_subteam"),
        ({"missing_scopes": ["usergroups:read"]}, "S0OWNERS", "missing_scope"),
    ],
)
def test_slack_refuses_with_its_own_code(
    page: SlackPage, groups: SlackUserGroups, faults: dict[str, object], group: str, code: str
) -> None:
    page.faults(**faults)
    with pytest.raises(ChatRefused) as refused:
        groups.members(group)
    assert refused.value.code == code


@pytest.mark.parametrize("faults", [{"outage": True}, {"rate_limit": 1}])
def test_slack_out_of_reach_is_no_answer(page: SlackPage, groups: SlackUserGroups, faults: dict[str, object]) -> None:
    page.faults(**faults)
    with pytest.raises(ChatUnavailable):
        groups.members("S0OWNERS")


def test_nobody_listens_where_slack_should_be() -> None:
    with pytest.raises(ChatUnavailable, match="was not reached"):
        SlackUserGroups(lambda: TOKEN, "http://127.0.0.1:9/api/").members("S0OWNERS")


def test_without_a_token_slack_is_not_asked(page: SlackPage) -> None:
    with pytest.raises(ChatRefused, match="not_set_up"):
        SlackUserGroups(str, page.api_url).members("S0OWNERS")


def test_a_secret_that_cannot_be_read_is_no_answer(page: SlackPage) -> None:
    def denied() -> str:
        raise AccessDenied("IAM refused secretsmanager:GetSecretValue")

    with pytest.raises(ChatUnavailable, match="secret cannot be read"):
        SlackUserGroups(denied, page.api_url).members("S0OWNERS")


def test_a_wrong_token_is_refused_and_not_told(page: SlackPage) -> None:
    with pytest.raises(ChatRefused) as refused:
        SlackUserGroups(lambda: "xoxb-of-another", page.api_url).members("S0OWNERS")
    assert "xoxb" not in str(refused.value)
