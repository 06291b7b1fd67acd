"""The Reject button and its dialog: the front has opened it, here it is filled, and its answer counted."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from orchestrator.core.messages.buttons import REJECT
from orchestrator.core.messages.dialogs import REJECTION
from orchestrator.core.records import Verdict
from slack_app import dialogs
from slack_app.desk import Desk


def register(app: App, desk: Desk) -> None:
    """Listen to the button and to the dialog."""

    def ask(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        dialogs.fill(REJECTION, Verdict.REJECT, body, client, desk)

    def submitted(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        dialogs.submit(Verdict.REJECT, body, client, desk)

    app.action(REJECT)(ask)
    app.view(REJECTION.callback_id)(submitted)
