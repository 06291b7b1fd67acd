"""The Web API: finds the method, lets in whom Slack lets in, answers in Slack's form.

The methods stand in `methods_chat`, `methods_files`, `methods_views` and `methods_people`; `METHODS` below is the whole
list.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from local.slack import methods_chat, methods_files, methods_people, methods_views, scopes
from local.slack.arguments import Arguments
from local.slack.faults import FaultBox, RequestLog
from local.slack.method import Api
from local.slack.schema import Json
from local.slack.workspace import SlackError

METHODS: Final[Mapping[str, Callable[[Api, Arguments], Json]]] = {
    "auth.test": methods_people.auth_test,
    "chat.postMessage": methods_chat.post_message,
    "chat.postEphemeral": methods_chat.post_ephemeral,
    "chat.update": methods_chat.update,
    "chat.delete": methods_chat.delete,
    "chat.getPermalink": methods_chat.get_permalink,
    "conversations.history": methods_chat.history,
    "conversations.replies": methods_chat.replies,
    "files.completeUploadExternal": methods_files.complete_upload,
    "files.getUploadURLExternal": methods_files.get_upload_url,
    "reactions.add": methods_chat.add_reaction,
    "conversations.open": methods_people.conversations_open,
    "conversations.info": methods_people.conversations_info,
    "conversations.members": methods_people.conversations_members,
    "conversations.list": methods_people.conversations_list,
    "users.conversations": methods_people.users_conversations,
    "users.info": methods_people.users_info,
    "users.list": methods_people.users_list,
    "users.lookupByEmail": methods_people.users_lookup_by_email,
    "usergroups.list": methods_people.usergroups_list,
    "usergroups.users.list": methods_people.usergroups_users_list,
    "views.open": methods_views.views_open,
    "views.push": methods_views.views_push,
    "views.update": methods_views.views_update,
    "views.publish": methods_views.views_publish,
}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: status, JSON body, extra headers."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


class WebApi:
    """Answers POST /api/<method>."""

    def __init__(self, api: Api, bot_token: str, faults: FaultBox, log: RequestLog) -> None:
        self._api = api
        self._bot_token = bot_token
        self._faults = faults
        self._log = log

    def call(self, name: str, body: bytes, content_type: str, query: str, authorization: str) -> Reply:
        """One call. The token is never logged."""
        shown: Json = {}
        try:
            arguments = Arguments.read(body, content_type, query)
            shown = arguments.shown()
            reply = self._answer(name, arguments, authorization)
        except SlackError as error:
            reply = Reply(200, refusal(error))
        self._log.add(
            "web_api", name, status=reply.status, ok=reply.body["ok"], error=reply.body.get("error"), arguments=shown
        )
        return reply

    def _answer(self, name: str, arguments: Arguments, authorization: str) -> Reply:
        faults = self._faults.now
        if faults.outage:
            return Reply(503, {"ok": False, "error": "service_unavailable"})
        if self._faults.spend("rate_limit"):
            return Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(faults.retry_after)})
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method")
        scheme, _, token = authorization.partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else str(arguments.given.get("token") or "")
        if not token:
            raise SlackError("not_authed")
        if not hmac.compare_digest(token.encode(), self._bot_token.encode()):
            raise SlackError("invalid_auth")
        told = {
            "X-OAuth-Scopes": ",".join(self._api.scopes),
            "X-Accepted-OAuth-Scopes": ",".join(scopes.accepted(name)),
        }
        try:
            with self._api.workspace.changed:
                scopes.check(name, arguments, self._api.workspace, self._api.scopes)
                return Reply(200, {"ok": True, **method(self._api, arguments)}, told)
        except SlackError as error:
            return Reply(200, refusal(error), told)


def refusal(error: SlackError) -> Json:
    """A refusal in Slack's form; sentences stand in `errors` and `response_metadata`, as Slack has them."""
    body: Json = {"ok": False, "error": error.code}
    if isinstance(error, scopes.MissingScope):
        body |= error.facts
    if error.sentences:
        body["errors"] = [sentence.removeprefix("[ERROR] ") for sentence in error.sentences]
        body["response_metadata"] = {"messages": [f"[ERROR] {sentence}" for sentence in body["errors"]]}
    return body
