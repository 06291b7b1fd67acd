"""``/mlops why RELEASE``."""

from __future__ import annotations

from orchestrator.core.errors import UnknownRelease
from orchestrator.core.messages import private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.why import why_message
from orchestrator.core.steps.notify_release import gather
from slack_app.desk import Desk


def explained(release_id: str, desk: Desk) -> Message:
    """What the release waits for, and who could decide."""
    try:
        return why_message(gather(release_id, desk.store, desk.installation))
    except UnknownRelease:
        return private.no_release(release_id)
