"""Does the request URL take what Slack signs, and nothing else?

What cannot be known from here is whether the signing secret is the app's own: only Slack's own signature proves that.
"""

from __future__ import annotations

import json

from orchestrator.core.examination.findings import Check, Finding
from orchestrator.core.examination.ports import Front, Reply

CHALLENGE = "mlops-doctor"
NOT_THE_SECRET = "no secret of anybody"  # noqa: S105 - a signature by it must not be taken
LOG = "Look at the log /aws/lambda/mlops-slack-front, and deploy MlopsOrchestrator again."


def look_at_front(front: Front, signing_secret: str) -> tuple[Finding, ...]:
    """Ask the front to repeat a challenge, once signed and once signed by nobody."""
    signed = front.url_verification(CHALLENGE, signing_secret)
    if signed.status == 0:
        return (Finding.fault(Check.FRONT, f"the request URL is not reached ({signed.body})", LOG),)
    if signed.status == 401:
        what = "the request URL refuses what is signed with the secret's signing_secret"
        return (Finding.fault(Check.FRONT, what, "Wait five minutes if it was changed just now; else: " + LOG),)
    if signed.status != 200 or _challenge(signed) != CHALLENGE:
        what = f"the request URL answers {signed.status} to Slack's own question, and not what it should"
        return (Finding.fault(Check.FRONT, what, LOG),)
    forged = front.url_verification(CHALLENGE, NOT_THE_SECRET)
    if forged.status != 401:
        what = f"the request URL answers {forged.status} to a request that nobody signed; it should be 401"
        return (Finding.fault(Check.FRONT, what, LOG),)
    return (Finding.ok(Check.FRONT, "the request URL takes what the signing secret signed, and refuses a forgery"),)


def _challenge(reply: Reply) -> object:
    try:
        body = json.loads(reply.body)
    except ValueError:
        return None
    return body.get("challenge") if isinstance(body, dict) else None
