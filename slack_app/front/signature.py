"""Is it Slack that speaks? HMAC-SHA-256 over the raw bytes, before anything is parsed.

docs.slack.dev/authentication/verifying-requests-from-slack: the signature is ``v0=`` and the hex HMAC of
``v0:<timestamp>:<body>``; a timestamp more than five minutes away is a replay.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

TOLERANCE_SECONDS = 300

TIMESTAMP_HEADER = "x-slack-request-timestamp"
SIGNATURE_HEADER = "x-slack-signature"

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: float) -> bool:
    """Whether one of the secrets signed this body at this time. Header names in lower case; an empty secret never did.

    Shapes are checked first: ``compare_digest`` raises on text that is not ASCII, ``int`` takes digits of any script.
    """
    timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    matches = [
        hmac.compare_digest("v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(), signature)
        for secret in secrets
        if secret
    ]
    return any(matches)
