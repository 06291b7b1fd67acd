"""What Slack takes and refuses, as tables: name, payload, and a word of the refusal."""

from __future__ import annotations

from typing import Any

import pytest

from local.slack import limits
from local.slack.checks import check_message_blocks, check_view
from tests.slack_page.samples import approval_blocks, button, mrkdwn, plain, reject_view

Json = dict[str, Any]


def section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def field(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Label"), "element": element, **more}


def option(value: str = "a", text: str = "A") -> Json:
    return {"text": plain(text), "value": value}


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "s", "options": [option(), option("b")], **more}


def table(*rows: list[str]) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": list(elements)}


def rich_section(*parts: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(parts)}


CONFIRM = {"title": plain("Sure?"), "text": plain("It goes live."), "confirm": plain("Yes"), "deny": plain("No")}

GOOD: list[tuple[str, list[Json]]] = [
    ("the whole approval", approval_blocks()),
    ("no blocks", []),
    ("fifty blocks", [{"type": "divider"}] * 50),
    ("same action_id in two blocks", [actions(button("a", "A")), actions(button("a", "B"))]),
    ("button with confirm", [actions(button("a", "A", style="danger", confirm=CONFIRM))]),
    ("button of full length", [actions(button("a", "t" * 75, "v" * 2_000))]),
    ("link button", [actions(button("a", "A", url="https://example.com"))]),
    ("fields only", [{"type": "section", "fields": [mrkdwn("x")] * 10}]),
    ("select with an initial option", [section(accessory=select(initial_option=option()))]),
    ("grouped select", [
        actions({"type": "static_select", "option_groups": [{"label": plain("G"), "options": [option()]}]})
    ]),
    ("people, radio, ticks, date", [
        actions(
            {"type": "users_select", "action_id": "1", "initial_user": "U0BEN"},
            {"type": "radio_buttons", "action_id": "2", "options": [option()]},
            {"type": "checkboxes", "action_id": "3", "options": [{"text": mrkdwn("*A*"), "value": "a"}]},
            {"type": "datepicker", "action_id": "4", "initial_date": "2026-01-31"},
        )
    ]),
    ("rich text", [
        rich(
            rich_section({"type": "text", "text": "Hi", "style": {"bold": True}}, {"type": "user", "user_id": "U0BEN"}),
            {"type": "rich_text_list", "style": "bullet", "elements": [rich_section({"type": "text", "text": "one"})]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
            {"type": "rich_text_quote", "elements": [{"type": "link", "url": "https://example.com"}]},
        )
    ]),
    ("table of full size", [table(*[["x"] * 20] * 100)]),
    ("markdown", [{"type": "markdown", "text": "# Title"}]),
    ("image", [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}]),
    ("context", [{"type": "context", "elements": [mrkdwn("x"), plain("y")]}]),
]  # fmt: skip

BAD: list[tuple[str, Any, str]] = [
    ("not a list", {"type": "divider"}, "must be a list"),
    ("fifty-one blocks", [{"type": "divider"}] * 51, "no more than 50"),
    ("unknown block", [{"type": "data_table"}], "unsupported block type"),
    ("no type", [{"text": plain("x")}], "unsupported block type"),
    ("unknown field", [{"type": "divider", "colour": "red"}], "invalid additional property: colour"),
    ("header without text", [{"type": "header"}], "missing required field: text"),
    ("header with mrkdwn", [{"type": "header", "text": mrkdwn("x")}], "unsupported text type"),
    ("header too long", [{"type": "header", "text": plain("x" * 151)}], "less than 151"),
    ("empty text", [section("")], "more than 0"),
    ("section too long", [section("x" * 3_001)], "less than 3001"),
    ("empty section", [{"type": "section"}], "text or fields"),
    ("eleven fields", [{"type": "section", "fields": [mrkdwn("x")] * 11}], "no more than 10"),
    ("long field", [{"type": "section", "fields": [mrkdwn("x" * 2_001)]}], "less than 2001"),
    ("verbatim on plain text", [{"type": "header", "text": {**plain("x"), "verbatim": True}}], "additional property"),
    ("context of eleven", [{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10"),
    ("button in context", [{"type": "context", "elements": [button("a", "A")]}], "unsupported element type"),
    ("no actions", [actions()], "at least 1"),
    ("twenty-six actions", [actions(*[button(str(n), "A") for n in range(26)])], "no more than 25"),
    ("text input among actions", [actions({"type": "plain_text_input", "action_id": "a"})], "unsupported element type"),
    ("button text too long", [actions(button("a", "x" * 76))], "less than 76"),
    ("button value too long", [actions(button("a", "A", "v" * 2_001))], "less than 2001"),
    (
        "button with mrkdwn",
        [actions({"type": "button", "action_id": "a", "text": mrkdwn("A")})],
        "unsupported text type",
    ),
    ("button style", [actions(button("a", "A", style="warning"))], "must be one of primary, danger"),
    ("script link", [actions(button("a", "A", url="javascript:alert(1)"))], "http, https or mailto"),
    ("long action_id", [actions(button("a" * 256, "A"))], "less than 256"),
    ("action_id twice in a block", [actions(button("a", "A"), button("a", "B"))], "already exists"),
    ("block_id twice", [{"type": "divider", "block_id": "b"}] * 2, "already exists"),
    ("long block_id", [{"type": "divider", "block_id": "b" * 256}], "less than 256"),
    ("confirm without deny", [actions(button("a", "A", confirm={**CONFIRM, "deny": None}))], "must be an object"),
    ("confirm title", [actions(button("a", "A", confirm={**CONFIRM, "title": plain("x" * 101)}))], "less than 101"),
    ("confirm text", [actions(button("a", "A", confirm={**CONFIRM, "text": plain("x" * 301)}))], "less than 301"),
    ("confirm button", [actions(button("a", "A", confirm={**CONFIRM, "confirm": plain("x" * 31)}))], "less than 31"),
    ("no options", [actions({"type": "static_select", "action_id": "s"})], "exactly one of options"),
    ("101 options", [actions(select(options=[option(str(n)) for n in range(101)]))], "no more than 100"),
    ("option text", [actions(select(options=[option("a", "x" * 76)]))], "less than 76"),
    ("option value", [actions(select(options=[option("v" * 151)]))], "less than 151"),
    ("options alike", [actions(select(options=[option(), option()]))], "there twice"),
    ("unknown initial option", [actions(select(initial_option=option("z")))], "not one of the options"),
    (
        "six overflow options",
        [actions({"type": "overflow", "options": [option(str(n)) for n in range(6)]})],
        "more than 5",
    ),
    (
        "eleven radios",
        [actions({"type": "radio_buttons", "options": [option(str(n)) for n in range(11)]})],
        "more than 10",
    ),
    ("not a date", [actions({"type": "datepicker", "initial_date": "tomorrow"})], "a date"),
    ("image without alt", [{"type": "image", "image_url": "https://example.com/a.png"}], "alt_text"),
    ("image from a file", [{"type": "image", "image_url": "file:///etc/passwd", "alt_text": "a"}], "http or https"),
    ("markdown too long", [{"type": "markdown", "text": "x" * 12_001}], "less than 12001"),
    ("two long markdowns", [{"type": "markdown", "text": "x" * 7_000}] * 2, "together"),
    ("101 rows", [table(*[["x"]] * 101)], "no more than 100"),
    ("21 cells", [table(["x"] * 21)], "no more than 20"),
    ("two tables", [table(["x"]), table(["y"])], "only_one_table_allowed"),
    ("table too full", [table(*[["x" * 100] * 2] * 51)], "10000"),
    ("rich text part", [rich(rich_section({"type": "blink", "text": "x"}))], "unsupported rich text element"),
    (
        "rich text list item",
        [rich({"type": "rich_text_list", "style": "bullet", "elements": [plain("x")]})],
        "list item",
    ),
    ("text as a string", [{"type": "section", "text": "hello"}], "must be an object"),
    ("boolean as text", [field({"type": "plain_text_input", "multiline": "true"})], "must be a boolean"),
]


@pytest.mark.parametrize(("name", "blocks"), GOOD, ids=[name for name, _ in GOOD])
def test_slack_takes(name: str, blocks: list[Json]) -> None:
    assert check_message_blocks(blocks) == []


@pytest.mark.parametrize(("name", "blocks", "word"), BAD, ids=[row[0] for row in BAD])
def test_slack_refuses(name: str, blocks: Any, word: str) -> None:
    problems = [str(problem) for problem in check_message_blocks(blocks)]
    assert any(word in problem for problem in problems), problems


def test_a_problem_points_to_its_place() -> None:
    problems = check_message_blocks([{"type": "divider"}, actions(button("a", "x" * 76))])
    assert [problem.pointer for problem in problems] == ["/blocks/1/elements/0/text/text"]


def with_view(**changes: Any) -> Json:
    return {key: value for key, value in {**reject_view(), **changes}.items() if value is not None}


BAD_VIEWS: list[tuple[str, Json, str]] = [
    ("a title of 25", with_view(title=plain("t" * 25)), "less than 25"),
    ("no title", with_view(title=None), "missing required field: title"),
    ("mrkdwn title", with_view(title=mrkdwn("t")), "unsupported text type"),
    ("input without submit", with_view(submit=None), "submit button is required"),
    ("private_metadata", with_view(private_metadata="x" * 3_001), "less than 3001"),
    ("callback_id", with_view(callback_id="x" * 256), "less than 256"),
    ("101 blocks", with_view(blocks=[{"type": "divider"}] * 101), "no more than 100"),
    ("no blocks", with_view(blocks=None), "missing required field: blocks"),
    ("markdown block", with_view(blocks=[{"type": "markdown", "text": "x"}]), "unsupported block type"),
    ("the wrong type", with_view(type="dialog"), "must be modal"),
    ("unknown field", with_view(size="big"), "invalid additional property: size"),
    ("block_id twice", with_view(blocks=[{"type": "divider", "block_id": "b"}] * 2), "already exists"),
    (
        "lengths upside down",
        with_view(blocks=[field({"type": "plain_text_input", "min_length": 9, "max_length": 3})]),
        "min_length is above",
    ),
    ("button as input", with_view(blocks=[field(button("a", "A"))]), "unsupported element type"),
    ("number without kind", with_view(blocks=[field({"type": "number_input"})]), "is_decimal_allowed"),
    (
        "two with focus",
        with_view(blocks=[field({"type": "plain_text_input", "focus_on_load": True}) for _ in range(2)]),
        "only one element",
    ),
]


@pytest.mark.parametrize(("name", "view", "word"), BAD_VIEWS, ids=[row[0] for row in BAD_VIEWS])
def test_slack_refuses_views(name: str, view: Json, word: str) -> None:
    problems = [str(problem) for problem in check_view(view, "modal")]
    assert any(word in problem for problem in problems), problems


def test_slack_takes_views() -> None:
    assert check_view(reject_view(), "modal") == []
    assert check_view(with_view(blocks=[{"type": "divider"}] * limits.VIEW_BLOCKS), "modal") == []
    assert check_view({"type": "home", "blocks": []}, "home") == []
    home = {"type": "home", "blocks": [section(accessory=button("open", "Review"))], "private_metadata": "p"}
    assert check_view(home, "home") == []
