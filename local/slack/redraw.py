"""What Slack adds to blocks it was given: ids, flags, escapes.

Apps that compare the `message.blocks` of a click with what they posted meet these additions, so this page makes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

from local.slack.checks import elements_of
from local.slack.schema import Json

_BARE_AMPERSAND: Final = re.compile(r"&(?!amp;|lt;|gt;)")


def escape_ampersands(text: str) -> str:
    """Slack stores a bare & as &amp; and leaves the three escapes it knows."""
    return _BARE_AMPERSAND.sub("&amp;", text)


def escape_typed(text: str) -> str:
    """What a person types carries no markup of its own: all three control characters are escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def redraw(blocks: list[Json], new_id: Callable[[], str]) -> list[Json]:
    """A copy of `blocks` as Slack hands them back. `new_id` makes the ids that the app left out."""
    drawn = deepcopy(blocks)
    for block in drawn:
        block.setdefault("block_id", new_id())
        for element in elements_of(block):
            element.setdefault("action_id", new_id())
        if block["type"] == "input":
            block.setdefault("optional", False)
            block.setdefault("dispatch_action", False)
        _flags(block)
    return drawn


def _flags(value: Any) -> None:
    """plain_text gets `emoji`, mrkdwn gets `verbatim`, both get their ampersands escaped."""
    if isinstance(value, list):
        for inner in value:
            _flags(inner)
    elif isinstance(value, dict):
        if value.get("type") in ("plain_text", "mrkdwn") and isinstance(value.get("text"), str):
            value["text"] = escape_ampersands(value["text"])
            value.setdefault(*(("emoji", True) if value["type"] == "plain_text" else ("verbatim", False)))
        for inner in value.values():
            _flags(inner)
