"""What people do with blocks, told to the app: clicks in messages and views, submitted and closed dialogs."""

from __future__ import annotations

import json
import threading

from local.slack.acting import NO_ANSWER, TROUBLE, Acting, Result
from local.slack.checks import check_view, elements_of
from local.slack.front import Answer
from local.slack.people import Person
from local.slack.schema import Json
from local.slack.values import answer_of, answered, in_full, initial_values, refusals
from local.slack.views import View
from local.slack.workspace import SlackError


class NoSuchElement(LookupError):
    """There is nothing to click: the message or view has no such element, or several."""


class Interactions(Acting):
    """Builds the payloads, sends them, and does with the answers what Slack does."""

    # -- clicks --------------------------------------------------------------------------------------------------

    def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: object = None,
        values: Json | None = None,
        *,
        block_id: str | None = None,
        stale: bool = False,
    ) -> Result:
        """Use an element of a message. `value` picks among equal buttons, or is the answer to a select.

        `values` are the other answers standing in the message. `stale` clicks an element of an earlier version of the
        message, as somebody does whose screen lags behind."""
        person = self._actor(user)
        conversation = self._entered(person, channel)
        message = self._workspace.find(channel, ts, user)
        blocks = [*message.blocks, *(b for a in message.attachments for b in a["blocks"])]
        if stale:
            blocks = [block for version in (blocks, *reversed(message.past)) for block in version]
        block, element = self._element(blocks, action_id, value, block_id)
        ephemeral = message.ephemeral_to is not None
        payload = self._payload("block_actions", person, None)
        payload["container"] = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel,
            "is_ephemeral": ephemeral,
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        }
        payload["channel"] = {"id": channel, "name": conversation.name}
        if not ephemeral:
            payload["message"] = self._workspace.slack_message(message)
        current = blocks if stale else message.blocks
        payload["state"] = {"values": answered(current, initial_values(current), values or {})}
        ticket = self._views.new_response_url(user, channel, message.ts, message.thread_ts)
        payload["response_url"] = f"{self._base_url}/response/{ticket}"
        payload["actions"] = [self._action(block, element, value)]
        return self._acted(payload)

    def act_in_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        value: object = None,
        values: Json | None = None,
        block_id: str | None = None,
    ) -> Result:
        """Use an element of a modal or of the Home tab; `values` is what the form holds."""
        person = self._actor(user)
        view = self._own_view(person, view_id)
        block, element = self._element(view.blocks, action_id, value, block_id)
        view.values = answered(view.blocks, view.values, values or {})
        if action_id in view.values.get(block["block_id"], {}):
            view.values[block["block_id"]][action_id] = answer_of(element, value)
        payload = self._payload("block_actions", person, view)
        payload["container"] = {"type": "view", "view_id": view.id}
        payload["view"] = self._views.view_json(view)
        payload["actions"] = [self._action(block, element, value)]
        return self._acted(payload)

    def _acted(self, payload: Json) -> Result:
        if self._faults.spend("lost_clicks"):
            return Result(False, NO_ANSWER)
        with self._faults.turn(lambda: self._log.add("to_app", "held", ok=True)):
            if self._faults.now.duplicate_clicks:
                threading.Thread(target=self._send, args=(payload,), daemon=True).start()
            answer = self._send(payload)
        return Result(answer.ok, "" if answer.ok else NO_ANSWER, {}, answer.status, answer.seconds)

    # -- dialogs -------------------------------------------------------------------------------------------------

    def submit(self, user: str, view_id: str, values: Json) -> Result:
        """Submit a modal with raw answers {block_id: {action_id: raw}}, or {block_id: raw}."""
        person = self._actor(user)
        view = self._own_view(person, view_id)
        if self._views.stack(user)[-1:] != [view]:
            raise SlackError("not_found")
        view.values = answered(view.blocks, view.values, in_full(view.blocks, values))
        missing = refusals(view.blocks, view.values)
        if missing:
            return Result(False, errors=missing)
        payload = self._payload("view_submission", person, view)
        payload["view"] = self._views.view_json(view)
        payload["response_urls"] = []
        answer = self._send(payload)
        result = Result(answer.ok, "" if answer.ok else TROUBLE, {}, answer.status, answer.seconds)
        return self._after_submit(view, answer, result) if answer.ok else result

    def _after_submit(self, view: View, answer: Answer, result: Result) -> Result:
        """Do what the app's answer to a submission says: nothing, errors, update, push or clear."""
        trouble = Result(False, TROUBLE, {}, answer.status, answer.seconds)
        try:
            wanted = json.loads(answer.body) if answer.body.strip() else {}
        except ValueError:
            return trouble
        action = wanted.get("response_action") if isinstance(wanted, dict) else None
        if action == "errors":
            known = {block["block_id"] for block in view.blocks if block["type"] == "input"}
            errors = wanted.get("errors")
            if not isinstance(errors, dict) or not errors or not set(errors) <= known:
                return trouble
            return Result(False, "", {k: str(v) for k, v in errors.items()}, answer.status, answer.seconds)
        if action in ("update", "push"):
            problems = check_view(wanted.get("view"), "modal")
            if problems:
                self._log.add("to_app", f"response_action {action}", ok=False, problems=[str(p) for p in problems])
                return trouble
            if action == "update":
                self._views.update(wanted["view"], view.id, None, None)
            else:
                self._views.push_on(view.user, wanted["view"])
        elif action == "clear":
            self._views.close(view.user)
        elif action is None and view in self._views.stack(view.user):
            self._views.close(view.user, view.id)
        elif action is not None:
            return trouble
        return result

    def close(self, user: str, view_id: str) -> Result:
        """Close a modal, and those under it where it is clear_on_close. Tells the app if a view asked for it."""
        person = self._actor(user)
        view = self._own_view(person, view_id)
        cleared = bool(view.payload.get("clear_on_close"))
        for closed in self._views.close(user, None if cleared else view.id):
            if closed.payload.get("notify_on_close"):
                payload = self._payload("view_closed", person, None)
                payload.pop("trigger_id")
                payload |= {"view": self._views.view_json(closed), "is_cleared": cleared}
                threading.Thread(target=self._send, args=(payload,), daemon=True).start()
        return Result(True)

    # -- inside --------------------------------------------------------------------------------------------------

    def _own_view(self, person: Person, view_id: str) -> View:
        view = self._views.get(view_id)
        if view.user != person.id:
            raise SlackError("not_found")
        return view

    def _element(self, blocks: list[Json], action_id: str, value: object, block_id: str | None) -> tuple[Json, Json]:
        """The element to use. Among several buttons of one action_id, `value` or `block_id` must pick one."""
        found = [
            (block, element)
            for block in blocks
            for element in elements_of(block)
            if element["action_id"] == action_id and block_id in (None, block["block_id"])
        ]
        if value is not None:
            found = [(b, e) for b, e in found if e["type"] != "button" or e.get("value") == value]
        if not found:
            there = sorted({e["action_id"] for b in blocks for e in elements_of(b)})
            raise NoSuchElement(f"nothing to click with action_id {action_id} and value {value}; there are {there}")
        if len({json.dumps(element, sort_keys=True) for _, element in found}) > 1:
            raise NoSuchElement(f"{len(found)} elements have action_id {action_id}; give a value or a block_id")
        return found[0]

    def _action(self, block: Json, element: Json, value: object) -> Json:
        given: Json = {key: element[key] for key in ("style", "placeholder", "initial_option") if key in element}
        return {
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            **given,
            **answer_of(element, value),
            "action_ts": self._workspace.stamp(),
        }
