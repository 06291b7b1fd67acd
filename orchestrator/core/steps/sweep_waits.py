"""Every minute: resolve what an event should have resolved, and repeat answers that a dead function left unsaid."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.ports import Accounts, Clock, Store, Tasks
from orchestrator.core.records import Approval, ApprovalStatus, Wait
from orchestrator.core.steps.request_approval import answer
from orchestrator.core.steps.settle import settle

BATCH = 500
"""Open waits looked at in one sweep: the oldest in one minute, the newest in the next. Jobs may run for days, and many
of them must not keep those that came later from being looked at."""


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    open: int
    settled: int
    answered: int
    failures: tuple[str, ...]
    """One sentence for each wait or approval that could not be looked at; the others were."""


def sweep_waits(*, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> Swept:
    """Look at every open wait once; one that cannot be looked at never keeps the others waiting."""
    settled = answered = 0
    failures: list[str] = []
    waits = store.listed(Wait, "WAITING", limit=BATCH, newest_first=now().minute % 2 == 1)
    for wait in waits:
        try:
            settled += settle(wait, store=store, accounts=accounts, tasks=tasks, now=now)
        except Exception as error:  # whatever it is, the next wait has a right to be looked at
            failures.append(f"{wait.release_id} in {wait.stage}: {error}")
    for approval in store.listed(Approval, "WAITING", limit=BATCH):
        if approval.status is ApprovalStatus.PENDING:
            continue
        try:
            answer(approval, store=store, tasks=tasks)
            answered += 1
        except Exception as error:
            failures.append(f"approval of {approval.release_id} in {approval.stage}: {error}")
    return Swept(len(waits), settled, answered, tuple(failures))
