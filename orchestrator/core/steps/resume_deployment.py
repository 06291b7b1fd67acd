"""A status event came from a stage account: resume what waits for it, if what it says is so."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.events import PipelineChanged, StackChanged, StatusEvent
from orchestrator.core.plans import execution_subject
from orchestrator.core.ports import Accounts, Clock, Store, Tasks
from orchestrator.core.records import Wait
from orchestrator.core.steps.outside_decisions import look_outside
from orchestrator.core.steps.settle import settle


@dataclass(frozen=True)
class Resumed:
    """What came of an event."""

    ended: int = 0
    """Waits that have ended."""
    outside: int = 0
    """Questions that were answered outside the policy, see ``outside_decisions``."""


def resume_deployment(event: StatusEvent, *, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> Resumed:
    """Settle the waits for the stack, job or pipeline's execution that the event names.

    An event about something nobody waits for costs one read. An event that says more than CloudFormation itself says
    resumes nothing.
    """
    outside = 0
    if isinstance(event, StackChanged):
        if event.status.endswith("_IN_PROGRESS"):
            return Resumed()
        subject = event.stack_id
    elif isinstance(event, PipelineChanged):
        subject = execution_subject(event.pipeline, event.execution_id)
        outside += look_outside(
            event.pipeline, event.execution_id, store=store, accounts=accounts, tasks=tasks, now=now
        )
    else:
        subject = event.arn
    waits = store.under(Wait, f"WAIT#{subject}")
    ended = sum(settle(wait, store=store, accounts=accounts, tasks=tasks, now=now) for wait in waits)
    return Resumed(ended, outside)
