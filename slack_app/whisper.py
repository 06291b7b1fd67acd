"""A private answer, seen by one person: in the channel, or where there is none in the direct message with the app.

Losing it loses nothing but the answer.
"""

from __future__ import annotations

import http.client
import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from orchestrator.core.messages.blocks import Message

logger = logging.getLogger("slack_app")


def whisper(client: WebClient, channel: str, user: str, message: Message) -> None:
    """Tell one person. What was decided stands whether or not Slack shows this, so a failure is only logged."""
    if not user:
        return
    try:
        if channel:
            client.chat_postEphemeral(channel=channel, user=user, text=message.text, blocks=list(message.blocks))
        else:
            # A person's id is taken for the conversation with him (reference/methods/chat.postMessage, "Channels").
            client.chat_postMessage(channel=user, text=message.text, blocks=list(message.blocks))
    except (SlackClientError, OSError, http.client.HTTPException) as error:
        logger.warning("a private answer was not shown: %s", type(error).__name__)
