"""Whose messages read differently once a release has ended: what was live before it can be gone back to now."""

from __future__ import annotations

from orchestrator.core.outbox import ChatMessage
from orchestrator.core.ports import Clock, Store
from orchestrator.core.steps.progress import find_release
from orchestrator.core.steps.send_unsaid import note_unsaid


def note_changed(release_id: str, *, store: Store, now: Clock) -> None:
    """Note that a release has something to say, and whatever reads differently for it."""
    for name in (release_id, *replaced_by(release_id, store)):
        note_unsaid(name, store=store, now=now)


def replaced_by(release_id: str, store: Store) -> tuple[str, ...]:
    """The release whose place it took, and the one that it has gone back to, where they have a message; none before it
    has ended. A release that was never told of in Slack stays so."""
    release = find_release(store, release_id)
    if release is None or not release.status.ended:
        return ()
    others = dict.fromkeys((release.before, release.goes_back_to))
    return tuple(name for name in others if name and _has_message(name, store))


def _has_message(release_id: str, store: Store) -> bool:
    row = store.get(ChatMessage, ChatMessage(release_id).key())
    return row is not None and bool(row.ts)
