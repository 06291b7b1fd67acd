"""The way back: a button of a release's message, or ``/mlops rollback``, opens a dialog; it is told what came of it.

The front has opened the dialog. Here it is filled with what the rollback would do as things stand now, and when it is
submitted they are looked at once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from orchestrator.core.errors import Refused, StepFailed
from orchestrator.core.figures import MAX_FIGURES, side_by_side, told
from orchestrator.core.installation import Installation
from orchestrator.core.messages import limits, private
from orchestrator.core.messages.blocks import Block, Message
from orchestrator.core.messages.mrkdwn import date, quote, said
from orchestrator.core.messages.provenance import provenance
from orchestrator.core.messages.rollback_dialog import (
    ROLL_BACK,
    ROLLBACK_VIEW,
    Shown,
    Side,
    asking_rollback,
    release_in,
    rollback_id,
    rollback_started,
    shown_in,
    told_rollback,
    why_in,
)
from orchestrator.core.origins import SourceKind
from orchestrator.core.records import Release
from orchestrator.core.steps.progress import find_workload, release_of
from orchestrator.core.steps.way_back import WayBack, offered, way_back
from slack_app.desk import Desk
from slack_app.front.answering import text
from slack_app.identity import caller, member
from slack_app.whisper import whisper

_NOT_OPEN = frozenset({"not_found", "view_not_found"})
"""Codes of views.update for a dialog that never opened or was closed (reference/methods/views.update)."""

USAGE = "Write /mlops rollback WORKLOAD, with the id of a RELEASE behind it for any but the one that was live before."

NOWHERE = "There is nothing to go back to from this release: what it deployed is live, or nothing else was before it."


def register(app: App, desk: Desk) -> None:
    """Listen to the button and to the dialog."""

    def click(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        action = (body.get("actions") or [{}])[0]
        external_id = rollback_id(caller(body).user, text(action, "action_ts"))
        channel, clicked = text(body, "channel", "id"), release_in(action.get("value"))
        _fill(lambda: _clicked(clicked, desk), channel, external_id, body, client, desk)

    def submit(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        shown = shown_in(text(body, "view", "private_metadata"))
        if shown is not None:
            submitted(shown, body, client, desk)

    app.action(ROLL_BACK)(click)
    app.view(ROLLBACK_VIEW)(submit)


def by_words(words: Sequence[str], body: dict[str, Any], client: WebClient, desk: Desk) -> Message | None:
    """``/mlops rollback WORKLOAD [RELEASE]``: fill the dialog that the front has opened."""
    external_id = rollback_id(caller(body).user, text(body, "trigger_id"))
    channel = text(body, "channel_id")

    def named() -> WayBack:
        if not 1 <= len(words) <= 2:
            raise Refused(USAGE)
        return way_back(words[0], words[1] if words[1:] else "", desk.store)

    _fill(named, channel, external_id, body, client, desk)
    return None


def _clicked(release_id: str, desk: Desk) -> WayBack:
    """What a click on this release's message means now, whatever it meant when the message was written."""
    release = release_of(desk.store, release_id)
    target = offered(release, find_workload(desk.store, release.workload), desk.store)
    if not target:
        raise Refused(NOWHERE)
    return way_back(release.workload, target, desk.store)


def _fill(
    found: Callable[[], WayBack], channel: str, external_id: str, body: Mapping[str, Any], client: WebClient, desk: Desk
) -> None:
    """Show in the dialog what would be done, or why nothing can be; in the channel where it did not open."""
    from orchestrator.core.steps.release_again import may_start

    refused = ""
    try:
        may_start(member(caller(body), client, desk.installation), desk.installation)
        view = _asking(found(), channel, external_id, desk.installation)
    except Refused as refusal:
        refused = str(refusal)
        view = told_rollback(channel, external_id, said(refused, limits.SECTION_TEXT))
    if not _show(client, view, external_id=external_id):
        lost = "The dialog did not open in time. Please try again."
        whisper(client, channel, caller(body).user, private.told(refused or lost))


def _asking(found: WayBack, channel: str, external_id: str, installation: Installation) -> Block:
    to, live = found.target, found.live
    shown = Shown(channel, to.workload, to.release_id, live.release_id if live is not None else "")
    until = f", until {date(found.live_until)}" if found.live_until else ""
    figures = [
        told(said(name, limits.NAME), value, beside)
        for name, value, beside in side_by_side(to.metrics, live.metrics if live is not None else ())
    ]
    return asking_rollback(
        shown,
        external_id,
        _side(to, f"Live since {date(found.live_from)}{until}", installation),
        _side(live, f"Live since {date(live.updated_at)}", installation) if live is not None else None,
        figures[:MAX_FIGURES],
    )


def _side(release: Release, when: str, installation: Installation) -> Side:
    who = said(installation.people.display(release.requester), limits.NAME)
    facts = [f"{when} · asked for by {who}", f":package: {provenance(release)}"]
    description = quote(release.description, limits.NAME * 2)
    return Side(release.release_id, (*facts, *([description] if description else [])))


def submitted(shown: Shown, body: dict[str, Any], client: WebClient, desk: Desk) -> None:
    """Start the rollback that the dialog has shown, and say so in it; where that is closed, in the channel."""
    view = body.get("view") or {}
    sentence = _started(shown, why_in(view.get("state")), f"dialog-{text(view, 'id')}", body, client, desk)
    told_in = told_rollback(shown.channel, text(view, "external_id"), sentence)
    if not _show(client, told_in, view_id=text(view, "id")):
        whisper(client, shown.channel, caller(body).user, private.in_markup(sentence))


def _started(shown: Shown, why: str, request: str, body: Mapping[str, Any], client: WebClient, desk: Desk) -> str:
    """What to say of it, in mrkdwn."""
    from orchestrator.core.steps.release_again import may_start
    from orchestrator.core.steps.roll_back import Return, roll_back

    try:
        who = member(caller(body), client, desk.installation)
        may_start(who, desk.installation)
        wish = Return(shown.workload, shown.to, why, seen_live=shown.live)
        receipt = roll_back(wish, who, request, SourceKind.SLACK, desk.reception)
    except (Refused, StepFailed) as refusal:
        return said(str(refusal), limits.SECTION_TEXT - 100)
    return rollback_started(shown.workload, shown.to, receipt.releases[0].release_id)


def _show(client: WebClient, view: Block, **which: str) -> bool:
    """Whether the dialog was there to be shown."""
    try:
        client.views_update(view=view, **which)
    except SlackApiError as error:
        if error.response.get("error") not in _NOT_OPEN:
            raise
        return False
    return True
