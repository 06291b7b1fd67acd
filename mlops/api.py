"""The product's REST API, called as any AWS client calls it: signed with Signature Version 4.

A call that did not get through (no connection, 429, 5xx) is tried three times; each request is safe to repeat, as a
release carries an idempotency key and a vote counts once a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import sleep
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ConnectionError as NotConnected
from botocore.exceptions import CredentialRetrievalError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from mlops.refusals import Denied, Problems, Refused, Unreachable

ATTEMPTS = 3
TIMEOUT_SECONDS = (5, 35)
"""To connect, and to wait for the answer; API Gateway gives up after 29."""

SERVICE = "execute-api"

LEDGER_PAGE = 500
"""Entries of a ledger asked for at once, as many as the API gives."""


@dataclass(frozen=True)
class Api:
    """One installation's API, and who calls it."""

    url: str
    """The output ApiUrl, without a slash at its end."""
    region: str
    credentials: Credentials = field(repr=False)

    def releases(self, limit: int) -> list[dict[str, Any]]:
        """The newest releases, newest first."""
        found: list[dict[str, Any]] = self._call("GET", f"/releases?limit={limit}")["releases"]
        return found

    def release(self, release_id: str) -> dict[str, Any]:
        """One release with its stages, plans and approvals."""
        return self._call("GET", f"/releases/{release_id}")

    def workloads(self, limit: int) -> list[dict[str, Any]]:
        """Workloads by name, with what is live of each."""
        found: list[dict[str, Any]] = self._call("GET", f"/workloads?limit={limit}")["workloads"]
        return found

    def ledger(self, workload: str, after: int) -> dict[str, Any]:
        """A page of the workload's audit ledger, after a sequence number."""
        return self._call("GET", f"/workloads/{workload}/ledger?after={after}&limit={LEDGER_PAGE}")

    def rollback_of(self, workload: str, to: str) -> dict[str, Any]:
        """What a rollback of the workload would do: to the release named, else to the one that was live before."""
        return self._call("GET", f"/workloads/{workload}/rollback{f'?to={to}' if to else ''}")

    def roll_back(self, release_id: str, wish: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Deploy this release's package again; ``token`` makes a repeated call the same request."""
        body = json.dumps(wish).encode()
        return self._call("POST", f"/releases/{release_id}/rollback", body, {"Idempotency-Key": token})

    def remove(self, workload: str, token: str) -> dict[str, Any]:
        """Start the removal of a workload; ``token`` makes a repeated call the same request."""
        return self._call("DELETE", f"/workloads/{workload}", headers={"Idempotency-Key": token})

    def provision(self, configuration: bytes, token: str, *, force: bool) -> dict[str, Any]:
        """Start the releases of a configuration; ``token`` makes a repeated call the same request."""
        query = "?force=true" if force else ""
        return self._call("POST", f"/provisionpipeline{query}", configuration, {"Idempotency-Key": token})

    def doctor(self) -> dict[str, Any]:
        """What is well in the installation and what is not; takes up to half a minute."""
        return self._call("GET", "/doctor")

    def slack_manifest(self, *, socket_mode: bool) -> dict[str, Any]:
        """The Slack app's manifest, and the link that creates the app."""
        return self._call("GET", f"/slack-manifest{'?socket_mode=true' if socket_mode else ''}")

    def decide(self, release_id: str, decision: Mapping[str, str]) -> dict[str, Any]:
        """Vote on the release's approval."""
        return self._call("POST", f"/releases/{release_id}/decision", json.dumps(decision).encode())

    def _call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                status, data = self._send(method, path, body, headers or {})
            except CredentialRetrievalError as error:
                raise Denied(f"The AWS credentials cannot be refreshed: {error}") from None
            except (NotConnected, HTTPClientError) as error:
                if last:
                    raise Unreachable(f"The API at {self.url} cannot be reached: {error}") from None
            else:
                if last or (status < 500 and status != 429):
                    return _answer(status, data, self.url)
            sleep(attempt)
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        request = AWSRequest(method=method, url=self.url + path, data=body or None, headers=sent)
        # Frozen for each call: a session that is followed for hours is refreshed in between.
        SigV4Auth(self.credentials.get_frozen_credentials(), SERVICE, self.region).add_auth(request)
        # The stubs know one number only; botocore itself passes both to urllib3.
        session = URLLib3Session(proxies=get_environ_proxies(self.url), timeout=TIMEOUT_SECONDS)  # type: ignore[arg-type]
        reply = session.send(request.prepare())
        return reply.status_code, reply.content


def _answer(status: int, data: bytes, url: str) -> dict[str, Any]:
    """The body of a good answer; raises what a bad one means."""
    try:
        parsed = json.loads(data)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Unreachable(f"{url} answered {status} without JSON; is this the product's API?")
    if status in {200, 202}:
        return parsed
    # API Gateway and its authoriser write either.
    message = str(parsed.get("message") or parsed.get("Message") or f"the API answered {status}")
    if problems := parsed.get("problems"):
        raise Problems(problems, parsed)
    match status:
        case 403 if "Missing Authentication Token" in message:
            raise Unreachable(f"API Gateway knows no such resource at {url}. Is it the output ApiUrl, with its stage?")
        case 403:
            raise Denied(message, parsed)
        case 429 | 500 | 502 | 503 | 504:
            raise Unreachable(f"The API at {url} answered {status}: {message}", parsed)
        case _:
            raise Refused(message, parsed)
