"""Schedules fired on request: rules with a rate or cron expression, and EventBridge Scheduler's schedules.

The emulator's own clock fires them too, once they are due; a test need not wait for it.
"""

from __future__ import annotations

from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.services.eventbridge", "_parse_cron_fields", ("expr",)),
    Seam("ministack.services.eventbridge", "_parse_rate_seconds", ("expr",)),
    Seam("ministack.services.eventbridge", "_rule_last_fired"),
    Seam("ministack.services.eventbridge", "_rules"),
    Seam("ministack.services.eventbridge", "_tick_scheduled_rules", ()),
    Seam("ministack.services.scheduler", "_schedule_last_fired"),
    Seam("ministack.services.scheduler", "_schedules"),
    Seam("ministack.services.scheduler", "_tick_schedules", ()),
)

_LONG_AGO = 0.0


def install() -> None:
    """Nothing to wrap: :func:`run` is called by the control endpoint."""


def run(account: str = "") -> list[str]:
    """Fire every enabled recurring schedule of an account, or of all; the ARNs of what fired."""
    from ministack.services import eventbridge, scheduler

    fired: list[str] = []
    for store, last in (
        (eventbridge._rules, eventbridge._rule_last_fired),
        (scheduler._schedules, scheduler._schedule_last_fired),
    ):
        for key, record in list(store._data.items()):
            if (not account or key[0] == account) and record.get("State") == "ENABLED" and _recurs(record):
                last[key] = _LONG_AGO
                fired.append(str(record["Arn"]))
    eventbridge._tick_scheduled_rules()
    scheduler._tick_schedules()
    return fired


def _recurs(record: dict[str, Any]) -> bool:
    from ministack.services import eventbridge

    expression = record.get("ScheduleExpression") or ""
    return (
        eventbridge._parse_rate_seconds(expression) is not None
        or eventbridge._parse_cron_fields(expression) is not None
    )
