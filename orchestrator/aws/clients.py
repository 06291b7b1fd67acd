"""boto3 clients, made on first use; importing this module imports no AWS code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

    from orchestrator.aws.credentials import RoleCredentials


@cache
def session() -> boto3.session.Session:
    """The function's own session, one a process."""
    import boto3

    return boto3.session.Session()


def client(service: str, credentials: RoleCredentials | None = None) -> Any:
    """A client of the function's own role, or of an assumed one.

    The own ones are kept: making a client costs some 35 ms, and a warm function serves many calls. One of an assumed
    role is made anew each time, since its session ends.
    """
    return _own(service) if credentials is None else _made(service, credentials)


@cache
def _own(service: str) -> Any:
    return _made(service, None)


def _made(service: str, credentials: RoleCredentials | None) -> Any:
    """Standard retries: eight attempts with back-off and jitter, which waits out ordinary throttling.

    A SageMaker model has 60 seconds to answer, hence the time to read.
    """
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 8},
        connect_timeout=5,
        read_timeout=65,
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
