"""The outbox is filled and emptied: what has to be said is noted first, and said by one sender at Slack's pace.

Nothing here depends on how long the table's stream remembers, or on how often something was tried: an outage of a day
ends with every message as the records have it. A release that Slack refuses for good is tried less and less often and
keeps no other from its turn; what has changed since it was tried last goes before what Slack has not taken for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.core.errors import ChatPutOff, ChatRefused, ChatUnavailable, Conflict, UnknownRelease
from orchestrator.core.outbox import OUTBOX, Unsaid
from orchestrator.core.ports import Clock, Store
from orchestrator.core.steps.notify_release import Notified
from orchestrator.core.steps.progress import read_stamp, stamp
from orchestrator.core.steps.sending import BRIEF, Sending, TurnOver

BATCH = 5
"""Releases that are told between two looks at the outbox: as many may go before a new question, where many wait."""

NO_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "org_login_required"}
)
"""Slack's codes for a bot token that does not do: it refuses no release, but all of them."""

REFUSED_FOR = timedelta(minutes=1), timedelta(hours=1)
"""After how long a refused release is tried again at first, and at most."""

REFUSALS = 30
"""After so many, some 25 hours, it is left until it changes again."""

TROUBLE_FOR = timedelta(seconds=5), timedelta(minutes=10)
"""Likewise after any other trouble, such as e-mail that SNS does not take; this one is never given up."""

RACES = 20
"""Lost races before a note is given back to the stream."""

Failed = Callable[[str, Exception], None]
"""Told of each release that could not be told of."""


@dataclass(frozen=True)
class Outbox:
    """What is left."""

    unsaid: int = 0
    """Releases that wait for Slack."""
    oldest_seconds: int = 0
    """For how long the first of them has waited."""
    refused: int = 0
    """Releases whose message Slack does not take as it is."""


def note_unsaid(release_id: str, *, store: Store, now: Clock) -> None:
    """Note that a release has something to say."""

    def again(row: Unsaid) -> Unsaid:
        return replace(row, notes=row.notes + 1, attempts=0, refusals=0, refusal="", not_before="")

    fresh = Unsaid(release_id, stamp(now()))
    for _ in range(RACES):
        with suppress(Conflict):
            store.insert(fresh)
            return
        with suppress(KeyError):  # said, and taken away, in between
            store.update(Unsaid, fresh.key(), again)
            return
    raise Conflict(f"what is unsaid of {release_id} changed {RACES} times while it was being noted")


def send_unsaid(
    notify: Callable[[str], Notified], *, sending: Sending, store: Store, now: Clock, failed: Failed, seconds: float
) -> Outbox | None:
    """Say what is unsaid, for about so many seconds; None where somebody else does by now.

    ``notify`` is ``notify_release``, whose chat keeps the pace of ``sending``.
    """
    if not sending.take():
        return None
    until = now() + timedelta(seconds=seconds)
    try:
        while True:
            sending.wait_if_brief()
            sending.keep()
            rows = store.under(Unsaid, OUTBOX)
            due = _due(rows, now(), closed=sending.closed_for > 0)
            over = now() >= until
            if (over or not due) and sending.end(unheard=over):
                return _left(rows, now())
            for row in due if not over else ():
                _say(row, notify, sending, store, now, failed)
                sending.keep()
                if 0 < sending.closed_for <= BRIEF:
                    break
    except TurnOver:
        return None
    except Exception:
        with suppress(Exception):
            sending.end(unheard=True)
        raise


def _due(rows: Sequence[Unsaid], moment: datetime, *, closed: bool) -> Sequence[Unsaid]:
    """Whose turn it is. While Slack may not be called, only what is new: its e-mails do not wait for Slack."""
    ready = [
        row
        for row in rows
        if not (closed and row.attempts) and (not row.not_before or read_stamp(row.not_before) <= moment)
    ]
    return sorted(ready, key=lambda row: (row.attempts > 0, row.since, row.release_id))[:BATCH]


def _say(
    row: Unsaid, notify: Callable[[str], Notified], sending: Sending, store: Store, now: Clock, failed: Failed
) -> None:
    try:
        done = notify(row.release_id)
    except UnknownRelease as error:
        # Deleted by hand: repeating would not bring it back.
        store.delete(row)
        failed(row.release_id, error)
    except ChatPutOff as error:
        if error.seconds > BRIEF:
            _tried(row, store)
    except ChatUnavailable as error:
        sending.out_of_reach()
        _tried(row, store)
        failed(row.release_id, error)
    except TurnOver:
        raise
    except Exception as error:  # whatever it is, the next release has a right to its turn
        _tried(row, store, not_before=stamp(now() + _after(TROUBLE_FOR, row.attempts)))
        failed(row.release_id, error)
    else:
        _done(done, row, sending, store, now, failed)


def _done(done: Notified, row: Unsaid, sending: Sending, store: Store, now: Clock, failed: Failed) -> None:
    if done.refusal not in NO_TOKEN:
        sending.reached()
    if not done.refusal:
        store.delete(row)
        return
    failed(row.release_id, ChatRefused(done.refusal))
    if done.refusal in NO_TOKEN:
        sending.out_of_reach()
        _tried(row, store)
    elif row.refusals + 1 >= REFUSALS:
        store.delete(row)
    else:
        again = stamp(now() + _after(REFUSED_FOR, row.refusals))
        _tried(row, store, refusals=row.refusals + 1, refusal=done.refusal, not_before=again)


def _tried(row: Unsaid, store: Store, **changes: object) -> None:
    """Note an attempt, unless the release has changed meanwhile: then nothing was tried of it yet."""
    tried = replace(row, attempts=row.attempts + 1, **changes)  # type: ignore[arg-type]
    with suppress(KeyError):
        store.update(Unsaid, row.key(), lambda current: tried if current == row else current)


def _after(between: tuple[timedelta, timedelta], times: int) -> timedelta:
    first, most = between
    return min(first * (1 << min(times, 20)), most)


def _left(rows: Sequence[Unsaid], moment: datetime) -> Outbox:
    waiting = [row for row in rows if not row.refusal]
    oldest = min((read_stamp(row.since) for row in waiting), default=moment)
    return Outbox(len(waiting), int((moment - oldest).total_seconds()), len(rows) - len(waiting))
