"""Is the Slack secret filled in, and can its values be what they should be? Nothing of them is ever told."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from orchestrator.core.examination.findings import Check, Finding

FILL = "Put bot_token and signing_secret into the secret of the output SlackSecretArn: docs/slack-setup.md, step 4."
COPY_TOKEN = "Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions into the secret's bot_token."  # noqa: S105
COPY_SIGNING = "Copy the Signing Secret from Basic Information into the secret's signing_secret."

BOT = "xoxb-"

OTHER_TOKENS = {
    "xoxp-": "a user's token, not the bot's",
    "xapp-": "an app-level token, which is for Socket Mode alone",
    "xoxe": "a token that expires: token rotation is on, which the manifest turns off",
    "xoxc-": "a browser's token, not the bot's",
    "xoxa-": "an old workspace token, not the bot's",
}
"""How Slack's other tokens begin (docs.slack.dev/authentication/tokens)."""

_SIGNING = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Keys:
    """What is in the secret; prints as nothing. A value that is not usable is empty."""

    bot_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)


def look_at_secret(text: str) -> tuple[Keys, tuple[Finding, ...]]:
    """The usable values of the secret's text, and what is to be said of it."""
    try:
        raw = json.loads(text)
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        return Keys(), (Finding.fault(Check.SECRET, "is no JSON object with bot_token and signing_secret", FILL),)
    token, token_said = _token(raw.get("bot_token"))
    signing, signing_said = _signing(raw.get("signing_secret"))
    if not token and not raw.get("bot_token"):
        # Whatever stands for the signing secret was made up by the stack.
        return Keys(), (Finding.fault(Check.SECRET, "is not filled in: it has no bot token", FILL),)
    said = (*token_said, *signing_said)
    return Keys(token, signing), said or (Finding.ok(Check.SECRET, "has a bot token and a signing secret"),)


def _token(value: object) -> tuple[str, tuple[Finding, ...]]:
    if not isinstance(value, str) or not value:
        return "", (Finding.fault(Check.SECRET, "has no bot_token, or one that is no text", COPY_TOKEN),)
    if value != value.strip() or len(value.split()) > 1:
        return "", (Finding.fault(Check.SECRET, "has white space in bot_token", COPY_TOKEN),)
    if value.startswith(BOT):
        return value, ()
    other = next((what for beginning, what in OTHER_TOKENS.items() if value.startswith(beginning)), "")
    what = f"has in bot_token {other}" if other else f"has a bot_token that does not begin with {BOT}"
    return "", (Finding.fault(Check.SECRET, what, COPY_TOKEN),)


def _signing(value: object) -> tuple[str, tuple[Finding, ...]]:
    if not isinstance(value, str) or not value:
        return "", (Finding.fault(Check.SECRET, "has no signing_secret, or one that is no text", COPY_SIGNING),)
    if value != value.strip():
        return "", (Finding.fault(Check.SECRET, "has white space around signing_secret", COPY_SIGNING),)
    if not _SIGNING.fullmatch(value):
        what = "has a signing_secret of another shape than Slack's, which are 32 hexadecimal digits"
        return value, (Finding.warning(Check.SECRET, what, COPY_SIGNING),)
    return value, ()
