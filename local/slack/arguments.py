"""Arguments of a Web API call, as slack_sdk sends them: a form with JSON in its strings, or a JSON body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from local.slack.schema import Json
from local.slack.workspace import SlackError


@dataclass(frozen=True)
class Arguments:
    """One call's arguments; each reader refuses what Slack would refuse."""

    given: Json

    @staticmethod
    def read(body: bytes, content_type: str, query: str = "") -> Arguments:
        """Decode a request. Raises SlackError invalid_json or invalid_form_data."""
        found: Json = dict(parse_qsl(query, keep_blank_values=True))
        if content_type.startswith("application/json"):
            try:
                decoded = json.loads(body or b"{}")
            except ValueError as error:
                raise SlackError("invalid_json") from error
            if not isinstance(decoded, dict):
                raise SlackError("json_not_object")
            return Arguments({**found, **decoded})
        try:
            return Arguments({**found, **dict(parse_qsl(body.decode(), keep_blank_values=True))})
        except UnicodeDecodeError as error:
            raise SlackError("invalid_form_data") from error

    def text(self, name: str) -> str:
        """A required text."""
        value = self.optional(name)
        if not value:
            raise SlackError("invalid_arguments", f"[ERROR] missing required field: {name}")
        return value

    def optional(self, name: str) -> str | None:
        """A text that may be left out; numbers, as thread_ts sometimes is, become text."""
        value = self.given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise SlackError("invalid_arguments", f"[ERROR] must be a string [json-pointer:/{name}]")
        return str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int) -> int:
        value = self.given.get(name) or default
        try:
            return max(1, min(int(value), most))
        except (TypeError, ValueError) as error:
            raise SlackError("invalid_limit") from error

    def json(self, name: str, error_code: str = "invalid_arguments") -> Any:
        """A structure, given as such or as a JSON string; None when left out."""
        value = self.given.get(name)
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                return json.loads(value)
            except ValueError as error:
                raise SlackError(error_code, f"[ERROR] invalid JSON [json-pointer:/{name}]") from error
        return value

    def shown(self) -> Json:
        """The arguments as the log may keep them: without the token."""
        return {name: value for name, value in self.given.items() if name != "token"}
