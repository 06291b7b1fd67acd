"""The Approve button."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from orchestrator.core.messages.buttons import APPROVE
from orchestrator.core.records import Verdict
from slack_app.ballots import cast
from slack_app.clicks import clicked
from slack_app.desk import Desk


def register(app: App, desk: Desk) -> None:
    """Listen to the button."""

    def approve(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        where = clicked(body)
        if where is not None:
            cast(body, where, Verdict.APPROVE, client, desk)

    app.action(APPROVE)(approve)
