"""Answers to elements, in the shapes Slack puts into `state.values` and `actions`.

Pages and tests give raw answers: text for inputs, an option's value for selects and radio buttons, an id for people and
channels, a list of these where several may be chosen, None for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from local.slack.checks import elements_of
from local.slack.elements import TEXT_INPUTS, all_options
from local.slack.schema import Json

# Element type -> the field of its answer, and the field that holds its first answer.
_FIELDS: Final = {
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    **dict.fromkeys(TEXT_INPUTS, ("value", "initial_value")),
}


class NotOffered(ValueError):
    """An answer that the element does not offer, so that no click in Slack could give it."""


def initial_values(blocks: list[Json]) -> Json:
    """state.values before anybody touched anything."""
    values: Json = {}
    for block, element in _stateful(blocks):
        name, initial = _FIELDS[element["type"]]
        empty: Any = [] if name.endswith("s") else None
        answer = {"type": element["type"], name: element.get(initial, empty)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = answer
    return values


def answered(blocks: list[Json], values: Json, given: Json) -> Json:
    """`values` with the raw answers `given` as {block_id: {action_id: raw}}. Raises NotOffered."""
    merged = {block_id: dict(answers) for block_id, answers in values.items()}
    for block_id, answers in given.items():
        if not isinstance(answers, dict):
            raise NotOffered(f"no input {block_id}; there are {_known(values)}")
        for action_id, raw in answers.items():
            if action_id not in merged.get(block_id, {}):
                raise NotOffered(f"no input {block_id}/{action_id}; there are {_known(values)}")
            element = next(e for b, e in _stateful(blocks) if (b["block_id"], e["action_id"]) == (block_id, action_id))
            merged[block_id][action_id] = answer_of(element, raw)
    return merged


def in_full(blocks: list[Json], given: Json) -> Json:
    """`given` as {block_id: {action_id: raw}}, where {block_id: raw} may stand for a block with one element."""
    only = {block["block_id"]: element["action_id"] for block, element in _stateful(blocks)}
    return {
        block_id: raw if isinstance(raw, dict) or block_id not in only else {only[block_id]: raw}
        for block_id, raw in given.items()
    }


def answer_of(element: Json, raw: object) -> Json:
    """The answer object of one element. Raises NotOffered for a value it does not offer."""
    kind = element["type"]
    if kind == "button":
        return {"type": kind, "text": element["text"], **({"value": element["value"]} if "value" in element else {})}
    if kind == "overflow":
        return {"type": kind, "selected_option": _option(element, raw)}
    name = _FIELDS[kind][0]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": str(raw) if raw not in (None, "") else None}
    if name.endswith("s"):
        many = list(raw) if isinstance(raw, (list, tuple)) else [] if raw in (None, "") else [raw]
        return {"type": kind, name: [_option(element, each) if "option" in name else each for each in many]}
    if raw in (None, ""):
        return {"type": kind, name: None}
    if name == "selected_date_time":
        return {"type": kind, name: int(str(raw))}
    return {"type": kind, name: _option(element, raw) if "option" in name else raw}


def refusals(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack itself says about a form before the app is asked: {block_id: sentence}."""
    found: dict[str, str] = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            answer = values[block["block_id"]][element["action_id"]]
            content = answer[_FIELDS[element["type"]][0]]
            sentence = _refusal(element, content, bool(block.get("optional")))
            if sentence:
                found[block["block_id"]] = sentence
    return found


def _refusal(element: Json, content: Any, optional: bool) -> str | None:
    blank = content in (None, []) or (isinstance(content, str) and not content.strip())
    if blank:
        return None if optional else "Please complete this required field."
    kind = element["type"]
    if kind == "plain_text_input":
        if len(content) < element.get("min_length", 0):
            return f"Please use at least {element['min_length']} characters."
        if len(content) > element.get("max_length", 3_000):
            return f"Please use at most {element.get('max_length', 3_000)} characters."
    if kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", content):
        return "Please enter an e-mail address."
    if kind == "url_text_input" and not re.fullmatch(r"https?://\S+", content):
        return "Please enter a web address."
    if kind == "number_input":
        if not re.fullmatch(r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+", content):
            return "Please enter a number." if element["is_decimal_allowed"] else "Please enter a whole number."
        if "min_value" in element and float(content) < float(element["min_value"]):
            return f"Please enter {element['min_value']} or more."
        if "max_value" in element and float(content) > float(element["max_value"]):
            return f"Please enter {element['max_value']} or less."
    return None


def _stateful(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in _FIELDS:
                yield block, element


def _option(element: Json, raw: object) -> Json:
    for option in all_options(element):
        if option.get("value") == raw:
            found: Json = option
            return found
    raise NotOffered(f"{raw!r} is not offered; there are {[option.get('value') for option in all_options(element)]}")


def _known(values: Json) -> list[str]:
    return [f"{block_id}/{action_id}" for block_id, answers in values.items() for action_id in answers]
