"""Calls to the deployed HTTP APIs, signed as any AWS client signs them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Reply:
    """What an API answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def call(method: str, url: str, credentials: Credentials, region: str, body: object = None) -> Reply:
    """One SigV4-signed call to an ``execute-api`` endpoint; an error status is a reply, not an exception."""
    data = b"" if body is None else json.dumps(body).encode()
    request = AWSRequest(method=method, url=url, data=data, headers={"Content-Type": "application/json"})
    SigV4Auth(credentials, "execute-api", region).add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(  # noqa: S310 - the address is the local installation's own
        prepared.url, data=data or None, headers=dict(prepared.headers.items()), method=method
    )
    try:
        with urllib.request.urlopen(sent, timeout=120) as answer:  # noqa: S310
            return Reply(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.read())
