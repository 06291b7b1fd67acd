"""``/mlops history WORKLOAD``."""

from __future__ import annotations

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.history import history_message, no_history
from orchestrator.core.records import Release
from orchestrator.core.steps.notify_release import gather
from slack_app.desk import Desk

LOOKED_AT = 100
"""Newest releases of the installation that are looked at, as `mlops history` does."""


def told(workload: str, desk: Desk) -> Message:
    """What was released of the workload, newest first."""
    newest = desk.store.listed(Release, "RELEASES", limit=LOOKED_AT, newest_first=True)
    found = [release for release in newest if release.workload == workload][: limits.LISTED]
    if not found:
        return no_history(workload, sorted({release.workload for release in newest if release.workload_type}))
    return history_message(workload, [gather(release.release_id, desk.store, desk.installation) for release in found])
