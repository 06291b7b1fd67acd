"""Our description of Block Kit beside Slack's own types: what the types refuse we refuse, what we take they take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.slack.checks import check_message_blocks, check_view
from orchestrator.core.messages.release_message import brief_message, release_message
from tests.slack_app import samples as records
from tests.slack_page.samples import reject_view
from tests.slack_page.slack_types import SCHEMA, TYPES, problem
from tests.slack_page.test_checks import BAD, BAD_VIEWS, GOOD, Json

COUNTED = {
    *("fifty-one blocks", "header too long", "empty text", "section too long", "empty section", "eleven fields"),
    *("long field", "context of eleven", "no actions", "twenty-six actions", "button text too long"),
    *("button value too long", "script link", "long action_id", "action_id twice in a block", "block_id twice"),
    *("long block_id", "confirm title", "confirm text", "confirm button", "no options", "101 options"),
    *("option text", "option value", "options alike", "unknown initial option", "six overflow options"),
    *("eleven radios", "not a date", "image from a file", "markdown too long", "two long markdowns", "101 rows"),
    *("21 cells", "two tables", "table too full"),
}
"""What no type can say: lengths, counts, what must be unique, what an address may be. Ours alone refuses it."""


@pytest.mark.parametrize(("name", "blocks"), GOOD, ids=[name for name, _ in GOOD])
def test_what_we_take_is_what_slacks_types_take(name: str, blocks: list[Json]) -> None:
    assert problem("Message", {"blocks": blocks}) == ""


def test_of_what_we_refuse_they_refuse_all_that_is_no_matter_of_counting() -> None:
    taken = {name for name, blocks, _ in BAD if not problem("Message", {"blocks": blocks})}
    assert taken == COUNTED


def test_each_field_that_the_types_demand_we_demand() -> None:
    """Every payload with one field taken out: where the types miss it, so do we."""
    for name, blocks in GOOD:
        for broken in _without_each_field(blocks):
            if problem("Message", {"blocks": broken}):
                assert check_message_blocks(broken), (name, json.dumps(broken)[:300])


def test_views_too() -> None:
    assert problem("Modal", reject_view()) == ""
    refused = [view for _, view, _ in BAD_VIEWS if problem("Modal", view)]
    assert refused
    assert all(check_view(view, "modal") for view in refused)


@pytest.mark.parametrize("state", records.every_state())
def test_the_products_own_messages(state: str) -> None:
    facts = records.every_state()[state]
    for message in (release_message(facts), brief_message(facts)):
        assert problem("Message", {"blocks": list(message.blocks)}) == ""


def test_the_schema_is_of_the_pinned_types() -> None:
    definitions = json.loads(SCHEMA.read_text())["definitions"]
    assert {"SectionBlock", "ActionsBlock", "Button", "ModalView", "HomeView"} <= set(definitions)
    assert TYPES.rpartition("@")[2][0].isdigit()


def _without_each_field(value: Any) -> list[Any]:
    """Copies of a payload, each without one member of one object in it."""
    if isinstance(value, list):
        return [
            [*value[:index], inner, *value[index + 1 :]]
            for index, member in enumerate(value[:3])
            for inner in _without_each_field(member)
        ]
    if not isinstance(value, dict):
        return []
    fewer = [{key: member for key, member in value.items() if key != gone} for gone in value]
    deeper = [{**value, key: inner} for key, member in value.items() for inner in _without_each_field(member)]
    return [*fewer, *deeper]
