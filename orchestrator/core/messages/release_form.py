"""The form in which somebody starts a release: opened by the front, filled by the worker, with what came of it at last.

The front opens it while the trigger id lives, before any workload is known; choosing one asks the worker for the
versions of its configuration. What the form carries is the channel it was asked for in, where a private answer goes
when the form is closed by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, context, plain_text, section
from orchestrator.core.messages.mrkdwn import code, said

RELEASE_VIEW = "release_form"
"""callback_id."""

WORKLOAD, VERSION, FORCE = "workload", "version", "force"
"""action_ids, and the block_ids of the first and the last."""

TITLE = "Start a release"


@dataclass(frozen=True)
class Choice:
    """One option of a list: what is sent, and what is shown."""

    value: str
    shown: str


@dataclass(frozen=True)
class Filled:
    """What somebody has filled in."""

    workload: str = ""
    version: str = ""
    force: bool = False


def form_id(user: str, trigger: str) -> str:
    """external_id of the form that one command opens: front and worker compute the same."""
    return f"release-{hashlib.sha256(f'{user}|{trigger}'.encode()).hexdigest()[:40]}"


def loading_form(channel: str, external_id: str) -> Block:
    """Opened at once; it cannot be submitted yet."""
    return _view(channel, [section("One moment …")], external_id)


def starting_form(channel: str, external_id: str) -> Block:
    """Shown from the submission until it is known what comes of it."""
    return _view(channel, [section("The release is being started …")], external_id)


def told_form(channel: str, external_id: str, sentence: str) -> Block:
    """The last word, in mrkdwn: what was started, or why nothing can be."""
    return _view(channel, [section(sentence)], external_id)


def asking_form(
    channel: str,
    workloads: Sequence[str],
    filled: Filled,
    versions: Sequence[Choice] = (),
    came_from: str = "",
    wrong: str = "",
    external_id: str = "",
) -> Block:
    """Asks for the workload and, once that is chosen, for the version of its configuration.

    ``came_from`` says in mrkdwn where the configuration is; ``wrong``, in mrkdwn, why the last submission started
    nothing.
    """
    blocks = [section(f":warning: {wrong}")] if wrong else []
    shown = workloads[: limits.OPTIONS]
    blocks.append(
        _input(
            WORKLOAD, "Workload", _list(WORKLOAD, "Choose one", [Choice(name, name) for name in shown], filled.workload)
        )
        | {"dispatch_action": True}
    )
    if len(workloads) > len(shown):
        blocks.append(context(f"The first {len(shown)} by name; for any other: {code('/mlops release NAME', 100)}"))
    if versions:
        # Another block for each workload: an answer to a list that is gone would not be an answer to this one.
        block_id = f"{VERSION}-{hashlib.sha256(filled.workload.encode()).hexdigest()[:8]}"
        known = {one.value for one in versions}
        chosen = filled.version if filled.version in known else versions[0].value
        blocks.append(_input(block_id, "Version of its configuration", _list(VERSION, "The newest", versions, chosen)))
    if came_from:
        blocks.append(context(came_from))
    blocks.append(_force(filled.force))
    view = _view(channel, blocks, external_id)
    return view | {"submit": plain_text("Release", limits.VIEW_TITLE), "close": plain_text("Cancel", limits.VIEW_TITLE)}


def filled_in(state: object) -> Filled:
    """What a view's ``state`` holds."""
    values = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for answers in values.values() if isinstance(values, Mapping) else ():
        for name, answer in answers.items() if isinstance(answers, Mapping) else ():
            found[str(name)] = answer if isinstance(answer, Mapping) else {}
    ticked = found.get(FORCE, {}).get("selected_options")
    return Filled(_chosen(found.get(WORKLOAD, {})), _chosen(found.get(VERSION, {})), bool(ticked))


def form_problems(filled: Filled) -> dict[str, str]:
    """What is missing, by block, as Slack shows it beside the field."""
    return {} if filled.workload else {WORKLOAD: "Please choose the workload to release."}


def started(workload: str, releases: Sequence[str]) -> str:
    """What was started, in mrkdwn."""
    ids = ", ".join(code(name, limits.VALUE) for name in releases)
    return f":rocket: {said(workload, limits.NAME)}: release {ids} has started. Its message in the channel follows it."


def _chosen(answer: Mapping[str, Any]) -> str:
    option = answer.get("selected_option")
    value = option.get("value") if isinstance(option, Mapping) else None
    return value if isinstance(value, str) else ""


def _force(ticked: bool) -> Block:
    option = {
        "text": plain_text("Also when this content is live already", limits.OPTION_TEXT),
        "value": FORCE,
    }
    element: Block = {"type": "checkboxes", "action_id": FORCE, "options": [option]}
    if ticked:
        element["initial_options"] = [option]
    return _input(FORCE, "Force", element) | {"optional": True}


def _list(action_id: str, placeholder: str, choices: Sequence[Choice], chosen: str) -> Block:
    options = [{"text": plain_text(one.shown, limits.OPTION_TEXT), "value": one.value} for one in choices]
    element: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder, limits.OPTION_TEXT),
        "options": options,
    }
    initial = next((option for option in options if option["value"] == chosen), None)
    return element | {"initial_option": initial} if initial else element


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": plain_text(label, limits.INPUT_LABEL), "element": element}


def _view(channel: str, blocks: list[Block], external_id: str) -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": RELEASE_VIEW,
        "private_metadata": channel,
        "title": plain_text(TITLE, limits.VIEW_TITLE),
        "close": plain_text("Close", limits.VIEW_TITLE),
        "blocks": blocks,
    }
    return view | {"external_id": external_id} if external_id else view
