"""Filling a dialog that the front has opened, and reading what was typed there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from orchestrator.core.errors import Refused
from orchestrator.core.messages import private
from orchestrator.core.messages.dialogs import REASON, Dialog, asking_view, closed_view, place
from orchestrator.core.records import Verdict
from orchestrator.core.user_groups import Voter
from slack_app.ballots import cast, still_open
from slack_app.clicks import clicked, opened_dialog
from slack_app.desk import Desk
from slack_app.front.answering import text
from slack_app.homes import reply
from slack_app.identity import caller, member

_NOT_OPEN = frozenset({"not_found", "view_not_found"})
"""Codes of views.update for a dialog that never opened or was closed (reference/methods/views.update)."""


def fill(dialog: Dialog, verdict: Verdict, body: Mapping[str, Any], client: WebClient, desk: Desk) -> None:
    """Ask for the text, or say in the dialog why there is nothing to decide."""
    where = clicked(body)
    if where is None:
        return
    external_id = opened_dialog(body)
    who = caller(body)
    refused = ""
    try:
        voter = Voter(member(who, client, desk.installation), who.user)
        release, approval = still_open(where.question, voter, verdict, client, desk)
        view = asking_view(dialog, where, external_id, release.workload, approval.stage, removes=release.removes)
    except Refused as refusal:
        refused = str(refusal)
        view = closed_view(dialog, where, external_id, refused)
    try:
        client.views_update(external_id=external_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") not in _NOT_OPEN:
            raise
        reply(client, where.channel, who.user, private.told(refused or private.DIALOG_LOST), desk)


def submit(verdict: Verdict, body: Mapping[str, Any], client: WebClient, desk: Desk) -> None:
    """Count the vote with what was typed. Somebody else may have decided since the dialog opened: the vote looks
    again."""
    where = place(text(body, "view", "private_metadata"))
    if where is not None:
        cast(body, where, verdict, client, desk, text(body, "view", "state", "values", REASON, REASON, "value"))
