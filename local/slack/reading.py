"""What a person can read and press in messages: their words without markup, and their buttons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from local.slack.checks import elements_of
from local.slack.schema import Json

# Keys whose strings are for machines, not for readers.
_SILENT: Final = frozenset({
    "type", "block_id", "action_id", "value", "style", "url", "image_url", "color", "id", "align", "title_link",
    "accessibility_label", "confirm", "options", "option_groups", "mrkdwn_in", "fallback",
})  # fmt: skip
_BRACKETS: Final = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def words_of(message: Json) -> str:
    """A message as its reader sees it: the blocks where there are any, else the text, then attachments and files."""
    files = [[file["title"], file["preview"]] for file in message.get("files") or []]
    shown = [message.get("blocks") or message.get("text"), message.get("attachments"), files]
    return "\n".join(_plain(line) for line in _strings(shown))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _SILENT:
                yield from _strings(inner)


def _plain(text: str) -> str:
    """Links and dates by their label, escapes undone."""
    labelled = _BRACKETS.sub(lambda found: found[2] or found[1], text)
    return labelled.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def newest_button(messages: Iterable[Json], action_id: str, beginning: str = "") -> Json | None:
    """{channel, ts, block_id, action_id, value} of the newest message's button, `messages` being oldest first.

    Only buttons whose value begins so: where several questions wait, each has its own.
    """
    found = None
    for message in messages:
        attached = [block for each in message.get("attachments") or [] for block in each["blocks"]]
        for block in [*message.get("blocks", []), *attached]:
            for element in elements_of(block):
                if element["type"] != "button" or element["action_id"] != action_id:
                    continue
                if element.get("value", "").startswith(beginning):
                    found = {
                        "channel": message["channel"],
                        "ts": message["ts"],
                        "block_id": block["block_id"],
                        "action_id": action_id,
                        "value": element.get("value", ""),
                    }
    return found
