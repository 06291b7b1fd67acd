"""Refuse the messages and views that Slack refuses.

Two nets. The first is the description of Block Kit in this module and `elements`: every field, length, count and
allowed type, unknown fields refused, ids unique. The second is slack_sdk's own models, which catch about half as
much, but were written by Slack's people. What only one of them knows is still refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from local.slack import limits
from local.slack.elements import (
    actions_element,
    context_element,
    identifier,
    image_link,
    input_element,
    section_accessory,
)
from local.slack.rich_text import rich_text_element
from local.slack.schema import (
    Check,
    Json,
    Problem,
    Shape,
    boolean,
    integer,
    listed,
    one_of,
    plain,
    string,
    text_object,
    typed,
)


def _section_rule(value: object, at: str) -> Iterator[Problem]:
    if isinstance(value, dict) and not ("text" in value or "fields" in value):
        yield Problem(at, "a section needs text or fields")


def _table_rule(value: object, at: str) -> Iterator[Problem]:
    rows = value.get("rows") if isinstance(value, dict) else None
    if isinstance(rows, list):
        cells = [cell for row in rows if isinstance(row, list) for cell in row if isinstance(cell, dict)]
        if sum(len(_words(cell)) for cell in cells) > limits.TABLE_TEXT:
            yield Problem(at, f"all cells together hold at most {limits.TABLE_TEXT} characters")


def _words(value: object) -> str:
    """All the text inside a table cell."""
    if isinstance(value, dict):
        own = value.get("text")
        return (own if isinstance(own, str) else "") + "".join(_words(inner) for inner in value.values())
    return "".join(_words(inner) for inner in value) if isinstance(value, list) else ""


_ID: Final[Mapping[str, Check]] = {"block_id": identifier}
_rich_text: Final = Shape({"elements": listed(rich_text_element, 1_000)}, _ID)
_cell: Final = typed(
    {
        "raw_text": Shape({"text": string(limits.SECTION_TEXT)}, {}),
        "raw_number": Shape({"value": lambda value, at: iter(())}, {"text": string(limits.SECTION_TEXT)}),
        "rich_text": _rich_text,
    },
    what="cell type",
)
_column: Final = Shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _column_or_null(value: object, at: str) -> Iterator[Problem]:
    return iter(()) if value is None else _column(value, at)


BLOCKS: Final[Mapping[str, Check]] = {
    "section": Shape(
        {},
        {
            **_ID,
            "text": text_object(limits.SECTION_TEXT),
            "fields": listed(text_object(limits.FIELD_TEXT), limits.SECTION_FIELDS),
            "accessory": section_accessory,
            "expand": boolean,
        },
        _section_rule,
    ),
    "header": Shape({"text": plain(limits.HEADER)}, {**_ID, "level": integer(1, 4)}),
    "divider": Shape({}, _ID),
    "context": Shape({"elements": listed(context_element, limits.CONTEXT_ELEMENTS)}, _ID),
    "actions": Shape({"elements": listed(actions_element, limits.ACTIONS_ELEMENTS)}, _ID),
    "image": Shape(
        {"alt_text": string(limits.ALT_TEXT), "image_url": image_link}, {**_ID, "title": plain(limits.ALT_TEXT)}
    ),
    "input": Shape(
        {"label": plain(limits.INPUT_LABEL), "element": input_element},
        {**_ID, "hint": plain(limits.INPUT_LABEL), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _rich_text,
    "markdown": Shape({"text": string(limits.MARKDOWN)}, _ID),
    "table": Shape(
        {"rows": listed(listed(_cell, limits.TABLE_CELLS), limits.TABLE_ROWS)},
        {**_ID, "column_settings": listed(_column_or_null, limits.TABLE_CELLS, 0)},
        _table_rule,
    ),
}
_EVERYWHERE: Final = ("section", "header", "divider", "context", "actions", "image", "input", "rich_text")
_message_block: Final = typed(BLOCKS, (*_EVERYWHERE, "markdown", "table"), "block type")
_view_block: Final = typed(BLOCKS, _EVERYWHERE, "block type")


def elements_of(block: Mapping[str, Any]) -> list[Json]:
    """The interactive elements of one block."""
    found = [block.get("accessory"), block.get("element")]
    if block.get("type") == "actions":
        inner = block.get("elements")
        found += inner if isinstance(inner, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("type") != "image"]


def _unique(blocks: Sequence[object], at: str) -> Iterator[Problem]:
    """block_id unique in the message or view, action_id unique in its block, one focus and one table at most."""
    rows = [block for block in blocks if isinstance(block, dict)]
    for block_id, times in Counter(str(row["block_id"]) for row in rows if "block_id" in row).items():
        if times > 1:
            yield Problem(at, f'block_id "{block_id}" already exists')
    for index, row in enumerate(rows):
        for action_id, times in Counter(str(e["action_id"]) for e in elements_of(row) if "action_id" in e).items():
            if times > 1:
                yield Problem(f"{at}/{index}", f'action_id "{action_id}" already exists in this block')
    if sum(bool(element.get("focus_on_load")) for row in rows for element in elements_of(row)) > 1:
        yield Problem(at, "only one element can have focus_on_load")
    if sum(row.get("type") == "table" for row in rows) > 1:
        yield Problem(at, "only_one_table_allowed")
    if sum(len(str(row.get("text", ""))) for row in rows if row.get("type") == "markdown") > limits.MARKDOWN:
        yield Problem(at, f"all markdown blocks together hold at most {limits.MARKDOWN} characters")


def _models(blocks: Sequence[Json], at: str) -> Iterator[Problem]:
    """The second net: slack_sdk's models. An unknown type becomes None there; the first net has refused it."""
    for index, block in enumerate(blocks):
        try:
            model = Block.parse(block)
            if model is not None:
                model.to_dict()
        except (SlackObjectFormationError, TypeError, ValueError, AttributeError) as error:
            yield Problem(f"{at}/{index}", str(error))


def check_message_blocks(blocks: object, at: str = "/blocks") -> list[Problem]:
    """Every reason Slack would answer invalid_blocks to these blocks of a message."""
    problems = list(listed(_message_block, limits.MESSAGE_BLOCKS, 0)(blocks, at))
    if isinstance(blocks, list):
        problems += _unique(blocks, at)
        problems += [] if problems else _models(blocks, at)
    return problems


def _view_rule(value: object, at: str) -> Iterator[Problem]:
    if not isinstance(value, dict) or not isinstance(value.get("blocks"), list):
        return
    blocks = value["blocks"]
    yield from _unique(blocks, f"{at}/blocks")
    if any(isinstance(each, dict) and each.get("type") == "input" for each in blocks) and "submit" not in value:
        yield Problem(at, "a submit button is required when a view has input blocks")


_VIEW: Final[Mapping[str, Check]] = {
    "private_metadata": string(limits.PRIVATE_METADATA, 0),
    "callback_id": string(limits.IDENTIFIER, 0),
    "external_id": string(limits.IDENTIFIER, 0),
}
_view_blocks: Final = {"blocks": listed(_view_block, limits.VIEW_BLOCKS)}
_modal: Final = Shape(
    {**_view_blocks, "title": plain(limits.VIEW_TITLE)},
    {
        **_VIEW,
        "submit": plain(limits.VIEW_TITLE),
        "close": plain(limits.VIEW_TITLE),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    _view_rule,
)
_home: Final = Shape({"blocks": listed(_view_block, limits.VIEW_BLOCKS, 0)}, _VIEW, lambda value, at: iter(()))


def check_view(view: object, kind: str, at: str = "/view") -> list[Problem]:
    """Every reason Slack would answer invalid_arguments to this view; `kind` is modal or home."""
    if not isinstance(view, dict):
        return [Problem(at, "must be an object")]
    if view.get("type") != kind:
        return [Problem(f"{at}/type", f"must be {kind}")]
    problems = list((_modal if kind == "modal" else _home)(view, at))
    if kind == "home" and isinstance(view.get("blocks"), list):
        problems += _unique(view["blocks"], f"{at}/blocks")
    return problems or list(_models(view["blocks"], f"{at}/blocks"))
