"""views.open, views.push, views.update, views.publish."""

from __future__ import annotations

import json

from local.slack import limits
from local.slack.arguments import Arguments
from local.slack.checks import check_view
from local.slack.method import Api, refuse
from local.slack.schema import Json
from local.slack.workspace import SlackError


def _view(arguments: Arguments, kind: str) -> Json:
    """The checked view of a call. Slack says invalid_arguments where a message would get invalid_blocks."""
    view = arguments.json("view")
    if view is None:
        raise SlackError("invalid_arguments", "missing required field: view")
    if len(json.dumps(view)) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    refuse(check_view(view, kind), "invalid_arguments")
    checked: Json = view
    return checked


def views_open(api: Api, arguments: Arguments) -> Json:
    view = _view(arguments, "modal")
    return {"view": api.views.view_json(api.views.open(arguments.text("trigger_id"), view))}


def views_push(api: Api, arguments: Arguments) -> Json:
    view = _view(arguments, "modal")
    return {"view": api.views.view_json(api.views.push(arguments.text("trigger_id"), view))}


def views_update(api: Api, arguments: Arguments) -> Json:
    view_id, external_id = arguments.optional("view_id"), arguments.optional("external_id")
    if not view_id and not external_id:
        raise SlackError("invalid_arguments", "view_id or external_id is needed")
    given = arguments.json("view")
    kind = given.get("type") if isinstance(given, dict) else None
    view = _view(arguments, "home" if kind == "home" else "modal")
    updated = api.views.update(view, view_id, external_id, arguments.optional("hash"))
    return {"view": api.views.view_json(updated)}


def views_publish(api: Api, arguments: Arguments) -> Json:
    view = _view(arguments, "home")
    published = api.views.publish(arguments.text("user_id"), view, arguments.optional("hash"))
    return {"view": api.views.view_json(published)}
