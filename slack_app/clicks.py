"""What was clicked, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core.messages.buttons import question
from orchestrator.core.messages.dialogs import Place, dialog_id
from slack_app.front.answering import text


def clicked(body: Mapping[str, Any]) -> Place | None:
    """The question of a clicked button and the message it stands in; None for a button that is not ours."""
    asked = question(_action(body).get("value"))
    return Place(asked, text(body, "channel", "id"), text(body, "container", "message_ts")) if asked else None


def opened_dialog(body: Mapping[str, Any]) -> str:
    """external_id of the dialog that the front opened for this click."""
    return dialog_id(text(body, "user", "id"), text(_action(body), "action_ts"))


def _action(body: Mapping[str, Any]) -> Mapping[str, Any]:
    actions = body.get("actions")
    return actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
