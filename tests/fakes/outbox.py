"""The function Notify over a world in memory: the stream's changes are noted, and what is unsaid is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from functions.notify.slack_chat import SlackChat
from orchestrator.core.chat import Chat
from orchestrator.core.steps.notify_release import Notified, notify_release
from orchestrator.core.steps.replaced import note_changed
from orchestrator.core.steps.send_unsaid import Outbox, send_unsaid
from orchestrator.core.steps.sending import Sending
from orchestrator.core.user_groups import UserGroups
from tests.fakes.memory_world import MemoryWorld

_CALLS = count(1)


@dataclass
class AnyPace:
    """``ports.Pace`` that lets every call through, and remembers what it was told."""

    calls: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def before(self, method: str) -> None:
        """See ``ports.Pace``."""
        self.calls.append(method)

    def slower(self, seconds: float) -> None:
        """See ``ports.Pace``."""
        self.pauses.append(seconds)


def sending_of(world: MemoryWorld, pause: Callable[[float], None] | None = None, pace: int = 1) -> Sending:
    """A call's turn at Slack; waiting takes the world's time alone."""
    return Sending(
        store=world.store,
        now=world.clock,
        pause=pause or world.clock.pass_seconds,
        holder=f"sender-{next(_CALLS)}",
        pace=pace,
    )


def telling(world: MemoryWorld, chat: Chat | None, groups: UserGroups | None = None) -> Callable[[str], Notified]:
    """``notify_release`` with the world's collaborators."""

    def notify(release_id: str) -> Notified:
        return notify_release(
            release_id,
            store=world.store,
            chat=chat,
            mail=world.mail,
            installation=world.installation,
            now=world.clock,
            pause=world.clock.pass_seconds,
            holder=f"call-{next(_CALLS)}",
            groups=groups,
        )

    return notify


def note(world: MemoryWorld, release_ids: Iterable[str]) -> None:
    """The stream delivers changes of these releases."""
    for release_id in release_ids:
        note_changed(release_id, store=world.store, now=world.clock)


def send(
    world: MemoryWorld,
    chat: Chat | None,
    sending: Sending,
    *,
    seconds: float = 50,
    failed: Callable[[str, Exception], None] = lambda release_id, error: None,
    groups: UserGroups | None = None,
) -> Outbox | None:
    """Somebody sends what is unsaid, over this chat, at this sender's pace."""
    return send_unsaid(
        telling(world, chat, groups),
        sending=sending,
        store=world.store,
        now=world.clock,
        failed=failed,
        seconds=seconds,
    )


def tell(world: MemoryWorld, release_ids: Iterable[str], bot_token: str) -> Outbox | None:
    """The function is called for changes of these releases, with Slack's real client."""
    note(world, release_ids)
    sending = sending_of(world)
    chat = SlackChat(bot_token, world.installation.slack_api_url, sending)
    return send(world, chat, sending, groups=chat)
