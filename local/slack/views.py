"""Modals and Home tabs, and the short-lived tickets Slack hands out: trigger ids and response URLs."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from local.slack import limits
from local.slack.redraw import redraw
from local.slack.schema import Json
from local.slack.values import initial_values
from local.slack.workspace import SlackError, Workspace


@dataclass
class View:
    """One modal or Home tab as its user sees it. `values` is what has been filled in, in Slack's state.values form."""

    id: str
    user: str
    payload: Json
    hash: str
    root: str
    previous: str | None = None
    values: Json = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        found: list[Json] = self.payload["blocks"]
        return found


@dataclass
class Trigger:
    """A trigger id: whose it is, when it was issued, whether it was used, the modal it came from."""

    user: str
    issued: float
    view: str | None
    used: bool = False


@dataclass
class ResponseUrl:
    """A response_url: where it posts, which message it may replace, how often it was used."""

    user: str
    channel: str
    issued: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class Views:
    """All open views of a workspace and its tickets. Every method takes the workspace's lock."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._views: dict[str, View] = {}
        self._stacks: dict[str, list[str]] = {}
        self._homes: dict[str, View] = {}
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}

    # -- tickets -------------------------------------------------------------------------------------------------

    def new_trigger(self, user: str, view: str | None = None) -> str:
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        with self._workspace.changed:
            self._triggers[trigger] = Trigger(user, self._workspace.now(), view)
        return trigger

    def expire_triggers(self) -> None:
        with self._workspace.changed:
            for trigger in self._triggers.values():
                trigger.issued = 0.0

    def _exchange(self, trigger_id: object) -> Trigger:
        found = self._triggers.get(str(trigger_id))
        if found is None:
            raise SlackError("invalid_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        if self._workspace.now() - found.issued > limits.TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        return found

    def new_response_url(
        self, user: str, channel: str, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """The secret last part of a response_url."""
        ticket = secrets.token_urlsafe(24)
        with self._workspace.changed:
            self._response_urls[ticket] = ResponseUrl(user, channel, self._workspace.now(), message_ts, thread_ts)
        return ticket

    def use_response_url(self, ticket: str) -> ResponseUrl:
        with self._workspace.changed:
            found = self._response_urls.get(ticket)
            if found is None or self._workspace.now() - found.issued > limits.RESPONSE_URL_SECONDS:
                raise SlackError("expired_url")
            if found.uses >= limits.RESPONSE_URL_USES:
                raise SlackError("used_url")
            found.uses += 1
            return found

    # -- modals --------------------------------------------------------------------------------------------------

    def get(self, view_id: str) -> View:
        """A modal that is open, or a Home tab."""
        found = self._views.get(view_id)
        if found is None:
            raise SlackError("not_found")
        return found

    def stack(self, user: str) -> list[View]:
        """The user's open modals, the one in front last."""
        with self._workspace.changed:
            return [self._views[view_id] for view_id in self._stacks.get(user, [])]

    def open(self, trigger_id: object, payload: Json) -> View:
        with self._workspace.changed:
            trigger = self._exchange(trigger_id)
            self._external_id_is_free(payload)
            trigger.used = True
            self._drop(self._stacks.get(trigger.user, []))
            view = self._new(trigger.user, payload)
            self._stacks[trigger.user] = [view.id]
            return self._shown(view)

    def push(self, trigger_id: object, payload: Json) -> View:
        with self._workspace.changed:
            trigger = self._exchange(trigger_id)
            if trigger.view is None or trigger.view not in self._stacks.get(trigger.user, []):
                raise SlackError("not_found")
            self._external_id_is_free(payload)
            trigger.used = True
            return self.push_on(trigger.user, payload)

    def push_on(self, user: str, payload: Json) -> View:
        """Put a modal over the one in front; at most three."""
        with self._workspace.changed:
            stack = self._stacks.get(user, [])
            if len(stack) >= limits.VIEW_STACK:
                raise SlackError("push_limit_reached")
            below = self._views[stack[-1]]
            view = self._new(user, payload, root=below.root, previous=below.id)
            stack.append(view.id)
            return self._shown(view)

    def update(self, payload: Json, view_id: str | None, external_id: str | None, view_hash: str | None) -> View:
        with self._workspace.changed:
            if view_id is None and external_id:
                by_name = (v.id for v in self._views.values() if v.payload.get("external_id") == external_id)
                view_id = next(by_name, None)
            view = self.get(view_id or "")
            if view_hash and view_hash != view.hash:
                raise SlackError("hash_conflict")
            self._fill(view, payload)
            return self._shown(view)

    def publish(self, user: str, payload: Json, view_hash: str | None) -> View:
        with self._workspace.changed:
            self._workspace.person(user)
            view = self._homes.get(user)
            if view and view_hash and view_hash != view.hash:
                raise SlackError("hash_conflict")
            if view is None:
                view = self._homes[user] = self._new(user, payload)
            else:
                self._fill(view, payload)
            return self._shown(view)

    def close(self, user: str, view_id: str | None = None) -> list[View]:
        """Close the modal in front if it is `view_id`, or all; answers those closed, front first."""
        with self._workspace.changed:
            stack = self._stacks.get(user, [])
            if view_id is not None and (not stack or stack[-1] != view_id):
                raise SlackError("not_found")
            gone = [stack[-1]] if view_id else list(reversed(stack))
            closed = [self._views[each] for each in gone]
            self._stacks[user] = [each for each in stack if each not in gone]
            self._drop(gone)
            self._announce(user)
            return closed

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    # -- shapes --------------------------------------------------------------------------------------------------

    def view_json(self, view: View) -> Json:
        """The view as Slack's Web API and payloads show it."""
        spec = self._workspace.spec
        return {
            "id": view.id,
            "team_id": spec.team_id,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": {"type": "plain_text", "text": "View Title", "emoji": True},
            "submit": None,
            "close": None,
            "clear_on_close": False,
            "notify_on_close": False,
            **view.payload,
            "state": {"values": view.values},
            "hash": view.hash,
            "previous_view_id": view.previous,
            "root_view_id": view.root,
            "app_id": spec.app_id,
            "app_installed_team_id": spec.team_id,
            "bot_id": spec.bot_id,
        }

    def snapshot(self, user: str) -> Json:
        """What the page needs of a user's views."""
        home = self.home(user)
        return {
            "views": [self.view_json(view) for view in self.stack(user)],
            "home": self.view_json(home) if home else None,
        }

    # -- inside --------------------------------------------------------------------------------------------------

    def _new(self, user: str, payload: Json, root: str | None = None, previous: str | None = None) -> View:
        view_id = self._workspace.new_id("V", 10)
        view = View(view_id, user, {}, "", root or view_id, previous)
        self._views[view_id] = view
        self._fill(view, payload)
        return view

    def _fill(self, view: View, payload: Json) -> None:
        """Give a view its content. Typed text stays where block_id, action_id and type are the same, as in Slack."""
        drawn = {**payload, "blocks": redraw(payload["blocks"], self._workspace.new_id)}
        before, view.values = view.values, initial_values(drawn["blocks"])
        for block_id, answers in view.values.items():
            for action_id, answer in answers.items():
                kept = before.get(block_id, {}).get(action_id)
                if kept and kept["type"] == answer["type"]:
                    answers[action_id] = kept
        view.payload = drawn
        digest = hashlib.sha256(secrets.token_bytes(8)).hexdigest()[:8]
        view.hash = f"{int(self._workspace.now())}.{digest}"

    def _external_id_is_free(self, payload: Json) -> None:
        name = payload.get("external_id")
        if name and any(view.payload.get("external_id") == name for view in self._views.values()):
            raise SlackError("duplicate_external_id")

    def _drop(self, view_ids: list[str]) -> None:
        for view_id in view_ids:
            self._views.pop(view_id, None)

    def _shown(self, view: View) -> View:
        self._announce(view.user)
        return view

    def _announce(self, user: str) -> None:
        self._workspace.emit("views", self.snapshot(user), user=user)
