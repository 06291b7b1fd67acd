"""boto3 clients, made on first use; importing this module imports no AWS code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

    from orchestrator.aws.credentials import RoleCredentials

ATTEMPTS = 8
ATTEMPT_SECONDS = 65


@cache
def session() -> boto3.session.Session:
    """The function's own session, one a process."""
    import boto3

    return boto3.session.Session()


def client(service: str, credentials: RoleCredentials | None = None, only_attempt_seconds: int | None = None) -> Any:
    """A client of the function's own role, or of an assumed one.

    The own ones are kept: making a client costs some 35 ms, and a warm function serves many calls. One of an assumed
    role is made anew each time, since its session ends.

    ``only_attempt_seconds``: how long a call may wait for its answer, and it is sent once; without it, see ``_made``.
    """
    if credentials is None and only_attempt_seconds is None:
        return _own(service)
    return _made(service, credentials, only_attempt_seconds)


@cache
def _own(service: str) -> Any:
    return _made(service, None, None)


def _made(service: str, credentials: RoleCredentials | None, only_attempt_seconds: int | None) -> Any:
    """Standard retries: eight attempts with back-off and jitter, which waits out ordinary throttling.

    By itself an attempt has 65 seconds: more than the minute after which the services answer with a time-out of theirs.
    """
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS if only_attempt_seconds is None else 1},
        connect_timeout=5,
        read_timeout=ATTEMPT_SECONDS if only_attempt_seconds is None else only_attempt_seconds,
        s3={"addressing_style": "path"},
    )
    if credentials is None:
        return session().client(service, config=config)  # type: ignore[call-overload]
    return session().client(  # type: ignore[call-overload]
        service,
        config=config,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
    )
