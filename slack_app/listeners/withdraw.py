"""The Withdraw button: whose vote it takes back is whose click it is."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from orchestrator.core.messages.buttons import WITHDRAW
from slack_app.ballots import take_back
from slack_app.clicks import clicked
from slack_app.desk import Desk


def register(app: App, desk: Desk) -> None:
    """Listen to the button."""

    def withdraw(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        where = clicked(body)
        if where is not None:
            take_back(body, where, client, desk)

    app.action(WITHDRAW)(withdraw)
