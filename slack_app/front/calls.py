"""HTTP calls of the front: signed ones to AWS, and one method of Slack's Web API."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from orchestrator.aws.credentials import RoleCredentials
from slack_app.front.sigv4 import signed_headers

AWS_TIMEOUT_SECONDS = 1.5
SLACK_TIMEOUT_SECONDS = 1.5
"""Slack wants its answer, and the dialog, within three seconds of the click."""


class CallFailed(Exception):
    """A call did not succeed: ``code`` is the service's own error code, or what went wrong on the way."""

    def __init__(self, code: str, status: int = 0) -> None:
        self.code = code
        self.status = status
        super().__init__(code)


@dataclass(frozen=True)
class AwsCaller:
    """Calls AWS services that speak JSON, as the function's own role."""

    region: str
    dns_suffix: str
    """``amazonaws.com``, or ``amazonaws.com.cn`` in the China partition."""
    credentials: RoleCredentials
    endpoint_url: Callable[[str], str]
    """Another endpoint for a service (``AWS_ENDPOINT_URL``), or an empty string."""
    now: Callable[[], datetime]

    def call(self, service: str, target: str, version: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One call, tried twice when the first did not reach the service; raises ``CallFailed``.

        ``version`` is the service's JSON protocol, 1.0 or 1.1.
        """
        url = self.endpoint_url(service) or f"https://{service}.{self.region}.{self.dns_suffix}"
        url = url.rstrip("/") + "/"
        body = json.dumps(arguments).encode()
        headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
        for last in (False, True):
            signed = signed_headers(
                url,
                headers,
                body,
                service=service,
                region=self.region,
                credentials=self.credentials,
                now=self.now(),
            )
            try:
                return post(url, signed, body, AWS_TIMEOUT_SECONDS)
            except CallFailed as error:
                if last or 400 <= error.status < 500:
                    raise
        raise AssertionError("unreachable")


def slack_call(api_url: str, method: str, token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One method of the Web API; raises ``CallFailed`` with Slack's error code."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {token}"}
    answer = post(f"{api_url.rstrip('/')}/{method}", headers, json.dumps(arguments).encode(), SLACK_TIMEOUT_SECONDS)
    if not answer.get("ok"):
        raise CallFailed(str(answer.get("error", "no answer")), 200)
    return answer


def post(url: str, headers: Mapping[str, str], body: bytes, timeout: float) -> dict[str, Any]:
    """POST and read a JSON object; raises ``CallFailed`` for everything else."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(
            "POST", f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", body, dict(headers)
        )
        response = connection.getresponse()
        raw = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise CallFailed(type(error).__name__) from error
    finally:
        connection.close()
    try:
        answer = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise CallFailed("unreadable answer", response.status) from error
    if not isinstance(answer, dict):
        raise CallFailed("unreadable answer", response.status)
    if response.status >= 300:
        code = str(answer.get("__type") or answer.get("error") or response.status)
        raise CallFailed(code.rsplit("#", 1)[-1], response.status)
    return answer
