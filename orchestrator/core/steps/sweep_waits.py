"""Every minute: resolve what an event should have resolved, repeat answers that a dead function left unsaid, and
remind of questions that nobody has answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from orchestrator.core.ports import Accounts, Clock, Outcomes, Store, Tasks
from orchestrator.core.records import Approval, ApprovalStatus, Wait
from orchestrator.core.steps.abandoned import mend_abandoned
from orchestrator.core.steps.answers import answer
from orchestrator.core.steps.claim_reminders import claim_reminders
from orchestrator.core.steps.executions import Machines
from orchestrator.core.steps.outside_decisions import note_outside
from orchestrator.core.steps.settle import settle

T = TypeVar("T")

BATCH = 500
"""Open waits looked at in one sweep. Of more, each sweep takes the next ones: jobs that run for weeks, or waits that
cannot be looked at, keep no other waiting for longer than it takes to come round."""

OPEN = 20_000
"""Open waits and approvals that are read together: more than one installation has."""

TIME = timedelta(minutes=4)
"""After which a sweep begins nothing more: its function is ended after five minutes."""

OUTSIDE_TIME = timedelta(minutes=1)
"""Of that, for questions that a pipeline waits for."""
ASKED = 150
"""How many of them are looked at each minute: two calls each."""


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    open: int
    settled: int
    answered: int
    failures: tuple[str, ...]
    """One sentence for each wait, approval or release that could not be looked at; the others were."""
    mended: tuple[str, ...] = ()
    """Releases whose execution was gone, or had never begun."""
    reminded: int = 0
    """Reminders that it has had sent."""
    outside: int = 0
    """Questions that were answered outside the policy, see ``outside_decisions``."""


def sweep_waits(
    *, store: Store, accounts: Accounts, tasks: Tasks, outcomes: Outcomes, machines: Machines, now: Clock
) -> Swept:
    """Look at what waits; one that cannot be looked at never keeps the others waiting."""
    began = now()
    waiting = store.listed_together((Approval, Wait), "WAITING", limit=OPEN)
    approvals = [one for one in waiting if isinstance(one, Approval)]
    answered, failures = _repeat_answers(approvals, store, tasks)
    outside, unseen = _note_outside(approvals, store, accounts, tasks, now)
    reminded, unreminded = claim_reminders(approvals, store=store, now=now)
    failures += [*unseen, *unreminded]
    settled = 0
    waits = [one for one in waiting if isinstance(one, Wait)]
    for wait in _from_here_on(waits, began, BATCH):
        if now() - began > TIME:
            break
        try:
            settled += settle(wait, store=store, accounts=accounts, tasks=tasks, now=now)
        except Exception as error:  # whatever it is, the next wait has a right to be looked at
            failures.append(f"{wait.release_id} in {wait.stage}: {error}")
    mended = mend_abandoned(store=store, tasks=tasks, outcomes=outcomes, machines=machines, now=now)
    return Swept(len(waits), settled, answered, (*failures, *mended.failures), mended.releases, reminded, outside)


def _repeat_answers(approvals: Sequence[Approval], store: Store, tasks: Tasks) -> tuple[int, list[str]]:
    answered, failures = 0, []
    for approval in approvals:
        if approval.status is ApprovalStatus.PENDING:
            continue
        try:
            answer(approval, store=store, tasks=tasks)
            answered += 1
        except Exception as error:
            failures.append(f"approval of {approval.release_id} in {approval.stage}: {error}")
    return answered, failures


def _note_outside(
    approvals: Sequence[Approval], store: Store, accounts: Accounts, tasks: Tasks, now: Clock
) -> tuple[int, list[str]]:
    began, outside, failures = now(), 0, []
    asked = [one for one in approvals if one.in_pipeline and one.status is ApprovalStatus.PENDING]
    for approval in _from_here_on(asked, began, ASKED):
        if now() - began > OUTSIDE_TIME:
            break
        try:
            outside += note_outside(approval, store=store, accounts=accounts, tasks=tasks, now=now)
        except Exception as error:
            failures.append(f"approval of {approval.release_id} in {approval.stage}: {error}")
    return outside, failures


def _from_here_on(waiting: Sequence[T], moment: datetime, batch: int) -> Sequence[T]:
    """A batch: the oldest first while all fit into one, else each minute those after the last minute's."""
    if len(waiting) <= batch:
        return waiting
    first = int(moment.timestamp() // 60) * batch % len(waiting)
    return [*waiting[first:], *waiting[:first]][:batch]
