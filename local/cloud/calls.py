"""A record of every AWS API call that came over HTTP: who called what, how it ended and how long it took."""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.app", "_dispatch_service_request", ("method", "path", "headers", "body", "query_params")),
    Seam("ministack.app", "_routing_params", ("method", "path", "headers", "body", "query_params")),
    Seam("ministack.core.router", "detect_service", ("method", "path", "headers", "query_params")),
    Seam("ministack.core.iam_actions", "extract_iam_action", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.iam_evaluator", "_request_caller_arn"),
    Seam("ministack.core.responses", "get_account_id", ()),
)

CAPACITY = 50_000
"""Calls kept; older ones are forgotten."""


@dataclass(frozen=True)
class Call:
    """One API call."""

    number: int
    """Counts up from 1 since the cloud started."""
    time: float
    """Seconds since the epoch, at its start."""
    account: str
    principal: str
    """ARN of the caller: an assumed-role session, a user or an account's root."""
    service: str
    action: str
    """``Action`` as IAM names it, without the service."""
    status: int
    """HTTP status."""
    milliseconds: float


class Ledger:
    """The most recent calls, safe to use from several threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._calls: deque[Call] = deque(maxlen=capacity)
        self._lock = threading.Lock()
        self._number = 0

    def add(self, **fields: Any) -> None:
        """Record one call."""
        with self._lock:
            self._number += 1
            self._calls.append(Call(number=self._number, **fields))

    def since(self, number: int) -> list[dict[str, Any]]:
        """Calls with a greater number, oldest first."""
        with self._lock:
            return [asdict(call) for call in self._calls if call.number > number]


LEDGER = Ledger()


def install() -> None:
    """Record every call that the emulator dispatches to a service."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, responses, router

    dispatch = app._dispatch_service_request

    @functools.wraps(dispatch)
    async def recorded(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any], request_id: str
    ) -> Any:
        started, clock = time.time(), time.perf_counter()
        answer = await dispatch(method, path, headers, body, query_params, request_id)
        params = app._routing_params(method, path, headers, body, query_params)
        service = router.detect_service(method, path, headers, params)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, params) or ""
        LEDGER.add(
            time=started,
            account=responses.get_account_id(),
            principal=iam_evaluator._request_caller_arn.get(),
            service=service,
            action=action.partition(":")[2],
            status=answer[0],
            milliseconds=round((time.perf_counter() - clock) * 1000, 3),
        )
        return answer

    app._dispatch_service_request = recorded
