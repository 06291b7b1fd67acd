"""Addresses of releases' messages in Slack: asked for once, and noted beside the message."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from orchestrator.core.chat import Posted
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.ports import Store


class Links(Protocol):
    """Slack. May raise ``ChatUnavailable`` and ``ChatRefused``."""

    def link(self, posted: Posted) -> str:
        """The address of a message, for people to open."""
        ...


def message_link(release_id: str, store: Store, links: Links) -> str:
    """The address of the release's message; empty where there is none, or Slack does not tell it (now)."""
    row = store.get(ChatMessage, ChatMessage(release_id).key())
    if row is None or not row.ts:
        return ""
    if row.link and row.link_ts == row.ts:
        return row.link
    try:
        link = links.link(Posted(row.channel, row.ts))
    except (ChatRefused, ChatUnavailable):
        return ""
    # Beside whoever speaks for the release just now: these two fields are nobody else's.
    store.update(ChatMessage, row.key(), lambda found: replace(found, link=link, link_ts=row.ts))
    return link
