"""Slack's Web API as ``ports.Chat``, and as ``user_groups.UserGroups`` for reminders.

Every call goes through one place, which keeps the pace and hears of each 429; nothing is repeated here. After any other
failure the caller looks before it posts again, since the call may have had its effect.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from functions.notify.paced_client import PacedClient
from functions.notify.upload import upload
from orchestrator.core.chat import Pace, Posted
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.messages.blocks import File, Message

TIMEOUT_SECONDS = 10

EVENT_TYPE = "mlops_release"
"""Type of the metadata that our messages carry (docs.slack.dev/messaging/message-metadata)."""

PAGES = 5
"""Pages of a channel's history that are looked through for a message that was posted moments ago."""

CLOCK_SKEW = timedelta(seconds=30)

_NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})

_TRANSIENT = frozenset(
    {
        "service_unavailable",
        "internal_error",
        "fatal_error",
        "request_timeout",
        "accesslimited",
        "team_added_to_org",
    }
)
"""Codes after which the same call may succeed (each method's "Errors" in docs.slack.dev/reference/methods)."""


class SlackChat:
    """See the module."""

    def __init__(self, token: str, api_url: str, pace: Pace) -> None:
        self._client: WebClient = PacedClient(token, api_url, TIMEOUT_SECONDS, pace)

    def post(self, channel: str, message: Message, *, key: str, thread: str = "") -> Posted:
        """See ``ports.Chat``."""
        answer = _call(
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=list(message.blocks),
                thread_ts=thread or None,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return Posted(str(answer["channel"]), str(answer["ts"]))

    def update(self, posted: Posted, message: Message) -> None:
        """See ``ports.Chat``."""
        _call(
            lambda: self._client.chat_update(
                channel=posted.channel, ts=posted.ts, text=message.text, blocks=list(message.blocks)
            )
        )

    def find(self, channel: str, key: str, *, since: str, thread: str = "") -> Posted | None:
        """See ``ports.Chat``. None too where the app may not read the channel: two messages are better than none."""
        try:
            known = self._channel_id(channel)
            if not known:
                return None
            for found in self._messages(known, since, thread):
                metadata = found.get("metadata") or {}
                if metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload", {}).get("key") == key:
                    return Posted(known, str(found["ts"]))
        except ChatRefused:
            return None
        return None

    def attach(self, posted: Posted, file: File) -> None:
        """See ``ports.Chat``. Raises ``ChatRefused`` too where Slack names an address that is not its own."""
        data = file.text.encode()
        given = _call(lambda: self._client.files_getUploadURLExternal(filename=file.name, length=len(data)))
        upload(str(given.get("upload_url", "")), data, self._client.base_url)
        _call(
            lambda: self._client.files_completeUploadExternal(
                files=[{"id": str(given["file_id"]), "title": file.title}],
                channel_id=posted.channel,
                thread_ts=posted.ts,
            )
        )

    def has_file(self, posted: Posted, name: str, *, since: str) -> bool:
        """See ``ports.Chat``. False where the app may not read the channel."""
        try:
            return any(
                found.get("name") == name
                for reply in self._messages(posted.channel, since, posted.ts)
                for found in reply.get("files") or []
            )
        except ChatRefused:
            return False

    def link(self, posted: Posted) -> str:
        """See ``ports.Chat``."""
        answer = _call(lambda: self._client.chat_getPermalink(channel=posted.channel, message_ts=posted.ts))
        return str(answer["permalink"])

    def direct(self, slack_ids: Sequence[str], email: str, workspace: str) -> str:
        """See ``ports.Chat``."""
        user = self._member(slack_ids, email, workspace)
        if not user:
            return ""
        return str(_call(lambda: self._client.conversations_open(users=user))["channel"]["id"])

    def _member(self, slack_ids: Sequence[str], email: str, workspace: str) -> str:
        """Id of the first account that is a full member's; empty where none is."""
        from orchestrator.core.slack_accounts import unfit

        asked = [partial(self._client.users_info, user=user) for user in slack_ids]
        asked += [partial(self._client.users_lookupByEmail, email=email)] if email else []
        for ask in asked:
            try:
                account = _call(ask)["user"]
            except ChatRefused as error:
                if error.code not in _NOBODY:
                    raise
                continue
            if unfit(account, workspace) is None:
                return str(account["id"])
        return ""

    def members(self, group: str) -> frozenset[str]:
        """See ``user_groups.UserGroups``."""
        answer = _call(lambda: self._client.usergroups_users_list(usergroup=group))
        return frozenset(str(user) for user in answer.get("users") or ())

    def _messages(self, channel: str, since: str, thread: str) -> Iterator[Mapping[str, Any]]:
        oldest = datetime.fromisoformat(since.replace("Z", "+00:00")) - CLOCK_SKEW
        common: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{oldest.timestamp():.6f}",
            "limit": 200,
            "include_all_metadata": True,
        }
        if thread:
            yield from self._paged(lambda **page: self._client.conversations_replies(ts=thread, **common, **page))
        else:
            yield from self._paged(lambda **page: self._client.conversations_history(**common, **page))

    def _channel_id(self, channel: str) -> str:
        """The id of a channel given by id or name: only posting takes names. Empty when no channel has this name."""
        name = channel.removeprefix("#")
        if name[:1] in {"C", "G", "D"} and name.isalnum() and name.upper() == name:
            return name
        pages = self._paged(
            lambda **page: self._client.conversations_list(
                types="public_channel,private_channel", exclude_archived=True, limit=1000, **page
            ),
            "channels",
        )
        return next((str(found["id"]) for found in pages if found.get("name") == name), "")

    @staticmethod
    def _paged(get: Callable[..., Any], name: str = "messages") -> Iterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(PAGES):
            page = {"cursor": cursor} if cursor else {}
            answer = _call(lambda page=page: get(**page))  # type: ignore[misc]
            yield from answer.get(name) or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def _call(send: Callable[[], Any]) -> Mapping[str, Any]:
    """Slack's answer, or ``ChatUnavailable`` or ``ChatRefused``."""
    try:
        data = send().data
    except SlackApiError as error:
        code = _code(error)
        if code in _TRANSIENT or getattr(error.response, "status_code", 200) >= 429:
            raise ChatUnavailable(f"Slack could not take the message ({code})") from None
        raise ChatRefused(code) from None
    except (SlackClientError, OSError, http.client.HTTPException) as error:
        raise ChatUnavailable(f"Slack was not reached ({type(error).__name__})") from None
    return data if isinstance(data, dict) else {}


def _code(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    return str(code or "unreadable answer")
