"""Slack as the steps see it: messages, their threads, the pace of calls. ``functions/notify`` fulfils it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.messages.blocks import File, Message


@dataclass(frozen=True)
class Posted:
    """Where a chat message is."""

    channel: str
    """Slack's id of the channel."""
    ts: str


class Chat(Protocol):
    """Slack's messages. Every method may raise ``ChatUnavailable`` and ``ChatRefused``."""

    def post(self, channel: str, message: Message, *, key: str, thread: str = "") -> Posted:
        """Post a message, as a reply when ``thread`` names a message's ts; ``key`` is kept with it for ``find``."""
        ...

    def update(self, posted: Posted, message: Message) -> None:
        """Replace what a message shows."""
        ...

    def find(self, channel: str, key: str, *, since: str, thread: str = "") -> Posted | None:
        """The message that was posted with this key at or after ``since`` (ISO 8601), or None."""
        ...

    def attach(self, posted: Posted, file: File) -> None:
        """Put a file into a message's thread."""
        ...

    def has_file(self, posted: Posted, name: str, *, since: str) -> bool:
        """Whether a file of this name was put into a message's thread at or after ``since`` (ISO 8601), as far as the
        app may see."""
        ...

    def link(self, posted: Posted) -> str:
        """The address of a message, for people to open."""
        ...

    def direct(self, slack_ids: Sequence[str], email: str, workspace: str) -> str:
        """Id of the conversation with the first full member of the workspace (empty: the token's own) among these ids
        and the account with this address; empty where there is none."""
        ...


class Pace(Protocol):
    """How fast Slack may be called. Whoever fulfils ``Chat`` asks before each call, whatever its method."""

    def before(self, method: str) -> None:
        """A call comes: waits until it is in time; raises ``ChatPutOff`` when Slack may not be called for longer."""
        ...

    def slower(self, seconds: float) -> None:
        """Slack took nothing and wants no call for so long."""
        ...
