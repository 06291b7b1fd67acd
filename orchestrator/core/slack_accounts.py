"""Whose accounts count: a full member of the app's workspace. What keeps anybody else from deciding, by Slack's word.

The same rule is asked at each click, and by ``mlops doctor`` about everybody who may have to click.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

SLACKBOT = "USLACKBOT"
"""Slack's own bot, of which ``is_bot`` is false."""


class Unfit(StrEnum):
    """Why an account does not count."""

    DELETED = "deleted"
    BOT = "bot"
    ELSEWHERE = "elsewhere"
    """Of another workspace: a partner over Slack Connect, or a stranger."""
    GUEST = "guest"


def unfit(account: Mapping[str, Any], workspace: str) -> Unfit | None:
    """Why this account (the ``user`` object of users.info) may not decide in the workspace; None where it may.

    ``workspace`` is empty in an installation for a whole organisation.
    """
    if account.get("deleted"):
        return Unfit.DELETED
    if account.get("is_bot") or account.get("is_workflow_bot") or account.get("id") == SLACKBOT:
        return Unfit.BOT
    if account.get("is_stranger") or _elsewhere(account, workspace):
        return Unfit.ELSEWHERE
    if account.get("is_restricted") or account.get("is_ultra_restricted"):
        return Unfit.GUEST
    return None


def _elsewhere(account: Mapping[str, Any], workspace: str) -> bool:
    """Whether the account belongs to another workspace; in an organisation its home may be another one of it."""
    home = str(account.get("team_id") or "")
    if not home or not workspace:
        return False
    teams = (account.get("enterprise_user") or {}).get("teams") or []
    return home != workspace and workspace not in teams
