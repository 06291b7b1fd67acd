"""Slash commands, typed messages, the Events API: what people do besides clicking."""

from __future__ import annotations

import json
import secrets
import threading
from urllib.parse import urlencode

from local.slack.acting import FORM, NO_ANSWER, Acting, Result
from local.slack.checks import check_message_blocks
from local.slack.front import Answer
from local.slack.limits import EVENT_RETRY_DELAYS
from local.slack.redraw import escape_typed
from local.slack.schema import Json
from local.slack.workspace import Message, SlackError, as_list


class Commands(Acting):
    """Commands, messages and Home, told to the app where Slack tells it."""

    def slash(self, user: str, command: str, text: str, channel: str) -> Result:
        """Run a slash command. The answer, if any, becomes a message."""
        person = self._actor(user)
        conversation = self._entered(person, channel)
        if command not in {known.name for known in self._workspace.spec.commands}:
            return self._told(user, channel, f"`{escape_typed(command)}` is not a valid command.")
        spec = self._workspace.spec
        ticket = self._views.new_response_url(user, channel)
        form = {
            "team_id": spec.team_id,
            "team_domain": spec.domain,
            "channel_id": channel,
            "channel_name": conversation.name,
            "user_id": user,
            "user_name": person.name,
            "command": command,
            "text": escape_typed(text),
            "api_app_id": spec.app_id,
            "is_enterprise_install": "false",
            "response_url": f"{self._base_url}/response/{ticket}",
            "trigger_id": self._trigger(user, None),
        }
        answer = self._post(command, urlencode(form), FORM, form)
        if not answer.ok:
            why = "operation_timeout" if answer.timed_out else "dispatch_failed"
            return self._told(user, channel, f'{command} failed with the error "{why}"', answer)
        problem = self._show_answer(answer, user, channel)
        if problem:
            return self._told(user, channel, f'{command} failed with the error "{problem}"', answer)
        return Result(True, "", {}, answer.status, answer.seconds)

    def _show_answer(self, answer: Answer, user: str, channel: str) -> str:
        """Post what the app answered to a command; the error Slack would show, or nothing."""
        body = answer.body.strip()
        try:
            shown = json.loads(body) if body.startswith("{") else {"text": body}
        except ValueError:
            return "invalid_json"
        blocks: list[Json] = as_list(shown.get("blocks"))
        if check_message_blocks(blocks):
            return "invalid_blocks"
        text = str(shown.get("text") or "")
        if text or blocks:
            everybody = shown.get("response_type") == "in_channel"
            bot = self._workspace.spec.bot.id
            self._workspace.post(channel, bot, text, blocks, ephemeral_to=None if everybody else user)
        return ""

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """A person writes plain text; nothing in it is markup but @names and #channels."""
        person = self._actor(user)
        conversation = self._entered(person, channel)
        if conversation.archived or channel in self._faults.now.archived:
            raise SlackError("is_archived")
        return self._workspace.post(channel, user, self._workspace.mentions(escape_typed(text)), thread_ts=thread_ts)

    def open_home(self, user: str, tab: str = "home") -> Result:
        """The user looks at the app's Home (or its messages): app_home_opened, retried as the Events API does."""
        person = self._actor(user)
        channel = self._workspace.direct(user)
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": channel.id,
            "tab": tab,
            "event_ts": self._workspace.stamp(),
        }
        home = self._views.home(user)
        if home and tab == "home":
            event["view"] = self._views.view_json(home)
        return self._event(event)

    def verify_url(self) -> bool:
        """Slack's url_verification, as when a request URL is entered: whether the app answered the challenge."""
        challenge = secrets.token_urlsafe(30)
        body = {"type": "url_verification", "challenge": challenge}
        answer = self._post("url_verification", json.dumps(body), "application/json", body)
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = answer.body.strip()
        return answer.ok and challenge == (said.get("challenge") if isinstance(said, dict) else said)

    def _event(self, event: Json) -> Result:
        spec = self._workspace.spec
        envelope = {
            "team_id": spec.team_id,
            "api_app_id": spec.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.new_id("Ev", 10),
            "event_time": int(self._workspace.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": spec.team_id,
                    "user_id": spec.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        body = json.dumps(envelope)

        def attempt(number: int, reason: str) -> Answer:
            headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason} if number else {}
            answer = self._post(event["type"], body, "application/json", envelope, headers)
            if not answer.ok and number < len(EVENT_RETRY_DELAYS) and self._front.url:
                why = "http_timeout" if answer.timed_out else "http_error"
                retry = threading.Timer(EVENT_RETRY_DELAYS[number], attempt, (number + 1, why))
                retry.daemon = True
                retry.start()
            return answer

        first = attempt(0, "")
        return Result(first.ok, "" if first.ok else NO_ANSWER, {}, first.status, first.seconds)
