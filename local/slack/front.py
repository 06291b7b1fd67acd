"""Delivers requests to the app's front, signed as Slack signs them, and times the answer."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from slack_sdk.signature import SignatureVerifier

from local.slack.limits import ANSWER_SECONDS

PATH = "/slack/events"


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is None when nothing did; `error` says then why, for people."""

    status: int | None
    body: str
    seconds: float
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether Slack would call it answered: 2xx within three seconds."""
        return self.status is not None and 200 <= self.status < 300 and self.seconds <= ANSWER_SECONDS

    @property
    def timed_out(self) -> bool:
        return self.seconds > ANSWER_SECONDS or self.error == "timeout"


class Front:
    """The app's request URL. It may be unknown at first, and set once the app is deployed."""

    def __init__(self, url: str, signing_secret: str) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self.url = ""
        self.point_to(url)

    def point_to(self, url: str) -> None:
        """Raises ValueError for what is no http(s) URL."""
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("the front's URL must start with http:// or https://")
        self.url = url.rstrip("/").removesuffix(PATH)

    def deliver(
        self, body: str, content_type: str, headers: Mapping[str, str] | None = None, delay: float = 0.0
    ) -> Answer:
        """POST one signed request; `delay` seconds are added to its answer, as a slow network would."""
        if not self.url:
            return Answer(None, "", 0.0, "no app is connected to this page yet")
        parts = urlsplit(self.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        raw = body.encode()
        stamp = str(int(time.time()))
        signature = self._verifier.generate_signature(timestamp=stamp, body=raw)
        started = time.monotonic()
        connection = connect(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(
                "POST",
                parts.path + PATH,
                raw,
                {
                    "Content-Type": content_type,
                    "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                    "X-Slack-Request-Timestamp": stamp,
                    "X-Slack-Signature": signature or "",
                    **(headers or {}),
                },
            )
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            time.sleep(min(delay, ANSWER_SECONDS + 0.5))
            return Answer(response.status, text, time.monotonic() - started)
        except TimeoutError:
            return Answer(None, "", time.monotonic() - started, "timeout")
        except (OSError, http.client.HTTPException) as error:
            return Answer(None, "", time.monotonic() - started, type(error).__name__)
        finally:
            connection.close()
