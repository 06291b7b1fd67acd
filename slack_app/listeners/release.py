"""``/mlops release``: by words, or in the form that the front has opened; either way it is told what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from orchestrator.core.errors import Refused, StepFailed
from orchestrator.core.messages import limits, private
from orchestrator.core.messages.blocks import Block, Message
from orchestrator.core.messages.mrkdwn import code, cut, lines, said
from orchestrator.core.messages.release_form import (
    RELEASE_VIEW,
    WORKLOAD,
    Choice,
    Filled,
    asking_form,
    filled_in,
    form_id,
    started,
    told_form,
)
from orchestrator.core.people import Identity
from orchestrator.core.problems import BadConfiguration
from slack_app.desk import Desk
from slack_app.front.answering import text
from slack_app.identity import caller, member
from slack_app.whisper import whisper

VERSIONS = 20
"""Versions of a configuration that are offered."""

_NOT_OPEN = frozenset({"not_found", "view_not_found"})
"""Codes of views.update for a form that never opened or was closed (reference/methods/views.update)."""

USAGE = "Write /mlops release WORKLOAD, with --version VERSION or --force where you need them."


def register(app: App, desk: Desk) -> None:
    """Listen to the form."""

    def choose(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        view = body.get("view") or {}
        channel, external_id = text(view, "private_metadata"), text(view, "external_id")
        filled = filled_in(view.get("state"))
        _show(client, asked(channel, filled, external_id, body, client, desk), view_id=text(view, "id"))

    def submit(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        submitted(body, client, desk)

    app.action({"action_id": WORKLOAD, "type": "block_actions"})(choose)
    app.view(RELEASE_VIEW)(submit)


def open_form(body: dict[str, Any], client: WebClient, desk: Desk) -> Message | None:
    """Fill the form that the front has opened; what to say instead where there is none."""
    channel, user = text(body, "channel_id"), caller(body).user
    external_id = form_id(user, text(body, "trigger_id"))
    form = asked(channel, Filled(), external_id, body, client, desk)
    if _show(client, form, external_id=external_id):
        return None
    return private.told(f"The form did not open in time. Please try again. {USAGE}")


def asked(
    channel: str,
    filled: Filled,
    external_id: str,
    body: Mapping[str, Any],
    client: WebClient,
    desk: Desk,
    wrong: str = "",
) -> Block:
    """The form as it should stand now; for somebody who may start nothing, a sentence."""
    from orchestrator.core.steps import release_again

    try:
        release_again.may_start(member(caller(body), client, desk.installation), desk.installation)
        names = release_again.workloads(desk.store, limits.OPTIONS + 1)
        if not names:
            raise Refused("Nothing has been released yet: upload a configuration first.")
        versions, came_from = _versions(filled.workload, desk) if filled.workload else ((), "")
    except Refused as refusal:
        return told_form(channel, external_id, said(str(refusal), limits.SECTION_TEXT))
    return asking_form(channel, names, filled, versions, came_from, wrong, external_id)


def _versions(workload: str, desk: Desk) -> tuple[Sequence[Choice], str]:
    """What can be released of a workload, newest first, and where it lies, in mrkdwn."""
    from orchestrator.core.steps import release_again

    reception = desk.reception
    found = release_again.origin(workload, desk.store, reception.assets_bucket)
    if not found.bucket:
        return (), f"Released once more: the configuration of {code(found.latest.release_id, limits.VALUE)}."
    choices = [
        Choice(
            one.version_id, cut(f"{one.written_at[:16].replace('T', ' ')} UTC, {one.version_id}", limits.OPTION_TEXT)
        )
        for one in release_again.versions(found, reception.objects, VERSIONS)
        if len(one.version_id) <= limits.OPTION_VALUE
    ]
    return choices, f"{code(found.key, limits.VALUE)} in bucket {code(found.bucket, limits.VALUE)}"


def submitted(body: dict[str, Any], client: WebClient, desk: Desk) -> None:
    """Start what the form says, and tell it in the form; where that is closed, in the channel."""
    view = body.get("view") or {}
    channel, external_id, view_id = (text(view, name) for name in ("private_metadata", "external_id", "id"))
    filled = filled_in(view.get("state"))
    done, sentence = _started(filled, f"form-{view_id}-{text(view, 'hash')}", body, client, desk)
    if done:
        form = told_form(channel, external_id, sentence)
    else:
        form = asked(channel, filled, external_id, body, client, desk, wrong=sentence)
    if not _show(client, form, view_id=view_id):
        whisper(client, channel, caller(body).user, private.in_markup(sentence))


def by_words(words: Sequence[str], body: dict[str, Any], client: WebClient, desk: Desk) -> Message:
    """``/mlops release WORKLOAD [--version VERSION] [--force]``."""
    filled = _read(words)
    if filled is None:
        return private.told(USAGE)
    _, sentence = _started(filled, f"command-{text(body, 'trigger_id')}", body, client, desk)
    return private.in_markup(sentence)


def _read(words: Sequence[str]) -> Filled | None:
    workload, version, force = "", "", False
    rest = list(words)
    while rest:
        match rest.pop(0):
            case "--force":
                force = True
            case "--version" if rest:
                version = rest.pop(0)
            case word if not workload and not word.startswith("-"):
                workload = word
            case _:
                return None
    return Filled(workload, version, force) if workload else None


def _started(filled: Filled, request: str, body: Mapping[str, Any], client: WebClient, desk: Desk) -> tuple[bool, str]:
    """Whether a release was started, and what to say, in mrkdwn."""
    from orchestrator.core.steps.release_again import Wish, release_again

    try:
        who: Identity = member(caller(body), client, desk.installation)
        wish = Wish(filled.workload, filled.version, filled.force)
        receipt = release_again(wish, who, request, desk.reception)
    except BadConfiguration as error:
        found = [f"• {said(problem.sentence, 400)}" for problem in error.problems[: limits.PROBLEMS]]
        head = "The configuration has problems; nothing was started:"
        return False, lines([head, *found], limits.SECTION_TEXT - 100, len(error.problems) + 1)
    except (Refused, StepFailed) as refusal:
        return False, said(str(refusal), limits.SECTION_TEXT - 100)
    return True, started(filled.workload, [release.release_id for release in receipt.releases])


def _show(client: WebClient, form: Block, **which: str) -> bool:
    """Whether the form was there to be shown."""
    try:
        client.views_update(view=form, **which)
    except SlackApiError as error:
        if error.response.get("error") not in _NOT_OPEN:
            raise
        return False
    return True
