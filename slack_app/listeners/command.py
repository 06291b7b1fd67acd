"""``/mlops``: which word is whose, answered to the person alone; each subject has a module of its own."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from orchestrator.core.errors import Refused, UnknownRelease
from orchestrator.core.messages import limits, private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.mrkdwn import unescape
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import Release
from orchestrator.core.steps.notify_release import gather
from slack_app.desk import Desk
from slack_app.front.answering import COMMAND, ROLLBACK, text
from slack_app.identity import caller, member
from slack_app.listeners import history, release, roll_back, votes_in_words, why

logger = logging.getLogger("slack_app")


def register(app: App, desk: Desk) -> None:
    """Listen to the command."""

    def command(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        ack()
        message = answered(body, client, desk)
        if message is None:
            return
        sent = respond(
            text=message.text, blocks=list(message.blocks), response_type="ephemeral", replace_original=False
        )
        if sent.status_code != 200:
            logger.warning("an answer to %s was not shown: status %s", COMMAND, sent.status_code)

    app.command(COMMAND)(command)


def answered(body: dict[str, Any], client: WebClient, desk: Desk) -> Message | None:
    """The answer to a command's words; None where a form has said it."""
    typed = unescape(text(body, "text")).strip()
    words = typed.split()
    if words == ["release"]:
        # Whoever may not is told in the form, which is open by now.
        return release.open_form(body, client, desk)
    if words[:1] == [ROLLBACK]:
        return roll_back.by_words(words[1:], body, client, desk)
    try:
        member(caller(body), client, desk.installation)
    except Refused as refusal:
        return private.told(str(refusal))
    match words:
        case [] | ["help", *_]:
            return private.help_message()
        case ["status"]:
            releases = desk.store.listed(Release, "RELEASES", limit=limits.LISTED, newest_first=True)
            return private.release_list(releases, desk.installation)
        case ["status", release_id, *_]:
            return _status(release_id, desk)
        case ["release", *rest]:
            return release.by_words(rest, body, client, desk)
        case [verb, *_] if verb in votes_in_words.VERBS:
            return votes_in_words.decided(verb, typed.removeprefix(verb), body, client, desk)
        case ["why", release_id]:
            return why.explained(release_id, desk)
        case ["history", workload]:
            return history.told(workload, desk)
        case ["why" | "history" as verb, *_]:
            return private.told(f"Write /mlops {verb} {'RELEASE' if verb == 'why' else 'WORKLOAD'}.")
        case [word, *_]:
            return private.unknown_command(word)
    return private.help_message()


def _status(release_id: str, desk: Desk) -> Message:
    try:
        # A copy that nobody keeps current has no buttons.
        return release_message(gather(release_id, desk.store, desk.installation), buttons=False)
    except UnknownRelease:
        return private.no_release(release_id)
