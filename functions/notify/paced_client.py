"""Slack's client with every call of the Web API in time: the one place that all of its methods go through."""

from __future__ import annotations

from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from orchestrator.core.chat import Pace
from orchestrator.core.errors import ChatPutOff

UNTOLD_SECONDS = 30
"""A 429 without a Retry-After that one can read."""

RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})


class PacedClient(WebClient):
    """Raises ``ChatPutOff`` where Slack may not be called, or has asked for a pause."""

    def __init__(self, token: str, api_url: str, timeout: int, pace: Pace) -> None:
        super().__init__(token=token, base_url=api_url, timeout=timeout, retry_handlers=[])
        self._pace = pace

    def api_call(self, api_method: str, **given: Any) -> SlackResponse:
        """See ``WebClient``."""
        self._pace.before(api_method)
        try:
            return super().api_call(api_method, **given)
        except SlackApiError as error:
            seconds = _pause_wanted(error)
            if seconds is None:
                raise
            self._pace.slower(seconds)
            raise ChatPutOff(seconds) from None


def _pause_wanted(error: SlackApiError) -> int | None:
    """Seconds of a 429; None for any other failure."""
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    if getattr(error.response, "status_code", 200) != 429 and code not in RATE_LIMITED:
        return None
    headers = {str(name).lower(): value for name, value in dict(error.response.headers).items()}
    told = str(headers.get("retry-after") or "")
    return int(told) if told.isascii() and told.isdigit() else UNTOLD_SECONDS
