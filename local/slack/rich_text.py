"""The rich_text block's inner structure. Source: docs.slack.dev/reference/block-kit/blocks/rich-text-block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.slack import limits
from local.slack.elements import channel_id, link, user_id
from local.slack.schema import Check, Shape, boolean, integer, listed, matching, one_of, string, typed

_style: Final = Shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)
_PARTS: Final[Mapping[str, Check]] = {
    "text": Shape({"text": string(limits.MESSAGE_TEXT)}, {"style": _style}),
    "link": Shape({"url": link}, {"text": string(limits.SECTION_TEXT), "unsafe": boolean, "style": _style}),
    "emoji": Shape({"name": string(100)}, {"unicode": string(40), "skin_tone": integer(2, 6)}),
    "user": Shape({"user_id": user_id}, {"style": _style}),
    "usergroup": Shape({"usergroup_id": string(40)}, {"style": _style}),
    "channel": Shape({"channel_id": channel_id}, {"style": _style}),
    "broadcast": Shape({"range": one_of("here", "channel", "everyone")}, {}),
    "date": Shape(
        {"timestamp": integer(0, 9_999_999_999), "format": string(200)},
        {"url": link, "fallback": string(200), "style": _style},
    ),
    "color": Shape({"value": matching(r"#[0-9a-fA-F]{6}", "a colour such as #1d4ed8")}, {}),
}
_parts: Final = listed(typed(_PARTS, what="rich text element"), 3_000, 0)
_section: Final = Shape({"elements": _parts}, {})
_plain_parts: Final = listed(typed(_PARTS, ("text", "link"), "rich text element"), 3_000, 0)

rich_text_element: Final = typed(
    {
        "rich_text_section": _section,
        "rich_text_list": Shape(
            {
                "style": one_of("bullet", "ordered"),
                "elements": listed(typed({"rich_text_section": _section}, what="list item"), 1_000),
            },
            {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
        ),
        "rich_text_preformatted": Shape({"elements": _plain_parts}, {"border": integer(0, 1), "language": string(40)}),
        "rich_text_quote": Shape({"elements": _parts}, {"border": integer(0, 1)}),
    },
    what="rich text element",
)
