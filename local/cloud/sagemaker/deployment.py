"""How an endpoint's traffic goes over to a new fleet: at once, a canary first, or in linear steps, watched by alarms.

Amazon SageMaker Developer Guide, "Deployment guardrails": after each shift the deployment waits, and an alarm of
``AutoRollbackConfiguration`` that is, or goes, in ALARM meanwhile sends all traffic back to the old fleet. Waits are
scaled like those of state machines (``scale_waits``), and one minute is at most a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import decide
from local.cloud.sagemaker.backend import ApiError

SEAMS = (
    Seam("ministack.services.cloudwatch", "_alarms.get"),
    Seam("ministack.services.cloudwatch", "_composite_alarms.get"),
    Seam("ministack.services.stepfunctions", "_SFN_WAIT_SCALE"),
)

SECONDS_PER_SECOND = 1 / 60
"""A deployment's waits are minutes; here a minute is a second, before the scale of waits."""

LOOK_SECONDS = 0.05
"""How often the alarms are looked at."""


class RolledBack(Exception):
    """An alarm rang: the old fleet serves on; the message is the endpoint's failure reason."""


def check(config: dict[str, Any] | None, serverless: bool) -> None:
    """Refuse a deployment configuration that SageMaker refuses; raises ApiError."""
    if not config:
        return
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise ApiError("ValidationException", "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy is allowed.")
    if serverless and (blue_green or rolling):
        raise ApiError("ValidationException", "Deployment guardrails are not supported for serverless endpoints.")
    routing = (blue_green or {}).get("TrafficRoutingConfiguration") or {}
    sizes = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
    wanted = sizes.get(routing.get("Type", ""))
    for member in sizes.values():
        if (member == wanted) != (routing.get(member) is not None):
            said = "is required" if member == wanted else "is not allowed"
            raise ApiError("ValidationException", f"{member} {said} for traffic routing type {routing.get('Type')}.")
    size = routing.get(wanted) if wanted else None
    if size and size["Type"] == "CAPACITY_PERCENT":
        least = 10 if wanted == "LinearStepSize" else 1
        if not least <= size["Value"] <= 50:
            raise ApiError("ValidationException", f"{wanted} must be between {least} and 50 percent of the capacity.")


def shifts(config: dict[str, Any], instances: int) -> Iterator[tuple[float, int]]:
    """Each share of traffic, 0 to 1, that the new fleet gets, and the seconds to wait after it."""
    rolling = config.get("RollingUpdatePolicy")
    if rolling:
        step = _share(rolling["MaximumBatchSize"], instances)
        yield from _steps(step, rolling["WaitIntervalInSeconds"], rolling["WaitIntervalInSeconds"])
        return
    policy = config.get("BlueGreenUpdatePolicy") or {}
    routing = policy.get("TrafficRoutingConfiguration") or {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    wait = int(routing.get("WaitIntervalInSeconds") or 0)
    last = wait + int(policy.get("TerminationWaitInSeconds") or 0)
    if routing["Type"] == "CANARY":
        yield _share(routing["CanarySize"], instances), wait
        yield 1.0, last
    elif routing["Type"] == "LINEAR":
        yield from _steps(_share(routing["LinearStepSize"], instances), wait, last)
    else:
        yield 1.0, last


def bake(config: dict[str, Any], seconds: float, role: str) -> None:
    """Wait, looking at the alarms; raises RolledBack when one rings."""
    from ministack.services import stepfunctions

    names = [found["AlarmName"] for found in (config.get("AutoRollbackConfiguration") or {}).get("Alarms") or []]
    until = time.monotonic() + seconds * SECONDS_PER_SECOND * stepfunctions._SFN_WAIT_SCALE
    while True:
        for name in names:
            _look_at(name, role)
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(LOOK_SECONDS, left))


def _look_at(name: str, role: str) -> None:
    from ministack.core import responses
    from ministack.services import cloudwatch

    arn = f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:{name}"
    verdict = decide(role, "cloudwatch:DescribeAlarms", arn, session="SageMaker")
    if not verdict.allowed:
        raise RolledBack(f"The alarms of the deployment cannot be described. {verdict.message}")
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
    if alarm is None:
        raise RolledBack(f"The alarm {name} does not exist.")
    if alarm["StateValue"] == "ALARM":
        raise RolledBack(
            f"The deployment was rolled back: one or more of its alarms are in the ALARM state: [{name}]. "
            f"{alarm.get('StateReason', '')}".rstrip()
        )


def _share(size: dict[str, Any], instances: int) -> float:
    value = int(size["Value"])
    return min(1.0, value / 100 if size["Type"] == "CAPACITY_PERCENT" else value / max(1, instances))


def _steps(step: float, wait: int, last: int) -> Iterator[tuple[float, int]]:
    share = step
    while share < 1:
        yield share, wait
        share += step
    yield 1.0, last
