"""What the page in the browser asks of the server: files, a snapshot of the workspace, and what its person does."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from local.slack.commands import Commands
from local.slack.faults import FaultBox, RequestLog
from local.slack.front import Front
from local.slack.interactions import Interactions, NoSuchElement
from local.slack.reading import newest_button, words_of
from local.slack.schema import Json
from local.slack.values import NotOffered
from local.slack.views import View, Views
from local.slack.workspace import SlackError, Workspace

MOST_WAIT_SECONDS: Final = 20.0
STATIC: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# No inline script or style, nothing from elsewhere but the pictures that messages name.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_SENTENCES: Final = {
    "not_found": "This dialog is no longer open.",
    "message_not_found": "This message is gone.",
    "channel_not_found": "You are not in this channel.",
    "is_archived": "This channel is archived.",
    "user_disabled": "This person cannot act.",
    "user_not_found": "Nobody has this id.",
    "no_such_subteam": "No user group has this id.",
}


class Page:
    """The endpoints under /_local/. Each takes decoded JSON and answers JSON."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        front: Front,
        faults: FaultBox,
        log: RequestLog,
        interactions: Interactions,
        commands: Commands,
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._front = front
        self._faults = faults
        self._log = log
        self._interactions = interactions
        self._commands = commands
        self._posts: Mapping[str, Callable[[Json], Json]] = {
            "click": self._click,
            "act": self._act,
            "submit": self._submit,
            "close": self._close,
            "slash": self._slash,
            "say": self._say,
            "home": self._home,
            "faults": self._change_faults,
            "usergroup": self._regroup,
            "front": self._point_to,
            "verify": lambda _: {"ok": self._commands.verify_url()},
        }
        self._gets: Mapping[str, Callable[[Mapping[str, str]], Json]] = {
            "state": lambda q: self.state(q.get("as", "")),
            "messages": lambda q: {"messages": self._messages(q.get("channel", ""))},
            "text": lambda q: {"text": "\n".join(words_of(m) for m in self._messages(q.get("channel", "")))},
            "newest-button": lambda q: {
                "button": newest_button(
                    self._messages(q.get("channel", "")), q.get("action_id", ""), q.get("beginning", "")
                )
            },
            "ephemerals": lambda q: {"messages": self._ephemerals(q.get("user", ""))},
            "views": lambda q: self._views.snapshot(q.get("user", "")),
            "form": lambda q: {"view": self._form(q.get("user", ""), float(q.get("seconds", "0")))},
            "log": lambda _: {"log": self._log.rows()},
            "ready": lambda _: {"ok": True, "pid": os.getpid()},
        }

    def get(self, what: str, query: Mapping[str, str]) -> tuple[int, Json]:
        """GET /_local/<what>."""
        if what not in self._gets:
            return 404, {"ok": False, "error": f"no such page: {what}"}
        return self._guarded(lambda: self._gets[what](query))

    def post(self, what: str, body: Json) -> tuple[int, Json]:
        """POST /_local/<what>: what a person does, or a control of the page itself."""
        if what not in self._posts:
            return 404, {"ok": False, "error": f"no such action: {what}"}
        return self._guarded(lambda: self._posts[what](body))

    def _guarded(self, act: Callable[[], Json]) -> tuple[int, Json]:
        try:
            return 200, act()
        except SlackError as error:
            sentence = _SENTENCES.get(error.code, error.code)
            return 409, {"ok": False, "error": sentence, "code": error.code, "errors": {}}
        except (NoSuchElement, NotOffered, ValueError) as error:
            return 422, {"ok": False, "error": str(error), "errors": {}}
        except (KeyError, TypeError, AttributeError) as error:
            return 400, {"ok": False, "error": f"missing or wrong: {error}", "errors": {}}

    # -- what is shown -------------------------------------------------------------------------------------------

    def state(self, user: str) -> Json:
        """Everything the page shows to one person (the first who can act, if none is named)."""
        spec = self._workspace.spec
        actors = [person for person in spec.people if person.may_act]
        if user not in {person.id for person in actors}:
            user = actors[0].id
        with self._workspace.changed:
            home = self._workspace.direct(user)
            return {
                "team": {"id": spec.team_id, "name": spec.name, "domain": spec.domain},
                "me": user,
                "app": {"id": spec.app_id, "user": spec.bot.id, "name": spec.bot.real_name, "dm": home.id},
                "people": [self._person(person_id) for person_id in self._workspace.people],
                "usergroups": [vars(group) for group in self._workspace.usergroups.values()],
                "rooms": {c.id: c.name for c in self._workspace.conversations.values() if not c.private},
                "commands": [vars(command) for command in spec.commands],
                "faults": vars(self._faults.now),
                "scopes": list(spec.scopes),
                **self._workspace.snapshot(user),
                **self._views.snapshot(user),
            }

    def _person(self, user: str) -> Json:
        person = self._workspace.people[user]
        return {
            "id": person.id,
            "name": person.name,
            "real_name": person.real_name,
            "title": person.title,
            "colour": person.colour,
            "initials": person.initials,
            "kind": person.kind,
            "may_act": person.may_act,
        }

    def _messages(self, channel: str) -> list[Json]:
        with self._workspace.changed:
            rows = self._workspace.messages[self._workspace.room(channel).id]
            return [self._workspace.message_json(m) for m in rows if m.ephemeral_to is None]

    def _ephemerals(self, user: str) -> list[Json]:
        with self._workspace.changed:
            rows = [m for channel in self._workspace.messages.values() for m in channel if m.ephemeral_to == user]
            return [self._workspace.message_json(m) for m in sorted(rows, key=lambda m: m.ts)]

    def _form(self, user: str, seconds: float) -> Json | None:
        """The person's modal in front, once it has a submit button; None when none has after `seconds`."""

        def found() -> View | None:
            stack = self._views.stack(user)
            return stack[-1] if stack and stack[-1].payload.get("submit") else None

        with self._workspace.changed:
            self._workspace.changed.wait_for(found, min(seconds, MOST_WAIT_SECONDS))
            view = found()
            return self._views.view_json(view) if view else None

    # -- what a person does --------------------------------------------------------------------------------------

    def _click(self, body: Json) -> Json:
        return self._interactions.click(
            body["as"],
            self._workspace.room(body["channel"]).id,
            body["ts"],
            body["action_id"],
            body.get("value"),
            body.get("values"),
            block_id=body.get("block_id"),
            stale=bool(body.get("stale")),
        ).to_json()

    def _act(self, body: Json) -> Json:
        return self._interactions.act_in_view(
            body["as"], body["view_id"], body["action_id"], body.get("value"), body.get("values"), body.get("block_id")
        ).to_json()

    def _submit(self, body: Json) -> Json:
        return self._interactions.submit(body["as"], body["view_id"], body["values"]).to_json()

    def _close(self, body: Json) -> Json:
        return self._interactions.close(body["as"], body["view_id"]).to_json()

    def _slash(self, body: Json) -> Json:
        return self._commands.slash(
            body["as"], body["command"], body["text"], self._workspace.room(body["channel"]).id
        ).to_json()

    def _say(self, body: Json) -> Json:
        if not str(body["text"]).strip():
            raise ValueError("There is nothing to send.")
        channel = self._workspace.room(body["channel"]).id
        message = self._commands.say(body["as"], channel, str(body["text"]), body.get("thread_ts"))
        return {"ok": True, "ts": message.ts}

    def _home(self, body: Json) -> Json:
        return self._commands.open_home(body["as"], body.get("tab", "home")).to_json()

    # -- controls ------------------------------------------------------------------------------------------------

    def _change_faults(self, body: Json) -> Json:
        wanted = dict(body)
        if isinstance(body.get("archived"), list):
            wanted["archived"] = [self._workspace.room(str(channel)).id for channel in body["archived"]]
        if isinstance(body.get("deactivated"), list):
            wanted["deactivated"] = [self._workspace.person(str(user)).id for user in body["deactivated"]]
        before = set(self._faults.now.archived)
        faults = self._faults.change(wanted)
        for channel in before ^ set(faults.archived):
            self._workspace.archive(channel, channel in faults.archived)
        return {"ok": True, "faults": vars(faults)}

    def _regroup(self, body: Json) -> Json:
        users = body["users"]
        if not isinstance(users, list):
            raise ValueError("users must be a list of user ids")
        return {"ok": True, "usergroup": vars(self._workspace.regroup(str(body["id"]), tuple(map(str, users))))}

    def _point_to(self, body: Json) -> Json:
        self._front.point_to(body["url"])
        return {"ok": True, "url": self._front.url}

    # -- files ---------------------------------------------------------------------------------------------------

    @staticmethod
    def file(name: str) -> tuple[bytes, str] | None:
        """A static file and its type; only what lies in the folder itself."""
        known: dict[str, Path] = {path.name: path for path in STATIC.iterdir() if path.suffix in TYPES}
        path = known.get(name)
        return (path.read_bytes(), TYPES[path.suffix]) if path else None

    def avatar(self, user: str) -> bytes | None:
        """A person's initials on their colour."""
        person: Any = self._workspace.people.get(user)
        if person is None:
            return None
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
            f'<rect width="72" height="72" fill="{html.escape(person.colour)}"/>'
            '<text x="36" y="46" text-anchor="middle" font-family="sans-serif" font-size="28" font-weight="600" '
            f'fill="#fff">{html.escape(person.initials)}</text></svg>'
        ).encode()
