"""The Reject button and its dialog: the front has opened it, here it is filled, and its answer counted."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from orchestrator.core.errors import Refused
from orchestrator.core.messages import private
from orchestrator.core.messages.buttons import REJECT
from orchestrator.core.messages.dialogs import (
    REASON,
    REJECT_VIEW,
    Place,
    closed_view,
    place,
    reason_view,
)
from orchestrator.core.records import Verdict
from orchestrator.core.user_groups import Voter
from slack_app.ballots import cast, still_open, user_groups
from slack_app.clicks import clicked, opened_dialog
from slack_app.desk import Desk
from slack_app.front.answering import text
from slack_app.homes import reply
from slack_app.identity import caller, member

_NOT_OPEN = frozenset({"not_found", "view_not_found"})
"""Codes of views.update for a dialog that never opened or was closed (reference/methods/views.update)."""


def register(app: App, desk: Desk) -> None:
    """Listen to the button and to the dialog."""

    def reject(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        where = clicked(body)
        if where is not None:
            fill_dialog(where, body, client, desk)

    def give_reason(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        where = place(text(body, "view", "private_metadata"))
        if where is not None:
            reason = text(body, "view", "state", "values", REASON, REASON, "value")
            # Somebody else may have decided since the dialog opened: the vote looks again.
            cast(body, where, Verdict.REJECT, client, desk, reason)

    app.action(REJECT)(reject)
    app.view(REJECT_VIEW)(give_reason)


def fill_dialog(where: Place, body: dict[str, Any], client: WebClient, desk: Desk) -> None:
    """Ask for the reason, or say in the dialog why there is nothing to reject."""
    external_id = opened_dialog(body)
    who = caller(body)
    refused = ""
    try:
        voter = Voter(member(who, client, desk.installation), who.user)
        release, approval = still_open(where.question, voter, user_groups(client, desk), desk)
        view = reason_view(where, external_id, release.workload, approval.stage, removes=release.removes)
    except Refused as refusal:
        refused = str(refusal)
        view = closed_view(where, external_id, refused)
    try:
        client.views_update(external_id=external_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") not in _NOT_OPEN:
            raise
        reply(client, where.channel, who.user, private.told(refused or private.DIALOG_LOST), desk)
