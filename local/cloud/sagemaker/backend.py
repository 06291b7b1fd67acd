"""What the bridges do not keep is ``moto``'s, in this process: a call is one WSGI request, without a socket."""

from __future__ import annotations

import json
import threading
import time
from functools import lru_cache
from typing import Any

_lock = threading.Lock()


class ApiError(Exception):
    """SageMaker refused a call: its error code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@lru_cache(maxsize=1)
def _application() -> Any:
    # Imported late: moto takes half a second, which only an installation with a SageMaker call pays.
    from moto.moto_server.werkzeug_app import create_backend_app

    return create_backend_app("sagemaker")


def send(account: str, region: str, target: str, body: bytes) -> tuple[int, bytes]:
    """Send one JSON call, as a client of the account would; HTTP status and body."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": target,
        "x-moto-account-id": account,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20200101/{region}/sagemaker/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    with _lock:
        answer = (
            _application()
            .test_client()
            .post("/", data=body, headers=headers, base_url=f"https://api.sagemaker.{region}.amazonaws.com")
        )
        return answer.status_code, answer.get_data()


def call(account: str, region: str, action: str, **arguments: Any) -> dict[str, Any]:
    """One action with its arguments; raises ApiError."""
    status, body = send(account, region, f"SageMaker.{action}", json.dumps(arguments).encode())
    answer: dict[str, Any] = json.loads(body) if body else {}
    if status >= 400:
        code = str(answer.get("__type", "InternalFailure")).rpartition("#")[2]
        raise ApiError(code, str(answer.get("message") or answer.get("Message") or code), status)
    return answer


def reset() -> None:
    """Forget every record."""
    if _application.cache_info().currsize:
        from moto.sagemaker.models import sagemaker_backends

        with _lock:
            sagemaker_backends.reset()


def arn(account: str, region: str, kind: str, name: str) -> str:
    """An ARN as SageMaker makes it: the name in lower case."""
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name.lower()}"


def instant(seconds: float) -> str:
    """``2021-03-15T16:10:10Z``, as CloudFormation's attributes have times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
