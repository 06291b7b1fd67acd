"""The Slack secret as the front needs it: every signing secret that is valid now, and the bot token.

Both stages of the secret count: while it is rotated, Slack may sign with either. A signature that fits neither may mean
that the secret was rotated since it was read, so it is read once more, though not more often than every few seconds:
whoever sends forged requests must not be able to make the front call Secrets Manager for each of them.

What was read is good for a few minutes: a bot token that was replaced opens no dialog any more, and a signing secret
that was given up must not count for as long as a busy process lives.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from slack_app.front.calls import AwsCaller, CallFailed

REREAD_SECONDS = 5.0
FRESH_SECONDS = 300.0
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True)
class Known:
    """What was read: signing secrets, newest first, and the current bot token. They print as nothing."""

    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    bot_token: str = field(default="", repr=False)


class SlackSecrets:
    """The secret, read on first need and anew every few minutes."""

    def __init__(self, secret_arn: str, aws: AwsCaller, monotonic: Callable[[], float]) -> None:
        self._secret_arn = secret_arn
        self._aws = aws
        self._monotonic = monotonic
        self._known: Known | None = None
        self._read_at = 0.0
        self._tried_at = 0.0

    def known(self) -> Known:
        """What is known; read now if nothing is, or if that is old. Raises ``CallFailed``.

        While Secrets Manager cannot be reached, what was read before stands.
        """
        now = self._monotonic()
        if self._known is None:
            return self._read()
        if now - self._read_at < FRESH_SECONDS or now - self._tried_at < REREAD_SECONDS:
            return self._known
        try:
            return self._read()
        except CallFailed:
            return self._known

    def renewed(self) -> Known | None:
        """The secret read again; None when that was tried too short a while ago. Raises ``CallFailed``."""
        if self._known is not None and self._monotonic() - self._tried_at < REREAD_SECONDS:
            return None
        return self._read()

    def _read(self) -> Known:
        self._tried_at = self._monotonic()
        current = self._stage(CURRENT)
        try:
            previous = self._stage(PREVIOUS)
        except CallFailed as error:
            if error.code != "ResourceNotFoundException":
                raise
            previous = Known()
        self._known = Known((*current.signing_secrets, *previous.signing_secrets), current.bot_token)
        self._read_at = self._tried_at
        return self._known

    def _stage(self, stage: str) -> Known:
        answer = self._aws.call(
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            "1.1",
            {"SecretId": self._secret_arn, "VersionStage": stage},
        )
        try:
            raw = json.loads(str(answer.get("SecretString", "")))
        except ValueError:
            raw = None
        raw = raw if isinstance(raw, dict) else {}
        token, signing = str(raw.get("bot_token") or ""), str(raw.get("signing_secret") or "")
        if not token.startswith("xox") or not signing:
            # The stack's placeholder: whoever knows its value must not be able to sign with it.
            return Known()
        return Known((signing,), token)
