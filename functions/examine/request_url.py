"""The deployed request URL as ``examination.ports.Front``, called and signed as Slack does it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from urllib.parse import urlsplit

from orchestrator.core.examination.ports import Reply

TIMEOUT_SECONDS = 5
MOST = 4096
"""Bytes of an answer that are looked at."""


class RequestUrl:
    """See the module."""

    def __init__(self, url: str, endpoint: str = "") -> None:
        """``endpoint``: where API Gateway is spoken to instead (``AWS_ENDPOINT_URL``); empty: at the URL itself."""
        self._url = urlsplit(url)
        self._to = urlsplit(endpoint) if endpoint else self._url

    def url_verification(self, challenge: str, signing_secret: str) -> Reply:
        """See ``ports.Front``; docs.slack.dev/authentication/verifying-requests-from-slack."""
        import http.client  # and with it TLS and e-mail's parsers, which the function's start need not wait for

        body = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(signing_secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
        headers = {
            "Host": self._url.netloc,
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature.hexdigest()}",
        }
        kind = http.client.HTTPSConnection if self._to.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._to.hostname or "", self._to.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", self._url.path, body, headers)
            response = connection.getresponse()
            return Reply(response.status, response.read(MOST).decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            return Reply(0, type(error).__name__)
        finally:
            connection.close()
