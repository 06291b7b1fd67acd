"""Slack's Web API as ``publish_home.Homes``, and what is answered to a click in a Home."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from orchestrator.core.chat import Posted
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.messages.blocks import Block, Message
from orchestrator.core.steps.publish_home import Studio, tell_at_home
from slack_app.desk import Desk
from slack_app.identity import full_member
from slack_app.whisper import whisper

logger = logging.getLogger("slack_app")

_TRANSIENT = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "internal_error", "fatal_error", "request_timeout"}
)
"""Codes after which the same call may succeed (reference/methods/views.publish, "Errors")."""


class SlackHomes:
    """See the module."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def publish(self, user: str, view: Block, hash: str) -> str:
        """See ``publish_home.Homes``."""
        answer = _called(lambda: self._client.views_publish(user_id=user, view=view, hash=hash or None))
        return str(answer["view"]["hash"])

    def check(self, user: str, workspace: str) -> None:
        """See ``publish_home.Homes``."""
        _called(lambda: full_member(user, workspace, self._client))

    def link(self, posted: Posted) -> str:
        """See ``message_links.Links``."""
        answer = _called(lambda: self._client.chat_getPermalink(channel=posted.channel, message_ts=posted.ts))
        return str(answer["permalink"])


def studio(client: WebClient, desk: Desk) -> Studio:
    """What Homes are drawn with."""
    return Studio(desk.store, SlackHomes(client), desk.installation, desk.now)


def reply(client: WebClient, channel: str, user: str, message: Message, desk: Desk) -> None:
    """Tell one person what came of a click: privately in the channel it was made in; without a channel it was made in
    his Home, and that says it. What was decided stands whether or not Slack shows this."""
    if channel:
        whisper(client, channel, user, message)
        return
    try:
        if tell_at_home(user, message.text, studio(client, desk)):
            return
    except (ChatRefused, ChatUnavailable) as error:
        logger.warning("a Home does not say what came of a click: %s", type(error).__name__)
    whisper(client, "", user, message)


def _called(send: Callable[[], Any]) -> Any:
    """Slack's answer, or ``ChatUnavailable`` or ``ChatRefused``."""
    try:
        return send()
    except SlackApiError as error:
        code = str(error.response.get("error") or "unreadable answer")
        if code in _TRANSIENT or getattr(error.response, "status_code", 200) >= 429:
            raise ChatUnavailable(f"Slack could not show a Home ({code})") from None
        raise ChatRefused(code) from None
    except (SlackClientError, OSError, http.client.HTTPException) as error:
        raise ChatUnavailable(f"Slack was not reached ({type(error).__name__})") from None
