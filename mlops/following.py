"""Follows a release to its end, and says each step once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any

import typer

from mlops.plans import show_gates, show_metrics, show_plan
from mlops.screen import STYLES, Screen, status_word
from orchestrator.core.records import Status

if TYPE_CHECKING:  # botocore takes half a second to import, which `mlops validate` need not pay
    from mlops.api import Api

POLL_SECONDS = 3.0
"""Between two looks. A release takes minutes, and the API costs a fraction of a cent a thousand calls."""

GOOD_ENDS = frozenset({Status.SUCCEEDED, Status.UNCHANGED})
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def tell_started(
    answer: Mapping[str, Any], ids: Sequence[str], api: Api, screen: Screen, *, wait: bool, as_json: bool
) -> None:
    """Say what was started, and follow it to its end where that is wanted; exit status 1 unless all ended well."""
    for release_id in ids:
        screen.line(f"{release_id}: {answer['message']}")
    if not wait:
        if as_json:
            screen.answer(answer)
        else:
            screen.note(f"Follow it with `mlops status {ids[0]}`.")
        return
    ended = [follow(api, release_id, screen) for release_id in ids]
    if as_json:
        screen.answer(ended[0] if len(ended) == 1 else {"releases": ended})
    if any(found["status"] not in GOOD_ENDS for found in ended):
        raise typer.Exit(1)


def follow(api: Api, release_id: str, screen: Screen) -> dict[str, Any]:
    """Look until the release has ended; its last state. Ctrl-C ends the following, not the release."""
    said = ""
    asked: set[str] = set()
    try:
        while True:
            found = api.release(release_id)
            ended = Status(found["status"]).ended
            word = status_word(found["status"])
            stage = "" if ended else found["stage"]
            now = f"{release_id}: {word} {stage}".rstrip()
            if now != said:
                screen.line(now, STYLES.get(word, ""))
                said = now
            if ended:
                if found["reason"]:
                    screen.line(f"  {found['reason']}")
                return found
            _ask(found, asked, screen)
            sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        screen.note(f"The release goes on; see it with `mlops status {release_id}`.")
        raise typer.Exit(INTERRUPTED) from None


def _ask(found: dict[str, Any], asked: set[str], screen: Screen) -> None:
    """Show each plan that waits for approval, once."""
    for stage in found["stages"]:
        approval = stage["approval"]
        if approval and approval["status"] == "pending" and approval["approval_id"] not in asked:
            asked.add(approval["approval_id"])
            show_metrics(found["metrics"], screen)
            show_gates(stage.get("gates", []), stage["stage"], screen)
            if stage["plan"]:
                show_plan(stage["plan"], stage["stage"], screen)
            screen.line(f"  still needed: {approval['needed']}", "yellow")
            screen.note(f"Decide in Slack, or with `mlops approve {found['release_id']}`.")
