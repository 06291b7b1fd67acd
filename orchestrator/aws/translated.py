"""AWS's errors as core errors, for every service alike; what is special to a service stays in its module.

An adapter looks at the codes it knows *inside* the block, and what it re-raises is translated here, so that no step
ever sees an error of the SDK: the sweeper passes over one bad wait, and a release that cannot tidy up still ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestrator.core.errors import AccessDenied, CallRefused, Throttled

_SLOWER = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "BandwidthLimitExceeded",
        "SlowDown",
        "RequestTimeout",
        "RequestTimeoutException",
        "PriorRequestNotComplete",
    }
)

_STALE_SESSION = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""The session ran out under the call; the step, tried again, assumes its role anew."""

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"})

_ROLE = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:(?:role|assumed-role|user)/[\w+=,.@/-]+")
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")

_IAM_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
}
"""Operations whose IAM action has another name (Service Authorization Reference)."""


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
    """Raise core errors for whatever the SDK raises.

    ``Throttled`` for throttling, faults of the service (5xx), a session that ran out and a connection that broke;
    ``AccessDenied`` with role and action; ``CallRefused`` for every other refusal. ``service`` is IAM's prefix;
    ``role`` names who called where the service's message does not. What the SDK finds wrong with a call before
    it sends it is our own fault and passes.
    """
    from botocore.exceptions import ClientError, FlexibleChecksumError, HTTPClientError, IncompleteReadError

    try:
        yield
    except ClientError as error:
        raise _translation(service, error, role) from error
    except (HTTPClientError, IncompleteReadError, FlexibleChecksumError) as error:
        raise Throttled(f"the connection to {service} broke ({type(error).__name__})") from error


def _translation(service: str, error: Any, role: str) -> Exception:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        return AccessDenied(_denial(service, error, role))
    if code in _STALE_SESSION:
        return Throttled(f"the session at {service} ran out ({code} on {error.operation_name})")
    if code in _SLOWER or status == 429 or status >= 500:
        return Throttled(f"{service} asked for a slower pace ({code} on {error.operation_name})")
    return CallRefused(f"{service} refused {error.operation_name}: {message_of(error) or code}")


def _denial(service: str, error: Any, role: str) -> str:
    message = message_of(error)
    named = _ACTION.search(message)
    operation = f"{service}:{error.operation_name}"
    action = named.group(1) if named else _IAM_ACTIONS.get(operation, operation)
    who = role or (found.group() if (found := _ROLE.search(message)) else "the function's role")
    return f"IAM refused {action} to {who}: {message}"
