"""A status event came from a stage account: resume what waits for it, if what it says is so."""

from __future__ import annotations

from orchestrator.core.events import StackChanged, StatusEvent
from orchestrator.core.ports import Accounts, Clock, Store, Tasks
from orchestrator.core.records import Wait
from orchestrator.core.steps.settle import settle


def resume_deployment(event: StatusEvent, *, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> int:
    """Settle the waits for the stack or job that the event names; how many have ended.

    An event about something nobody waits for costs one read. An event that says more than CloudFormation itself says
    resumes nothing.
    """
    if isinstance(event, StackChanged):
        if event.status.endswith("_IN_PROGRESS"):
            return 0
        subject = event.stack_id
    else:
        subject = event.arn
    waits = store.under(Wait, f"WAIT#{subject}")
    return sum(settle(wait, store=store, accounts=accounts, tasks=tasks, now=now) for wait in waits)
