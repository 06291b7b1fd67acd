"""The button Approve with comment and its dialog, which the front has opened."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from orchestrator.core.messages.buttons import APPROVE_COMMENT
from orchestrator.core.messages.dialogs import COMMENT
from orchestrator.core.records import Verdict
from slack_app import dialogs
from slack_app.desk import Desk


def register(app: App, desk: Desk) -> None:
    """Listen to the button and to the dialog."""

    def ask(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        dialogs.fill(COMMENT, Verdict.APPROVE, body, client, desk)

    def submitted(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        dialogs.submit(Verdict.APPROVE, body, client, desk)

    app.action(APPROVE_COMMENT)(ask)
    app.view(COMMENT.callback_id)(submitted)
