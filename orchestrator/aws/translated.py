"""AWS error codes as core errors, for every service alike; what is special to a service stays in its module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestrator.core.errors import AccessDenied, Throttled

_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "SlowDown",
        "LimitExceededException",
        "ServiceUnavailable",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
    }
)

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"})

_ROLE = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:(?:role|assumed-role|user)/[\w+=,.@/-]+")


def code_of(error: Any) -> str:
    """The service's error code of a botocore ``ClientError``; empty for any other exception."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def message_of(error: Any) -> str:
    """The service's own words."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Message", "")) if isinstance(response, dict) else str(error)


@contextmanager
def translated(service: str, role: str = "") -> Iterator[None]:
    """Raise ``AccessDenied`` and ``Throttled`` for the codes that mean so; other errors pass.

    ``role`` names who called where the service's message does not.
    """
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _THROTTLED:
            raise Throttled(f"{service} asked for a slower pace ({code} on {error.operation_name})") from error
        if code in _DENIED:
            raise AccessDenied(_denial(service, error, role)) from error
        raise


def _denial(service: str, error: Any, role: str) -> str:
    message = message_of(error)
    action = f"{service}:{error.operation_name}"
    who = role or (found.group() if (found := _ROLE.search(message)) else "the function's role")
    return f"IAM refused {action} to {who}: {message}"
