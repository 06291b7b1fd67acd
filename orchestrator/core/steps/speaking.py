"""One call speaks for a release at a time, and says each thing once.

The turn is a lease on the release's ``ChatMessage`` row. A post is noted there before it is made: a call that finds one
begun and not noted as made looks in Slack for it instead of posting a second.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from orchestrator.core.chat import Chat, Posted
from orchestrator.core.errors import ChatPutOff, ChatRefused, Conflict, TryAgain
from orchestrator.core.installation import Installation
from orchestrator.core.messages.mail import Letter
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.ports import Clock, Mail, Store
from orchestrator.core.steps.progress import read_stamp, stamp
from orchestrator.core.user_groups import UserGroups

HOLD = timedelta(seconds=150)
"""Longer than the function's own time-out of two minutes: who holds a turn this long has died."""

WAIT_SECONDS = 0.5
WAITS = 20
"""How often a turn is waited for within one call; then the stream delivers the event again."""


@dataclass
class Speaker:
    """One call's turn at one release: its collaborators, and the row as it stands."""

    store: Store
    chat: Chat | None
    mail: Mail
    installation: Installation
    now: Clock
    row: ChatMessage
    groups: UserGroups | None = None
    """Slack's user groups, for whoever has to call their members one by one."""

    def note(self, change: Callable[[ChatMessage], ChatMessage]) -> None:
        """Write the row; raises ``TryAgain`` when the turn was lost to somebody else."""
        holder = self.row.held_by

        def changed(current: ChatMessage) -> ChatMessage:
            if current.held_by != holder:
                raise TryAgain(f"another call speaks for {current.release_id} by now")
            return change(current)

        self.row = self.store.update(ChatMessage, self.row.key(), changed)

    def begun(self, what: str, find: Callable[[str], Posted | None]) -> Posted | None:
        """Note that a post begins; where one was begun before, look for what became of it."""
        if what in self.row.begun:
            return find(self.row.begun_at)
        begun_at = stamp(self.now())
        self.note(lambda row: replace(row, begun=(*row.begun, what), begun_at=row.begun_at or begun_at))
        return None

    def undone_if_refused(self, what: str, post: Callable[[], Posted]) -> Posted:
        """A post that was refused, or put off, did not happen: the next attempt need not look for it."""
        try:
            return post()
        except (ChatRefused, ChatPutOff):
            self.note(lambda row: ended(row, what))
            raise

    def announce(self, once: str) -> None:
        """Note that this was posted, and need not be again."""
        self.note(lambda row: ended(replace(row, announced=(*row.announced, once)), once))

    def send(self, once: str, letter: Letter) -> list[str]:
        """Send an e-mail, once; ``mailed`` where it was."""
        if once in self.row.announced:
            return []
        self.mail.send(letter.subject, letter.text)
        self.note(lambda row: replace(row, announced=(*row.announced, once)))
        return ["mailed"]


def ended(row: ChatMessage, what: str) -> ChatMessage:
    """The row once a post that was begun is made, or refused."""
    begun = tuple(other for other in row.begun if other != what)
    return replace(row, begun=begun, begun_at=row.begun_at if begun else "")


def take_turn(release_id: str, holder: str, store: Store, now: Clock, pause: Callable[[float], None]) -> ChatMessage:
    """Become the one who speaks for the release; raises ``TryAgain`` when somebody else does all the while."""
    fresh = ChatMessage(release_id)
    if store.get(ChatMessage, fresh.key()) is None:
        with suppress(Conflict):
            store.insert(fresh)

    def take(current: ChatMessage) -> ChatMessage:
        moment = now()
        if current.held_by and moment < read_stamp(current.held_until):
            return current
        return replace(current, held_by=holder, held_until=stamp(moment + HOLD))

    for attempt in range(WAITS + 1):
        if attempt:
            pause(WAIT_SECONDS)
        row = store.update(ChatMessage, fresh.key(), take)
        if row.held_by == holder:
            return row
    raise TryAgain(f"another call speaks for {release_id}")


def end_turn(speaker: Speaker, holder: str) -> None:
    """Let the next one speak for the release."""
    speaker.store.update(
        ChatMessage,
        speaker.row.key(),
        lambda row: replace(row, held_by="", held_until="") if row.held_by == holder else row,
    )
