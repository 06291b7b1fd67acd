"""Decides as people do: with the buttons of a release's message on the local Slack page."""

from __future__ import annotations

import time
from collections.abc import Sequence

from local.settings import CHANNEL
from local.slack.client import Button, SlackPage

PATIENCE_SECONDS = 60.0
"""A message follows the record within a second or two."""

APPROVERS = ("U0BEN", "U0CHLOE")
"""An ML owner and somebody of risk: together enough for every stage of the local installation."""


def approve(slack: SlackPage, approval_id: str, users: Sequence[str] = APPROVERS) -> None:
    """Each of them clicks Approve on this question."""
    for user in users:
        button = button_of(slack, approval_id, "approve")
        # Between look and click the message may be drawn anew; what the button says stays the same.
        slack.click(user, button.channel, button.ts, "approve", button.value, stale=True)


def reject(slack: SlackPage, approval_id: str, reason: str, user: str = APPROVERS[0]) -> None:
    """Click Reject on this question, and give the reason in the dialog."""
    button = button_of(slack, approval_id, "reject")
    slack.click(user, button.channel, button.ts, "reject", button.value, stale=True)
    view = slack.wait_for_view(user)
    slack.submit_view(user, view["id"], {"reason": reason})


def button_of(slack: SlackPage, approval_id: str, action_id: str) -> Button:
    """The question's button, once the message shows it; raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # Other releases may ask at the same time.
        button = slack.newest_button(CHANNEL, action_id, approval_id)
        if button is not None:
            return button
        time.sleep(0.1)
    raise TimeoutError(f"no {action_id} button of approval {approval_id} within {PATIENCE_SECONDS:.0f} s")
