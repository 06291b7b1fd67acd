"""Each minute: note on the questions that are due for a reminder that one is sent now; the stream has it told.

The note is the claim, a conditional write: of two sweeps at one time one writes it, and a sweep that dies after it has
sent nothing twice. What is sent is rendered by ``notify_release`` from the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.core.ports import Clock, Store
from orchestrator.core.records import Approval
from orchestrator.core.reminders import due
from orchestrator.core.steps.progress import stamp


def claim_reminders(approvals: Sequence[Approval], *, store: Store, now: Clock) -> tuple[int, tuple[str, ...]]:
    """How many reminders were claimed, and a sentence for each question that could not be looked at.

    ``approvals`` may be old: each is looked at again before it is written.
    """
    claimed, failures = 0, []
    for approval in approvals:
        if not due(approval, now()):
            continue
        try:
            claimed += _claim(approval, store, now)
        except Exception as error:  # whatever it is, the next question has a right to its reminder
            failures.append(f"reminder of {approval.release_id} in {approval.stage}: {error}")
    return claimed, tuple(failures)


def _claim(approval: Approval, store: Store, now: Clock) -> bool:
    claimed = False

    def change(current: Approval) -> Approval:
        nonlocal claimed
        moment = now()
        claimed = due(current, moment)
        return replace(current, reminded_at=(*current.reminded_at, stamp(moment))) if claimed else current

    store.update(Approval, approval.key(), change)
    return claimed
