"""One call as API Gateway hands it over (REST proxy event, payload format 1.0), parsed once."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core import strict_json
from orchestrator.core.errors import BadRequest, BodyTooLarge, NotAllowed
from orchestrator.core.people import Identity, IdentityKind

MAX_BODY = 262_144
"""Bytes of a request's body: a configuration is some kilobytes. API Gateway itself takes 10 MB."""

MAX_KEY = 128
"""Characters of an idempotency key."""


@dataclass(frozen=True)
class Call:
    """What was asked, and by whom."""

    method: str
    resource: str
    """The route that API Gateway has chosen, such as ``/releases/{id}``; ``/{proxy+}`` where none fits."""
    path: str
    id: str = ""
    """What stands in the place of ``{id}``."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case."""
    caller_arn: str = ""
    request_id: str = ""
    address: str = ""
    """URL of the API with its stage; empty where API Gateway did not say."""
    raw_body: str = ""
    encoded: bool = False

    @property
    def caller(self) -> Identity:
        """Who calls, as IAM knows him; raises ``NotAllowed`` where API Gateway named nobody."""
        if not self.caller_arn:
            raise NotAllowed("API Gateway named no caller; the API must be called with SigV4")
        return Identity(IdentityKind.IAM, self.caller_arn, verified=True)

    @property
    def token(self) -> str:
        """What makes this request this one: the caller's own key, else a request of its own."""
        token = self.headers.get("idempotency-key") or self.request_id
        if len(token) > MAX_KEY:
            raise BadRequest(f"the header Idempotency-Key has {len(token)} characters; at most {MAX_KEY} are taken")
        return token

    @property
    def body(self) -> bytes:
        """The body's bytes, whatever their content type says; raises ``BodyTooLarge`` and ``BadRequest``."""
        try:
            # A lone surrogate is no UTF-8; it is passed on so that the parser refuses it as it refuses it in a file.
            data = base64.b64decode(self.raw_body) if self.encoded else self.raw_body.encode("utf-8", "surrogatepass")
        except ValueError:
            raise BadRequest("the body is not valid base64") from None
        if len(data) > MAX_BODY:
            raise BodyTooLarge(f"the body has {len(data)} bytes; at most {MAX_BODY} are taken")
        return data

    @property
    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        parsed = strict_json.parse(self.body)
        if not isinstance(parsed, dict):
            raise BadRequest("the body should be a JSON object")
        return parsed

    def limit(self, usual: int, most: int) -> int:
        """The query's ``limit``; raises ``BadRequest`` for one that is no number from 1 to ``most``."""
        raw = self.query.get("limit", str(usual))
        if not raw.isdecimal() or not raw.isascii() or not 1 <= int(raw[:10]) <= most:
            raise BadRequest(f"limit is {raw!r}; it should be a whole number from 1 to {most}")
        return int(raw)


def call_of(event: Mapping[str, Any]) -> Call:
    """Parse an event; what API Gateway leaves out is empty."""
    context = event.get("requestContext") or {}
    host, stage = context.get("domainName") or "", context.get("stage") or ""
    return Call(
        method=str(event.get("httpMethod") or ""),
        resource=str(event.get("resource") or ""),
        path=str(event.get("path") or ""),
        id=(event.get("pathParameters") or {}).get("id", ""),
        query=event.get("queryStringParameters") or {},
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        caller_arn=(context.get("identity") or {}).get("userArn") or "",
        request_id=context.get("requestId") or "",
        address=f"https://{host}/{stage}" if host else "",
        raw_body=str(event.get("body") or ""),
        encoded=bool(event.get("isBase64Encoded")),
    )
