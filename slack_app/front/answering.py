"""From a signed body to an answer: what is done at once, and what goes to the worker.

Bad input never makes a 5xx: a request that Slack did not sign is 401, a signed one that cannot be read is 400, and
whatever is signed but not ours to handle is 200 and forgotten. Only a queue that cannot be reached is 503, because then
the person must know that the click was lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from orchestrator.core.messages.buttons import APPROVE, WITHDRAW, Question, question
from orchestrator.core.messages.dialogs import (
    OF_BUTTONS,
    OF_VIEWS,
    REASON,
    Dialog,
    Place,
    dialog_id,
    loading_view,
    place,
    text_problem,
)
from orchestrator.core.messages.release_form import (
    RELEASE_VIEW,
    WORKLOAD,
    filled_in,
    form_id,
    form_problems,
    loading_form,
    starting_form,
)
from orchestrator.core.messages.rollback_dialog import (
    ROLL_BACK,
    ROLLBACK_VIEW,
    loading_rollback,
    release_in,
    rollback_id,
    shown_in,
    starting_rollback,
)
from slack_app.front.calls import CallFailed
from slack_app.front.replay import Replay, command_body, event_body, interaction_body
from slack_app.front.secrets import Known
from slack_app.front.signature import is_signed

PATH = "/slack/events"
"""The one URL for events, interactivity and commands."""

COMMAND = "/mlops"

HOME_OPENED = "app_home_opened"
"""The one event that Slack is asked for."""

RELEASE = "release"
"""``/mlops release`` and nothing more opens the form."""

ROLLBACK = "rollback"
"""``/mlops rollback WORKLOAD [RELEASE]`` opens a dialog."""

MAX_BODY = 1_048_576
"""Bytes of a signed body that are read; Slack's largest is a message of fifty blocks, some 200 KB encoded."""

MAX_FIELDS = 60
"""Fields of a form: Slack sends some fifteen."""


class Secrets(Protocol):
    """See ``secrets.SlackSecrets``."""

    def known(self) -> Known:
        """What is known."""
        ...

    def renewed(self) -> Known | None:
        """The secret read again, or None when it is fresh."""
        ...


@dataclass(frozen=True)
class Answer:
    """Status, JSON body (empty: no body) and what the log says about it."""

    status: int
    outcome: str
    body: Mapping[str, Any] | None = None


NO_TOKEN = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})
"""Slack's codes for a bot token that does not do (reference/methods/views.open, "Errors")."""


@dataclass(frozen=True)
class Front:
    """The front's collaborators."""

    secrets: Secrets
    send: Callable[[Replay], None]
    """Put a request on the queue; raises ``CallFailed``."""
    open_view: Callable[[str, str, Mapping[str, Any]], None]
    """Bot token, trigger id, view; raises ``CallFailed``."""
    now: Callable[[], float]
    """Epoch seconds."""


def answer(headers: Mapping[str, str], body: bytes, front: Front) -> Answer:
    """Answer one request; header names in lower case."""
    try:
        known = _verified(headers, body, front)
        if known is None:
            return Answer(401, "not signed")
        return answer_verified(headers, body, known, front)
    except CallFailed as error:
        return Answer(503, f"lost: {error.code}")
    except (ValueError, RecursionError):
        # JSON or text that cannot be decoded, too many fields, numbers with thousands of digits, endless nesting.
        return Answer(400, "malformed")


def _verified(headers: Mapping[str, str], body: bytes, front: Front) -> Known | None:
    known = front.secrets.known()
    if is_signed(headers, body, known.signing_secrets, front.now()):
        return known
    renewed = front.secrets.renewed()
    if renewed is not None and is_signed(headers, body, renewed.signing_secrets, front.now()):
        return renewed
    return None


def answer_verified(headers: Mapping[str, str], body: bytes, known: Known, front: Front) -> Answer:
    """Answer a request that certainly is Slack's; raises what ``answer`` turns into answers."""
    if len(body) > MAX_BODY:
        return Answer(400, "too large")
    if headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        return _event(_object(json.loads(body)), front)
    pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    form = dict(pairs)
    if "payload" in form:
        return _interaction(_object(json.loads(form["payload"])), known, front)
    if form.get("ssl_check") == "1":
        return Answer(200, "ssl_check")
    if form.get("command") == COMMAND:
        return _command(form, known, front)
    return Answer(200, "ignored")


def _object(parsed: object) -> Mapping[str, Any]:
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return parsed


def _event(event: Mapping[str, Any], front: Front) -> Answer:
    if event.get("type") == "url_verification" and isinstance(event.get("challenge"), str):
        return Answer(200, "url_verification", {"challenge": event["challenge"]})
    user = text(event, "event", "user")
    if text(event, "event", "type") == HOME_OPENED and text(event, "event", "tab") == "home" and _is_id(user):
        # Slack repeats an event under the same id.
        front.send(Replay(event_body(event), _own_group(user), _digest("event", text(event, "event_id"))))
        return Answer(200, "home")
    return Answer(200, "ignored")


def _interaction(payload: Mapping[str, Any], known: Known, front: Front) -> Answer:
    match payload.get("type"):
        case "block_actions" if text(payload, "view", "callback_id") == RELEASE_VIEW:
            return _choice(payload, front)
        case "block_actions" if _first_action(payload).get("action_id") == ROLL_BACK:
            return _way_back(payload, known, front)
        case "block_actions":
            return _click(payload, known, front)
        case "view_submission" if text(payload, "view", "callback_id") == ROLLBACK_VIEW:
            return _rollback(payload, front)
        case "view_submission" if text(payload, "view", "callback_id") == RELEASE_VIEW:
            return _wish(payload, front)
        case "view_submission" if text(payload, "view", "callback_id") in OF_VIEWS:
            return _submission(payload, OF_VIEWS[text(payload, "view", "callback_id")], front)
        case _:
            return Answer(200, "ignored")


def _click(payload: Mapping[str, Any], known: Known, front: Front) -> Answer:
    action = _first_action(payload)
    asked = question(action.get("value"))
    outcome = text(action, "action_id")
    if outcome not in {APPROVE, WITHDRAW, *OF_BUTTONS} or asked is None or not text(payload, "user", "id"):
        return Answer(200, "ignored")
    if outcome in OF_BUTTONS:
        outcome += _open_dialog(OF_BUTTONS[outcome], payload, action, asked, known, front)
    front.send(Replay(interaction_body(payload), asked.approval_id, click_id(payload, action)))
    return Answer(200, outcome)


def _open_dialog(
    dialog: Dialog,
    payload: Mapping[str, Any],
    action: Mapping[str, Any],
    asked: Question,
    known: Known,
    front: Front,
) -> str:
    """Open the dialog while the trigger id lives; when that fails the worker tells the person to click once more."""
    where = Place(asked, text(payload, "channel", "id"), text(payload, "container", "message_ts"))
    view = loading_view(dialog, where, dialog_id(text(payload, "user", "id"), text(action, "action_ts")))
    try:
        _open_view(text(payload, "trigger_id"), view, known, front)
    except CallFailed as error:
        return f", no dialog: {error.code}"
    return ""


def _open_view(trigger_id: str, view: Mapping[str, Any], known: Known, front: Front) -> None:
    """Open a view; a token that Slack takes no more is read anew once, since it may just have been replaced."""
    try:
        front.open_view(known.bot_token, trigger_id, view)
    except CallFailed as error:
        renewed = front.secrets.renewed() if error.code in NO_TOKEN else None
        if renewed is None or renewed.bot_token == known.bot_token:
            raise
        front.open_view(renewed.bot_token, trigger_id, view)


def _submission(payload: Mapping[str, Any], dialog: Dialog, front: Front) -> Answer:
    where = place(text(payload, "view", "private_metadata"))
    if where is None or not text(payload, "user", "id"):
        return Answer(200, "ignored")
    wrong = text_problem(dialog, text(payload, "view", "state", "values", REASON, REASON, "value"))
    if wrong:
        return Answer(200, "reason refused", {"response_action": "errors", "errors": {REASON: wrong}})
    once = _digest("submission", text(payload, "team", "id"), text(payload, "user", "id"), text(payload, "view", "id"))
    front.send(Replay(interaction_body(payload), where.question.approval_id, once))
    # An empty answer closes the dialog; what came of it is told when the worker has counted it.
    return Answer(200, "reason")


def _choice(payload: Mapping[str, Any], front: Front) -> Answer:
    """A workload was chosen in the form: the worker puts the versions of its configuration there."""
    action, user = _first_action(payload), text(payload, "user", "id")
    if action.get("action_id") != WORKLOAD or not _is_id(user):
        return Answer(200, "ignored")
    once = _digest("choice", user, text(payload, "view", "id"), text(action, "action_ts"))
    front.send(Replay(interaction_body(payload), _own_group(user), once))
    return Answer(200, "workload chosen")


def _wish(payload: Mapping[str, Any], front: Front) -> Answer:
    """The form was submitted: it stays open until the worker says in it what came of it."""
    user = text(payload, "user", "id")
    if not _is_id(user):
        return Answer(200, "ignored")
    view = payload["view"]
    problems = form_problems(filled_in(view.get("state")))
    if problems:
        return Answer(200, "form refused", {"response_action": "errors", "errors": problems})
    once = _digest("wish", text(payload, "team", "id"), user, text(view, "id"), text(view, "hash"))
    front.send(Replay(interaction_body(payload), _own_group(user), once))
    starting = starting_form(text(view, "private_metadata"), text(view, "external_id"))
    return Answer(200, "form", {"response_action": "update", "view": starting})


def _way_back(payload: Mapping[str, Any], known: Known, front: Front) -> Answer:
    """Open the dialog of a rollback; the worker finds out what it would go back to."""
    action, user = _first_action(payload), text(payload, "user", "id")
    if not _is_id(user) or not release_in(action.get("value")):
        return Answer(200, "ignored")
    view = loading_rollback(text(payload, "channel", "id"), rollback_id(user, text(action, "action_ts")))
    outcome = f"{ROLL_BACK}{_opened(text(payload, 'trigger_id'), view, known, front)}"
    front.send(Replay(interaction_body(payload), _own_group(user), click_id(payload, action)))
    return Answer(200, outcome)


def _rollback(payload: Mapping[str, Any], front: Front) -> Answer:
    """The dialog was submitted: it stays open until the worker says in it what came of it."""
    user, view = text(payload, "user", "id"), payload["view"]
    shown = shown_in(text(view, "private_metadata"))
    if not _is_id(user) or shown is None or not shown.to:
        return Answer(200, "ignored")
    once = _digest("rollback", text(payload, "team", "id"), user, text(view, "id"))
    front.send(Replay(interaction_body(payload), _own_group(user), once))
    starting = starting_rollback(shown, text(view, "external_id"))
    return Answer(200, "rollback", {"response_action": "update", "view": starting})


def _opened(trigger_id: str, view: Mapping[str, Any], known: Known, front: Front) -> str:
    """Open a view; for the log, why it could not be: then the worker finds none to fill, and says so."""
    try:
        _open_view(trigger_id, view, known, front)
    except CallFailed as error:
        return f", no dialog: {error.code}"
    return ""


def _command(form: Mapping[str, str], known: Known, front: Front) -> Answer:
    user = form.get("user_id", "")
    if not _is_id(user):
        return Answer(200, "ignored")
    outcome = "command"
    if form.get("text", "").split() == [RELEASE]:
        view = loading_form(form.get("channel_id", ""), form_id(user, form.get("trigger_id", "")))
        try:
            _open_view(form.get("trigger_id", ""), view, known, front)
        except CallFailed as error:
            # The worker finds no form to fill, and says so.
            outcome += f", no form: {error.code}"
    if form.get("text", "").split()[:1] == [ROLLBACK]:
        trigger = form.get("trigger_id", "")
        view = loading_rollback(form.get("channel_id", ""), rollback_id(user, trigger))
        outcome += _opened(trigger, view, known, front)
    once = _digest("command", form.get("team_id", ""), user, form.get("trigger_id", ""), form.get("text", ""))
    front.send(Replay(command_body(form, front.now()), _own_group(user), once))
    return Answer(200, outcome)


def _is_id(user: str) -> bool:
    return user.isalnum() and user.isascii()


def _own_group(user: str) -> str:
    """What one person asks for is worked on in order."""
    return f"command-{user[:64]}"


def _first_action(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    actions = payload.get("actions")
    return actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}


def click_id(payload: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """What makes a click this one, whoever delivers it how often: the queue's deduplication id (SHA-256, hex)."""
    return _digest(
        text(payload, "team", "id"),
        text(payload, "user", "id"),
        text(action, "action_id"),
        text(payload, "container", "message_ts"),
        text(action, "action_ts"),
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def text(payload: Mapping[str, Any], *path: str) -> str:
    """The text at a path of a payload; empty where there is none."""
    found: Any = payload
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
