"""The few blocks of Block Kit that the product uses, each within its limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.messages import limits
from orchestrator.core.messages.mrkdwn import cut, plain

Block = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """A Slack message: a full sentence for notifications and screen readers, and what is shown."""

    text: str
    blocks: tuple[Block, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what is shown: the same view has the same one."""
        shown = json.dumps([self.text, self.blocks], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(shown.encode()).hexdigest()


@dataclass(frozen=True)
class File:
    """A text file for a thread."""

    name: str
    """Names the approval that it is about, so that it is found again."""
    title: str
    text: str


def message(text: str, blocks: Sequence[Block]) -> Message:
    """A message; a row of buttons is kept whatever else has to go when there are too many blocks."""
    kept = list(blocks)
    while len(kept) > limits.MESSAGE_BLOCKS:
        spare = max(index for index, block in enumerate(kept) if block["type"] != "actions")
        del kept[spare]
    return Message(cut(text, limits.MESSAGE_TEXT), tuple(kept))


def header(text: str) -> Block:
    """The large first line."""
    return {"type": "header", "text": plain_text(text, limits.HEADER_TEXT)}


def section(markdown: str) -> Block:
    """A paragraph; ``markdown`` is escaped already and fits."""
    return {"type": "section", "text": mrkdwn(markdown)}


def context(*markdown: str) -> Block:
    """Small print: one element each."""
    return {"type": "context", "elements": [mrkdwn(text) for text in markdown[: limits.CONTEXT_ELEMENTS]]}


def actions(block_id: str, *elements: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def mrkdwn(text: str) -> Block:
    """``verbatim``: Slack must not look for further links, channels and people in other people's text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str, most: int) -> Block:
    """Text without markup."""
    return {"type": "plain_text", "text": plain(text, most)}
