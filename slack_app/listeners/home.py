"""The app's Home: somebody looks at it, or something has changed what Homes show."""

from __future__ import annotations

import logging
import time
from typing import Any

from slack_bolt import App
from slack_sdk import WebClient

from orchestrator.core.errors import ChatRefused, NotAllowed
from orchestrator.core.opened_homes import CHANGED
from orchestrator.core.steps.publish_home import refresh_homes, show_home, show_nothing
from slack_app.desk import Desk
from slack_app.front.answering import HOME_OPENED, text
from slack_app.homes import studio
from slack_app.identity import caller, member

SECONDS = 25
"""Of a round that keeps Homes current: the function itself has a minute, for clicks too."""

logger = logging.getLogger("slack_app")


def register(app: App, desk: Desk) -> None:
    """Listen to the event of Slack, and to that of the table's stream."""

    def opened(body: dict[str, Any], client: WebClient) -> None:
        show(body, client, desk)

    def changed(client: WebClient) -> None:
        until = time.monotonic() + SECONDS
        done = refresh_homes(studio(client, desk), lambda: time.monotonic() < until)
        logger.info("homes: %d published, %d unchanged, %d left", done.published, done.unchanged, done.left)

    app.event(HOME_OPENED)(opened)
    app.event(CHANGED)(changed)


def show(body: dict[str, Any], client: WebClient, desk: Desk) -> None:
    """Draw the Home of whoever looks at it; one who may not see releases is told so there."""
    who, drawn = caller(body), studio(client, desk)
    try:
        try:
            viewer = member(who, client, desk.installation)
        except NotAllowed as refusal:
            show_nothing(who.user, str(refusal), drawn)
            return
        show_home(who.user, viewer, who.workspace, text(body, "event", "view", "hash"), drawn)
    except ChatRefused as error:
        # Of a person whom Slack shows nothing of the app: he sees that by himself.
        logger.warning("a Home was refused: %s", error.code)
