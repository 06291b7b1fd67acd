"""Answering the task that waits for an approval with what has become of it."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.ports import Store, Tasks
from orchestrator.core.records import Approval


def answer(approval: Approval, *, store: Store, tasks: Tasks) -> None:
    """Tell the state machine what was decided, then forget the token. Repeated by the sweeper until it holds."""
    if approval.token is None:
        return
    tasks.succeed(approval.token, {"decision": approval.status.value})
    token = approval.token
    store.update(
        Approval,
        approval.key(),
        lambda current: replace(current, token=None) if current.token == token else current,
    )
