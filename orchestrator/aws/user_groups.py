"""Slack's user groups as ``core.user_groups.UserGroups``, over the standard library's HTTP client.

One method of Slack's Web API, ``usergroups.users.list``, for functions that hold no Slack library. It answers with the
members whose accounts are in use: those of deactivated people are left out unless they are asked for
(docs.slack.dev/reference/methods/usergroups.users.list).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from orchestrator.core.errors import ChatRefused, ChatUnavailable, OrchestratorError

METHOD = "usergroups.users.list"

TIMEOUT_SECONDS = 5
"""A person waits for the answer; the API itself has 29."""

_TRANSIENT = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "internal_error", "fatal_error", "request_timeout"}
)
"""Codes after which the same call may succeed."""


class SlackUserGroups:
    """See the module. The token is asked for when a group is first looked up: most votes need none."""

    def __init__(self, token: Callable[[], str], api_url: str) -> None:
        self._token = token
        self._url = urlsplit(f"{api_url.rstrip('/')}/{METHOD}")

    def members(self, group: str) -> frozenset[str]:
        """See ``UserGroups``."""
        try:
            token = self._token()
        except OrchestratorError as error:
            raise ChatUnavailable(f"the Slack secret cannot be read ({type(error).__name__})") from None
        if not token:
            raise ChatRefused("not_set_up")
        answer = self._asked(urlencode({"usergroup": group}), token)
        users = answer.get("users")
        if answer.get("ok") is not True or not isinstance(users, list):
            code = str(answer.get("error") or "unreadable answer")
            if code in _TRANSIENT:
                raise ChatUnavailable(f"Slack answered {code}")
            raise ChatRefused(code)
        return frozenset(user for user in users if isinstance(user, str) and user)

    def _asked(self, form: str, token: str) -> dict[str, Any]:
        import http.client  # with TLS and e-mail's parsers, which no start of a function should wait for

        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=TIMEOUT_SECONDS)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        try:
            connection.request("POST", self._url.path, form.encode(), headers)
            response = connection.getresponse()
            status, raw = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ChatUnavailable(f"Slack was not reached ({type(error).__name__})") from None
        finally:
            connection.close()
        if status == 429 or status >= 500:
            raise ChatUnavailable("Slack asks for a slower pace" if status == 429 else f"Slack answered {status}")
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = {}
        return answer if isinstance(answer, dict) else {}
