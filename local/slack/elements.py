"""Block elements: what each may hold. Source: docs.slack.dev/reference/block-kit/block-elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.slack import limits
from local.slack.schema import (
    Check,
    Problem,
    Shape,
    anything,
    boolean,
    integer,
    listed,
    matching,
    one_of,
    plain,
    string,
    text_object,
    typed,
)

identifier: Final = string(limits.IDENTIFIER)
link: Final = matching(r"(https?://|mailto:)\S+", "an http, https or mailto URL", limits.URL)
image_link: Final = matching(r"https?://\S+", "an http or https URL", limits.URL)
date: Final = matching(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-01-31")
clock: Final = matching(r"([01]\d|2[0-3]):[0-5]\d", "a time such as 23:59")
user_id: Final = matching(r"[UW][A-Z0-9]+", "a user id")
channel_id: Final = matching(r"[CDG][A-Z0-9]+", "a channel id")

confirm: Final = Shape(
    {
        "title": plain(limits.CONFIRM_TITLE),
        "text": text_object(limits.CONFIRM_TEXT),
        "confirm": plain(limits.CONFIRM_BUTTON),
        "deny": plain(limits.CONFIRM_BUTTON),
    },
    {"style": one_of("primary", "danger")},
)


def option(*text_kinds: str, url: bool = False) -> Shape:
    """An option object; radio buttons and check boxes may have mrkdwn, an overflow menu may have links."""
    return Shape(
        {
            "text": text_object(limits.OPTION_TEXT, *text_kinds),
            "value": string(limits.OPTION_VALUE),
        },
        {"description": text_object(limits.OPTION_TEXT, *text_kinds), **({"url": link} if url else {})},
    )


plain_option: Final = option("plain_text")
rich_option: Final = option()
option_group: Final = Shape({"label": plain(limits.OPTION_TEXT), "options": listed(plain_option, limits.OPTIONS)}, {})


def all_options(element: Mapping[str, Any]) -> list[Any]:
    """The options of an element, out of their groups."""
    groups = element.get("option_groups")
    grouped = (
        [o for g in groups if isinstance(g, dict) for o in g.get("options") or []] if isinstance(groups, list) else []
    )
    own = element.get("options")
    return [*(own if isinstance(own, list) else []), *grouped]


def _same(one: object, other: object) -> bool:
    """Whether an initial option is this option; flags Slack adds (emoji, verbatim) do not count."""

    def bare(value: object) -> object:
        if isinstance(value, dict):
            return {key: bare(inner) for key, inner in value.items() if key not in ("emoji", "verbatim")}
        return value

    return bare(one) == bare(other)


def options_rule(value: object, at: str) -> Iterator[Problem]:
    """Options or groups, not both; distinct values; initial options are among the options."""
    if not isinstance(value, dict):
        return
    if value.get("type") in ("static_select", "multi_static_select") and ("options" in value) == (
        "option_groups" in value
    ):
        yield Problem(at, "exactly one of options and option_groups is needed")
    options = all_options(value)
    values = [each.get("value") for each in options if isinstance(each, dict)]
    for each in sorted({str(each) for each in values if values.count(each) > 1}):
        yield Problem(at, f"option value {each} is there twice")
    initial = value.get("initial_options") or ([value["initial_option"]] if "initial_option" in value else [])
    if isinstance(initial, list):
        for each in initial:
            if not any(_same(each, known) for known in options):
                yield Problem(at, "an initial option is not one of the options")


def _lengths_rule(value: object, at: str) -> Iterator[Problem]:
    """min_length and max_length, min_value and max_value stand in order."""
    if not isinstance(value, dict):
        return
    for low, high in (("min_length", "max_length"), ("min_value", "max_value")):
        try:
            if low in value and high in value and float(value[low]) > float(value[high]):
                yield Problem(at, f"{low} is above {high}")
        except (TypeError, ValueError):
            continue  # the field's own check reports it


_FOCUS: Final[Mapping[str, Check]] = {"action_id": identifier, "focus_on_load": boolean}
_ASK: Final[Mapping[str, Check]] = {**_FOCUS, "placeholder": plain(limits.PLACEHOLDER)}
_PICK: Final[Mapping[str, Check]] = {**_ASK, "confirm": confirm}
_MANY: Final[Mapping[str, Check]] = {**_PICK, "max_selected_items": integer(1, limits.OPTIONS)}
_decimal: Final = matching(r"-?\d+(\.\d+)?", "a number in a string")
_dispatch: Final = Shape({}, {"trigger_actions_on": listed(one_of("on_enter_pressed", "on_character_entered"), 2)})
_filter: Final = Shape(
    {},
    {
        "include": listed(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
_conversation: Final[Mapping[str, Check]] = {"default_to_current_conversation": boolean, "filter": _filter}
_options_or_groups: Final[Mapping[str, Check]] = {
    "options": listed(plain_option, limits.OPTIONS),
    "option_groups": listed(option_group, limits.OPTIONS),
}


def _typed_text(*, lengths: bool = False) -> Shape:
    """An input for one kind of text (e-mail, URL, plain)."""
    optional: dict[str, Check] = {
        **_ASK,
        "initial_value": string(limits.INPUT_TEXT, 0),
        "dispatch_action_config": _dispatch,
    }
    if lengths:
        optional |= {
            "multiline": boolean,
            "min_length": integer(0, limits.INPUT_TEXT),
            "max_length": integer(1, limits.INPUT_TEXT),
        }
    return Shape({}, optional, _lengths_rule)


ELEMENTS: Final[Mapping[str, Check]] = {
    "button": Shape(
        {"text": plain(limits.BUTTON_TEXT)},
        {
            "action_id": identifier,
            "url": link,
            "value": string(limits.BUTTON_VALUE, 0),
            "style": one_of("primary", "danger"),
            "confirm": confirm,
            "accessibility_label": string(limits.BUTTON_TEXT),
        },
    ),
    "static_select": Shape({}, {**_PICK, **_options_or_groups, "initial_option": anything}, options_rule),
    "multi_static_select": Shape(
        {}, {**_MANY, **_options_or_groups, "initial_options": listed(anything, limits.OPTIONS)}, options_rule
    ),
    "users_select": Shape({}, {**_PICK, "initial_user": user_id}),
    "multi_users_select": Shape({}, {**_MANY, "initial_users": listed(user_id, limits.OPTIONS)}),
    "channels_select": Shape({}, {**_PICK, "initial_channel": channel_id, "response_url_enabled": boolean}),
    "multi_channels_select": Shape({}, {**_MANY, "initial_channels": listed(channel_id, limits.OPTIONS)}),
    "conversations_select": Shape(
        {}, {**_PICK, **_conversation, "initial_conversation": channel_id, "response_url_enabled": boolean}
    ),
    "multi_conversations_select": Shape(
        {}, {**_MANY, **_conversation, "initial_conversations": listed(channel_id, limits.OPTIONS)}
    ),
    "overflow": Shape(
        {"options": listed(option("plain_text", url=True), limits.OVERFLOW_OPTIONS)},
        {"action_id": identifier, "confirm": confirm},
        options_rule,
    ),
    "radio_buttons": Shape(
        {"options": listed(rich_option, limits.CHOICES)},
        {**_FOCUS, "confirm": confirm, "initial_option": anything},
        options_rule,
    ),
    "checkboxes": Shape(
        {"options": listed(rich_option, limits.CHOICES)},
        {**_FOCUS, "confirm": confirm, "initial_options": listed(anything, limits.CHOICES)},
        options_rule,
    ),
    "plain_text_input": _typed_text(lengths=True),
    "email_text_input": _typed_text(),
    "url_text_input": _typed_text(),
    "number_input": Shape(
        {"is_decimal_allowed": boolean},
        {
            **_ASK,
            "initial_value": _decimal,
            "min_value": _decimal,
            "max_value": _decimal,
            "dispatch_action_config": _dispatch,
        },
        _lengths_rule,
    ),
    "datepicker": Shape({}, {**_PICK, "initial_date": date}),
    "timepicker": Shape({}, {**_PICK, "initial_time": clock, "timezone": string(100)}),
    "datetimepicker": Shape(
        {}, {**_FOCUS, "confirm": confirm, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}
    ),
    "image": Shape({"alt_text": string(limits.ALT_TEXT), "image_url": image_link}, {}),
    "plain_text": text_object(limits.FIELD_TEXT, "plain_text"),
    "mrkdwn": text_object(limits.FIELD_TEXT, "mrkdwn"),
}

SELECTS: Final = ("static_select", "users_select", "channels_select", "conversations_select")
MULTI_SELECTS: Final = tuple(f"multi_{name}" for name in SELECTS)
CHOICES: Final = ("radio_buttons", "checkboxes", "datepicker", "timepicker")
TEXT_INPUTS: Final = ("plain_text_input", "email_text_input", "url_text_input", "number_input")

section_accessory: Final = typed(
    ELEMENTS, ("button", "overflow", "image", *SELECTS, *MULTI_SELECTS, *CHOICES), "element type"
)
actions_element: Final = typed(
    ELEMENTS, ("button", "overflow", *SELECTS, *MULTI_SELECTS, *CHOICES, "datetimepicker"), "element type"
)
input_element: Final = typed(
    ELEMENTS, (*TEXT_INPUTS, *SELECTS, *MULTI_SELECTS, *CHOICES, "datetimepicker"), "element type"
)
context_element: Final = typed(ELEMENTS, ("image", "plain_text", "mrkdwn"), "element type")
