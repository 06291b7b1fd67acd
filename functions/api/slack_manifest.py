"""``GET /slack-manifest``: what to make the Slack app from."""

from __future__ import annotations

from pathlib import Path

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.errors import BadRequest
from orchestrator.core.slack_manifest import filled, for_socket_mode, link, manifest

ROOT = Path(__file__).parents[2]


def show_manifest(call: Call, service: Service) -> Answer:
    """The manifest with this installation's request URL, and the link that creates the app with it."""
    socket_mode = call.query.get("socket_mode", "false")
    if socket_mode not in {"true", "false"}:
        raise BadRequest(f"socket_mode is {socket_mode!r}; it should be 'true' or 'false'")
    text, url = manifest(ROOT), service.env.slack_request_url
    api = service.world.installation.slack_api_url
    if socket_mode == "true":
        made = for_socket_mode(text)
        return Answer(200, {"manifest": made, "request_url": "", "link": link(made, "", api)})
    return Answer(200, {"manifest": filled(text, url), "request_url": url, "link": link(text, url, api)})
