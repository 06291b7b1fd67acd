"""AWS Signature Version 4 for one POST with a JSON body, in the standard library.

botocore's signer alone loads 185 modules (urllib3, dateutil, ElementTree …), more than the front may have in all; these
forty lines load none. A test holds them against botocore's for arbitrary bodies and credentials.
docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from orchestrator.aws.credentials import RoleCredentials

ALGORITHM = "AWS4-HMAC-SHA256"


def signed_headers(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    credentials: RoleCredentials,
    now: datetime,
) -> dict[str, str]:
    """The headers to send with ``POST url``: those given, the host, the date, the session token and the signature."""
    parts = urlsplit(url)
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {name.lower(): value for name, value in headers.items()} | {"host": parts.netloc, "x-amz-date": stamp}
    if credentials.session_token:
        sent["x-amz-security-token"] = credentials.session_token
    names = sorted(sent)
    listed = ";".join(names)
    canonical = "\n".join(
        [
            "POST",
            quote(parts.path or "/", safe="/-_.~%"),
            parts.query,
            *(f"{name}:{' '.join(sent[name].split())}" for name in names),
            "",
            listed,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    sent["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
    )
    return sent
