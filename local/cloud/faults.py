"""Faults on request: calls throttled or denied, events lost. Set by ``POST /_local/faults``.

>>> cloud.faults(status_events=False)  # doctest: +SKIP
>>> cloud.faults(throttle={"cloudformation:CreateChangeSet": 3}, deny=["sagemaker:InvokeEndpoint"])  # doctest: +SKIP
"""

from __future__ import annotations

import fnmatch
import functools
import threading
from dataclasses import dataclass, field
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.app", "_dispatch_service_request", ("method", "path", "headers", "body", "query_params")),
    Seam("ministack.app", "_routing_params", ("method", "path", "headers", "body", "query_params")),
    Seam("ministack.core.iam_actions", "access_denied_response", ("service", "action", "principal_arn", "request_id")),
    Seam("ministack.core.iam_actions", "extract_iam_action", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.router", "detect_service", ("method", "path", "headers", "query_params")),
)

_THROTTLED = {"s3": "SlowDown", "cloudformation": "Throttling", "sts": "Throttling", "iam": "Throttling"}
"""Error codes of services that do not say ThrottlingException."""


@dataclass
class Faults:
    """What goes wrong now."""

    status_events: bool = True
    """False: CloudFormation's status events are lost."""
    endpoints_settle: bool = True
    """False: endpoints in the making stay Creating or Updating until this is switched on again."""
    hold_jobs: bool = False
    """True: jobs, builds and the steps of pipelines wait where they are until this is switched off."""
    job_events: bool = True
    """False: events of jobs, builds and pipeline executions are lost."""
    fail_jobs: list[str] = field(default_factory=list)
    """Reasons: the next job or build fails with the first, the one after it with the second."""
    throttle: dict[str, int] = field(default_factory=dict)
    """IAM action, ``*`` allowed → how many of the next calls are throttled."""
    deny: list[str] = field(default_factory=list)
    """IAM actions, ``*`` allowed, that are denied whatever the policies say; an account's root too."""

    def shown(self) -> dict[str, Any]:
        """Every switch."""
        return {
            "status_events": self.status_events,
            "endpoints_settle": self.endpoints_settle,
            "hold_jobs": self.hold_jobs,
            "job_events": self.job_events,
            "fail_jobs": list(self.fail_jobs),
            "throttle": dict(self.throttle),
            "deny": list(self.deny),
        }


FAULTS = Faults()
_lock = threading.Lock()


def switch(changes: dict[str, Any]) -> dict[str, Any]:
    """Set some switches; answers all. Raises ValueError for an unknown one."""
    unknown = sorted(changes.keys() - FAULTS.shown().keys())
    if unknown:
        raise ValueError(f"unknown faults: {', '.join(unknown)}")
    with _lock:
        for name, value in changes.items():
            expected = type(getattr(FAULTS, name))
            if not isinstance(value, expected):
                raise ValueError(f"{name} is a {expected.__name__}")
            setattr(FAULTS, name, value)
        return FAULTS.shown()


def next_failure() -> str:
    """Why the next job fails, taken off the list; empty when it does not."""
    with _lock:
        return FAULTS.fail_jobs.pop(0) if FAULTS.fail_jobs else ""


def _due(action: str) -> str:
    """Which fault a call meets: ``throttle``, ``deny`` or none."""
    with _lock:
        for pattern, left in FAULTS.throttle.items():
            if left > 0 and fnmatch.fnmatchcase(action, pattern):
                FAULTS.throttle[pattern] = left - 1
                return "throttle"
        return "deny" if any(fnmatch.fnmatchcase(action, pattern) for pattern in FAULTS.deny) else ""


def install() -> None:
    """Answer a call that a fault names before it reaches its service."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, router

    dispatch = app._dispatch_service_request

    @functools.wraps(dispatch)
    async def faulty(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any], request_id: str
    ) -> Any:
        if not FAULTS.throttle and not FAULTS.deny:
            return await dispatch(method, path, headers, body, query_params, request_id)
        params = app._routing_params(method, path, headers, body, query_params)
        service = router.detect_service(method, path, headers, params)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, params) or ""
        fault = _due(action)
        if not fault:
            return await dispatch(method, path, headers, body, query_params, request_id)
        if fault == "throttle":
            code, message = _THROTTLED.get(service, "ThrottlingException"), "Rate exceeded"
        else:
            code, message = "", ""
        iam_evaluator.pin_request_caller(headers, query_params)
        caller = iam_evaluator._request_caller_arn.get()
        return iam_actions.access_denied_response(
            service, action, caller, request_id, error_code=code, message=message, headers=headers
        )

    app._dispatch_service_request = faulty
