"""Slack's Web API as ``examination.ports.Workspace``.

Nothing is repeated here: whoever waits for the answer may ask again, and Slack's wish for a slower pace is told.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.examination.ports import App, Channel

TIMEOUT_SECONDS = 5
PAGES = 10
PAGE = 1000
"""Channels that a call answers at most."""
TYPES = "public_channel,private_channel"

_NOBODY = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_NO_CHANNEL = "channel_not_found"
_NO_GROUP = "no_such_subteam"


class SlackWorkspace:
    """See the module."""

    def __init__(self, token: str, api_url: str) -> None:
        self._client = WebClient(token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])

    def app(self) -> App:
        """See ``ports.Workspace``."""
        answer = _called(lambda: self._client.auth_test())
        told = {str(name).lower(): value for name, value in answer.headers.items()}.get("x-oauth-scopes")
        data = answer.data
        return App(
            team_id=str(data.get("team_id") or ""),
            team=str(data.get("team") or ""),
            bot=str(data.get("user") or ""),
            scopes=None if told is None else frozenset(word.strip() for word in str(told).split(",") if word.strip()),
            enterprise_id=str(data.get("enterprise_id") or ""),
        )

    def channel(self, named: str) -> Channel | None:
        """See ``ports.Workspace``. Those that the app is in are looked through first: they are few."""
        if named[:1] in {"C", "G"} and named.isalnum() and named.upper() == named:
            return self._channel(named)
        mine = self._listed(lambda **page: self._client.users_conversations(types=TYPES, limit=PAGE, **page))
        found = _of_name(mine, named)
        if found is None:
            every = self._listed(
                lambda **page: self._client.conversations_list(types="public_channel", limit=PAGE, **page)
            )
            found = _of_name(every, named)
        return None if found is None else self._channel(str(found["id"]))

    def account(self, user: str) -> Mapping[str, Any] | None:
        """See ``ports.Workspace``."""
        return _account(lambda: self._client.users_info(user=user))

    def account_of(self, email: str) -> Mapping[str, Any] | None:
        """See ``ports.Workspace``."""
        return _account(lambda: self._client.users_lookupByEmail(email=email))

    def members(self, group: str) -> frozenset[str] | None:
        """See ``ports.Workspace``."""
        try:
            found = _called(lambda: self._client.usergroups_users_list(usergroup=group)).data
        except ChatRefused as error:
            if error.code == _NO_GROUP:
                return None
            raise
        return frozenset(str(user) for user in found.get("users") or ())

    def _channel(self, channel: str) -> Channel | None:
        try:
            found = _called(lambda: self._client.conversations_info(channel=channel)).data["channel"]
        except ChatRefused as error:
            if error.code == _NO_CHANNEL:
                return None
            raise
        return Channel(
            id=str(found["id"]),
            name=str(found.get("name") or ""),
            is_member=bool(found.get("is_member")),
            is_archived=bool(found.get("is_archived")),
            is_private=bool(found.get("is_private")),
            is_shared=bool(found.get("is_ext_shared")),
        )

    @staticmethod
    def _listed(get: Callable[..., Any]) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(PAGES):
            page = {"cursor": cursor} if cursor else {}
            data = _called(lambda page=page: get(**page)).data  # type: ignore[misc]
            yield from data.get("channels") or []
            cursor = (data.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def _of_name(channels: Iterator[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    return next((found for found in channels if found.get("name") == name), None)


def _account(get: Callable[[], Any]) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = _called(get).data["user"]
    except ChatRefused as error:
        if error.code in _NOBODY:
            return None
        raise
    return found


def _called(send: Callable[[], Any]) -> Any:
    """Slack's answer, or ``ChatUnavailable`` or ``ChatRefused``."""
    try:
        return send()
    except SlackApiError as error:
        data = getattr(error.response, "data", None)
        code = str(data.get("error") or "") if isinstance(data, dict) else ""
        status = getattr(error.response, "status_code", 200)
        if status == 429 or code in {"ratelimited", "rate_limited"}:
            raise ChatUnavailable("Slack asks for a slower pace") from None
        if status >= 500 or not code:
            raise ChatUnavailable(f"Slack answered {status} {code}".strip()) from None
        raise ChatRefused(code) from None
    except (SlackClientError, OSError, http.client.HTTPException) as error:
        raise ChatUnavailable(f"Slack was not reached ({type(error).__name__})") from None
