"""Who clicked: the ids of a verified payload, looked up in Slack at each click, and nothing that can be typed.

Names and e-mail addresses in a payload are display; the account behind the id is asked for anew each time, so that
somebody who left, became a guest or was deactivated a minute ago cannot decide with an old message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from orchestrator.core.errors import NotAllowed
from orchestrator.core.installation import Installation
from orchestrator.core.messages import private
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.slack_accounts import Unfit, unfit

_UNKNOWN_USER = frozenset({"user_not_found", "user_not_visible", "users_not_found"})

_REFUSALS = {
    Unfit.DELETED: private.DELETED,
    Unfit.BOT: private.BOT,
    Unfit.ELSEWHERE: private.PARTNER,
    Unfit.GUEST: private.GUEST,
}


@dataclass(frozen=True)
class Caller:
    """The ids in a payload. ``workspace`` is empty in an organisation-wide installation (Slack's ``team: null``)."""

    user: str
    user_team: str
    workspace: str
    enterprise: str = ""


def caller(body: Mapping[str, Any]) -> Caller:
    """Who a payload (a click, a dialog, an event, or a command's form) comes from, by ids alone."""
    user, team, enterprise = body.get("user"), body.get("team"), body.get("enterprise")
    if isinstance(user, Mapping):
        return Caller(_id(user), _id(user, "team_id"), _id(team), _id(enterprise))
    team_id = _id(body, "team_id")
    event = body.get("event")
    if isinstance(event, Mapping):
        # The team is the workspace that the app is in; whose the user is, only his account tells.
        return Caller(_id(event, "user"), "", team_id, _id(body, "enterprise_id"))
    return Caller(_id(body, "user_id"), team_id, team_id, _id(body, "enterprise_id"))


def member(who: Caller, client: WebClient, installation: Installation) -> Identity:
    """The full member of this workspace who called; raises ``NotAllowed`` with a sentence for anybody else.

    A person of the ``people`` setting is recognised by Slack id, else by the account's e-mail address; somebody unknown
    there keeps the Slack id. Slack out of reach is Slack's error, raised on: the request is tried again later.
    """
    if not who.user:
        raise NotAllowed(private.NOBODY)
    ours = {who.workspace or who.user_team, who.enterprise} - {""}
    if _own_workspace(client, installation) not in ours:
        raise NotAllowed(private.OTHER_WORKSPACE)
    if who.workspace and who.user_team and who.user_team != who.workspace:
        raise NotAllowed(private.PARTNER)
    account = full_member(who.user, who.workspace, client)
    identity = Identity(IdentityKind.SLACK, who.user, verified=True)
    if installation.people.find(identity) is None:
        by_mail = Identity(IdentityKind.EMAIL, str((account.get("profile") or {}).get("email") or ""), verified=True)
        if installation.people.find(by_mail) is not None:
            return by_mail
    return identity


def full_member(user: str, workspace: str, client: WebClient) -> Mapping[str, Any]:
    """The account of a full member of this workspace (empty: of the organisation); raises ``NotAllowed``."""
    account = {**_account(user, client), "id": user}
    found = unfit(account, workspace)
    if found is not None:
        raise NotAllowed(_REFUSALS[found])
    return account


def _own_workspace(client: WebClient, installation: Installation) -> str:
    """The configured workspace, else the one the bot token belongs to."""
    return installation.slack_team or str(client.auth_test()["team_id"])


def _account(user: str, client: WebClient) -> Mapping[str, Any]:
    try:
        account: Mapping[str, Any] = client.users_info(user=user)["user"]
    except SlackApiError as error:
        if error.response.get("error") in _UNKNOWN_USER:
            raise NotAllowed(private.NOBODY) from error
        raise
    return account


def _id(value: Any, name: str = "id") -> str:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""
