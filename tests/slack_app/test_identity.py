"""Who may act: by ids and by what Slack says of the account, never by a name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from orchestrator.core.errors import NotAllowed
from orchestrator.core.people import Identity, IdentityKind, People
from slack_app.identity import Caller, caller, member
from tests.fakes.memory_world import ANA, BEN, installation

SETTINGS = replace(installation(), slack_team="T0ACME", people=People((ANA, replace(BEN, slack_ids=()))))
SLACK_ANA = Identity(IdentityKind.SLACK, "U0ANA", verified=True)


class Accounts:
    """``users.info`` and ``auth.test``."""

    def __init__(self, error: str = "", **account: Any) -> None:
        self.account = {"id": "U", "team_id": "T0ACME", "deleted": False, "is_bot": False, "profile": {}, **account}
        self.error = error
        self.asked: list[str] = []

    def users_info(self, *, user: str) -> dict[str, Any]:
        self.asked.append(user)
        if self.error:
            raise SlackApiError("failed", {"ok": False, "error": self.error})  # type: ignore[no-untyped-call]
        return {"user": self.account}

    def auth_test(self) -> dict[str, Any]:
        return {"team_id": "T0BOT"}


def who(user: str = "U0ANA", user_team: str = "T0ACME", workspace: str = "T0ACME", enterprise: str = "") -> Caller:
    return Caller(user, user_team, workspace, enterprise)


@pytest.mark.parametrize(
    ("what", "called", "account", "told"),
    [
        ("nobody", who(user=""), {}, "who you are"),
        ("another workspace", who(workspace="T0OTHER", user_team="T0OTHER"), {}, "another workspace"),
        ("a partner by the payload", who(user_team="T0PARTNER"), {}, "other workspaces"),
        ("a partner by the account", who(), {"team_id": "T0PARTNER"}, "other workspaces"),
        ("a stranger", who(), {"is_stranger": True}, "other workspaces"),
        ("a guest of several channels", who(), {"is_restricted": True}, "Guests"),
        ("a guest of one channel", who(), {"is_restricted": True, "is_ultra_restricted": True}, "Guests"),
        ("a bot", who(), {"is_bot": True}, "Only people"),
        ("a workflow", who(), {"is_workflow_bot": True}, "Only people"),
        ("Slackbot", who(user="USLACKBOT"), {}, "Only people"),
        ("somebody who left", who(), {"deleted": True}, "deactivated"),
        ("nobody's workspace in an organisation", who(workspace="", user_team="T0OTHER"), {}, "another workspace"),
    ],
)
def test_refused(what: str, called: Caller, account: dict[str, Any], told: str) -> None:
    with pytest.raises(NotAllowed, match=told):
        member(called, Accounts(**account), SETTINGS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "called", "account", "identity"),
    [
        ("by Slack id", who(), {}, SLACK_ANA),
        ("the id beats the e-mail", who(), {"profile": {"email": "ben@example.com"}}, SLACK_ANA),
        (
            "by the account's e-mail",
            who(user="U0NEW"),
            {"profile": {"email": "BEN@example.com"}},
            Identity(IdentityKind.EMAIL, "BEN@example.com", verified=True),
        ),
        (
            "unknown to the settings",
            who(user="U0NEW"),
            {"profile": {"email": "new@example.com"}},
            Identity(IdentityKind.SLACK, "U0NEW", verified=True),
        ),
        ("renamed", who(), {"name": "ben", "profile": {"real_name": "Ben Okafor"}}, SLACK_ANA),
        ("organisation-wide installation", who(workspace=""), {}, SLACK_ANA),
        (
            "organisation, home elsewhere in it",
            who(),
            {"team_id": "T0HOME", "enterprise_user": {"teams": ["T0HOME", "T0ACME"]}},
            SLACK_ANA,
        ),
    ],
)
def test_let_in(what: str, called: Caller, account: dict[str, Any], identity: Identity) -> None:
    assert member(called, Accounts(**account), SETTINGS) == identity  # type: ignore[arg-type]


def test_without_a_configured_workspace_it_is_the_bots() -> None:
    settings = replace(SETTINGS, slack_team="")
    accounts = Accounts(team_id="T0BOT")
    assert member(who(user_team="T0BOT", workspace="T0BOT"), accounts, settings) == SLACK_ANA  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        member(who(), accounts, settings)  # type: ignore[arg-type]


def test_slack_out_of_reach_is_no_refusal() -> None:
    with pytest.raises(SlackApiError):
        member(who(), Accounts(error="ratelimited"), SETTINGS)  # type: ignore[arg-type]


def test_a_user_whom_slack_does_not_know_is_refused() -> None:
    with pytest.raises(NotAllowed):
        member(who(), Accounts(error="user_not_found"), SETTINGS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}}, Caller("U1", "T1", "T1")),
        (
            {"user": {"id": "U1", "team_id": "T1"}, "team": None, "enterprise": {"id": "E1"}},
            Caller("U1", "T1", "", "E1"),
        ),
        ({"user_id": "U1", "team_id": "T1"}, Caller("U1", "T1", "T1")),
        ({"user": {"id": 7}, "team": "T1"}, Caller("", "", "")),
        ({}, Caller("", "", "")),
    ],
)
def test_ids_of_a_payload(body: dict[str, Any], found: Caller) -> None:
    assert caller(body) == found
