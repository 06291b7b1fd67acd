"""What every interaction has in common: who acts, where, the signed request and what the person sees of it.

Payload shapes: docs.slack.dev/reference/interaction-payloads. The verification token, deprecated there, is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from local.slack.faults import FaultBox, RequestLog
from local.slack.front import Answer, Front
from local.slack.people import Person
from local.slack.schema import Json
from local.slack.views import View, Views
from local.slack.workspace import SLACKBOT, Conversation, SlackError, Workspace

FORM: Final = "application/x-www-form-urlencoded"
NO_ANSWER: Final = "This app did not respond."
TROUBLE: Final = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class Result:
    """What the person sees of an interaction. `errors` are sentences at the fields of a dialog, by block_id."""

    ok: bool
    error: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    seconds: float = 0.0

    def to_json(self) -> Json:
        return {
            "ok": self.ok,
            "error": self.error,
            "errors": self.errors,
            "status": self.status,
            "seconds": round(self.seconds, 3),
        }


class Acting:
    """The parts that `Interactions` and `Commands` are made of."""

    def __init__(
        self, workspace: Workspace, views: Views, front: Front, faults: FaultBox, log: RequestLog, base_url: str
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._front = front
        self._faults = faults
        self._log = log
        self._base_url = base_url

    def _actor(self, user: str) -> Person:
        person = self._workspace.person(user)
        if not person.may_act:
            raise SlackError("user_disabled")
        return person

    def _entered(self, person: Person, channel: str) -> Conversation:
        conversation = self._workspace.conversation(channel)
        if person.id not in conversation.members:
            raise SlackError("channel_not_found")
        return conversation

    def _trigger(self, user: str, view: View | None) -> str:
        trigger = self._views.new_trigger(user, view.id if view else None)
        if self._faults.now.expired_triggers:
            self._views.expire_triggers()
        return trigger

    def _payload(self, kind: str, person: Person, view: View | None) -> Json:
        spec = self._workspace.spec
        team = person.team_id or spec.team_id
        return {
            "type": kind,
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": team},
            "api_app_id": spec.app_id,
            "team": {"id": spec.team_id, "domain": spec.domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self._trigger(person.id, view),
        }

    def _send(self, payload: Json) -> Answer:
        return self._post(payload["type"], urlencode({"payload": json.dumps(payload)}), FORM, payload)

    def _post(
        self, what: str, body: str, content_type: str, shown: Json, headers: dict[str, str] | None = None
    ) -> Answer:
        answer = self._front.deliver(body, content_type, headers, self._faults.now.slow_front)
        self._log.add(
            "to_app",
            what,
            ok=answer.ok,
            status=answer.status,
            error=answer.error,
            seconds=round(answer.seconds, 3),
            payload=shown,
        )
        return answer

    def _told(self, user: str, channel: str, text: str, answer: Answer | None = None) -> Result:
        """Slack itself tells the person something, visible to them alone."""
        self._workspace.post(channel, SLACKBOT.id, text, ephemeral_to=user)
        return Result(False, text, {}, answer.status if answer else None, answer.seconds if answer else 0.0)
