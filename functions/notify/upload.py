"""A file's bytes, sent to the address that Slack gives for them (``files.getUploadURLExternal``).

The address comes in an answer and is asked without the bot token; it must be one of Slack's own all the same, so that
no answer can have a plan sent elsewhere. No redirect is followed.
"""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from orchestrator.core.errors import ChatRefused, ChatUnavailable

TIMEOUT_SECONDS = 10

SLACK_HOSTS = (".slack.com", ".slack-gov.com")
"""Slack's documentation names https://files.slack.com/upload/v1/… (reference/methods/files.getUploadURLExternal)."""

NOT_SLACKS = "upload_url_not_slacks"
"""Our own code beside Slack's."""


def upload(address: str, data: bytes, api_url: str) -> None:
    """POST the bytes. Raises ``ChatRefused`` for an address that is not Slack's, ``ChatUnavailable`` for no success.

    Where the Web API itself is at this machine (the local Slack page), so is the address, at the same port.
    """
    connection = _connection(address, api_url)
    parts = urlsplit(address)
    try:
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("POST", target, data, {"Content-Type": "application/octet-stream"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise ChatUnavailable(f"Slack took no file ({type(error).__name__})") from None
    finally:
        connection.close()
    if status != http.client.OK:
        raise ChatUnavailable(f"Slack took no file (HTTP {status})")


def _connection(address: str, api_url: str) -> http.client.HTTPConnection:
    parts, api = urlsplit(address), urlsplit(api_url)
    host = parts.hostname or ""
    if api.hostname == "127.0.0.1" and (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
        return http.client.HTTPConnection(host, parts.port or 80, timeout=TIMEOUT_SECONDS)
    plain = parts.netloc.lower() in {host, f"{host}:443"}  # neither a user nor another port
    if parts.scheme != "https" or not plain or not host.endswith(SLACK_HOSTS):
        raise ChatRefused(NOT_SLACKS)
    return http.client.HTTPSConnection(host, timeout=TIMEOUT_SECONDS)
