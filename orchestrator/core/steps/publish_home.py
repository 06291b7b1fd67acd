"""People's Homes in Slack: drawn when they are opened, and drawn anew when something has changed what they show.

A Home is published on the strength of Slack's hash of what stands there. Who finds another one there than he thought
looks at the records once more, so that an older view never overwrites a newer one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Protocol

from orchestrator.core.errors import ChatRefused, ChatUnavailable, NotAllowed
from orchestrator.core.home import Board, Link, gather_board, home_of
from orchestrator.core.installation import Installation
from orchestrator.core.messages.blocks import Block
from orchestrator.core.messages.home import closed_home, fingerprint, home_view
from orchestrator.core.opened_homes import KEPT_DAYS, LISTING, MOST_KEPT, OpenedHome, Redraw
from orchestrator.core.people import Identity
from orchestrator.core.ports import Clock, Store
from orchestrator.core.steps.message_links import Links, message_link
from orchestrator.core.steps.progress import read_stamp, stamp
from orchestrator.core.upsert import upsert

NOTICE_STAYS = timedelta(minutes=10)
"""How long a Home says what came of a click there, if it is not opened anew before."""

HASH_CONFLICT = "hash_conflict"
"""Slack's code for a view that another has replaced meanwhile (reference/methods/views.publish, "Errors")."""

ATTEMPTS = 3


class Homes(Links, Protocol):
    """Slack. Every method may raise ``ChatUnavailable`` and ``ChatRefused``."""

    def publish(self, user: str, view: Block, hash: str) -> str:
        """Show a person's Home, unless another view than that of ``hash`` stands there by now (empty: whatever stands
        there); Slack's hash of it."""
        ...

    def check(self, user: str, workspace: str) -> None:
        """Raise ``NotAllowed`` where this is no full member of the workspace (any more), with a sentence for him."""
        ...


@dataclass(frozen=True)
class Studio:
    """What Homes are drawn with."""

    store: Store
    homes: Homes
    installation: Installation
    now: Clock


@dataclass
class Refreshed:
    """What one round has done."""

    published: int = 0
    unchanged: int = 0
    left: int = 0
    """Homes that are not looked at this time: Slack asks for a slower pace, or the time is over."""


def show_home(user: str, viewer: Identity, workspace: str, shown_hash: str, studio: Studio) -> None:
    """Somebody opens his Home. ``shown_hash`` is that of the view that Slack has shown him; empty: none."""
    moment = studio.now()
    opened_at = stamp(moment)
    expires_at = int((moment + timedelta(days=KEPT_DAYS)).timestamp())
    fresh = OpenedHome(user, viewer, workspace, opened_at, expires_at)

    def opened(home: OpenedHome) -> OpenedHome:
        # Whatever is noted of another view than the one that is shown is not true of it.
        known = home.rendered if shown_hash and home.hash == shown_hash else ""
        return replace(
            home,
            viewer=viewer,
            workspace=workspace,
            opened_at=opened_at,
            expires_at=expires_at,
            rendered=known,
            hash=shown_hash,
            notice="",
            notice_until="",
            closed=False,
        )

    _publish(upsert(studio.store, fresh, opened), _drawing(studio), studio)


def show_nothing(user: str, sentence: str, studio: Studio) -> None:
    """Somebody opens his Home who may not see anything; he is told so, kindly."""
    studio.homes.publish(user, closed_home(sentence), "")


def tell_at_home(user: str, notice: str, studio: Studio) -> bool:
    """Say in somebody's Home what came of his click there; whether there is a Home that is kept."""
    key = (f"HOME#{user}", "HOME")
    if studio.store.get(OpenedHome, key) is None:
        return False
    until = stamp(studio.now() + NOTICE_STAYS)
    home = studio.store.update(OpenedHome, key, lambda found: replace(found, notice=notice, notice_until=until))
    _publish(home, _drawing(studio), studio)
    return True


def refresh_homes(studio: Studio, in_time: Callable[[], bool]) -> Refreshed:
    """Publish every Home that is kept current and shows something else by now; the newest openers first.

    One whom Slack refuses disturbs no other. Where Slack asks for a slower pace the round ends: the next change, or
    whoever opens his Home, draws it.
    """
    done = Refreshed()
    _begin(studio.store)
    listed = studio.store.listed(OpenedHome, LISTING, limit=MOST_KEPT, newest_first=True)
    oldest = stamp(studio.now() - timedelta(days=KEPT_DAYS))
    kept = [home for home in listed if home.opened_at >= oldest]
    if not kept:
        return done
    drawing = _drawing(studio)
    for index, home in enumerate(kept):
        if not in_time():
            done.left = len(kept) - index
            break
        try:
            if _publish(home, drawing, studio, checked=False):
                done.published += 1
            else:
                done.unchanged += 1
        except ChatRefused:
            _close(home, studio)
        except NotAllowed as refusal:
            _close(home, studio)
            _say_why(home, str(refusal), studio)
        except ChatUnavailable:
            done.left = len(kept) - index
            break
    return done


def _begin(store: Store) -> None:
    """From now on, before anything is read, whatever changes needs another round."""
    key = Redraw().key()
    if store.get(Redraw, key) is not None:
        store.update(Redraw, key, lambda _: Redraw())


def _publish(home: OpenedHome, drawing: _Drawing, studio: Studio, *, checked: bool = True) -> bool:
    """Show the Home as it should read now; whether something had to be published.

    Where the person was not looked up just now (``checked``), he is before anything is shown to him.
    """
    for _ in range(ATTEMPTS):
        view = _view(home, drawing, studio)
        rendered = fingerprint(view)
        if rendered == home.rendered:
            return False
        if not checked:
            studio.homes.check(home.user, home.workspace)
            checked = True
        try:
            found = studio.homes.publish(home.user, view, home.hash)
        except ChatRefused as error:
            if error.code != HASH_CONFLICT:
                raise
            home = _after_conflict(home, studio)
            drawing = _drawing(studio)
            continue
        _note(home, rendered, found, studio.store)
        return True
    return False


def _note(home: OpenedHome, rendered: str, hash: str, store: Store) -> None:
    store.update(OpenedHome, home.key(), lambda row: replace(row, rendered=rendered, hash=hash))


def _after_conflict(home: OpenedHome, studio: Studio) -> OpenedHome:
    """Somebody else has published meanwhile. Where he has not noted it, he has died since: whatever stands there is
    replaced."""
    current = studio.store.get(OpenedHome, home.key()) or home
    return replace(current, hash="", rendered="") if current.hash == home.hash else current


@dataclass(frozen=True)
class _Drawing:
    """The records as one round finds them: what all Homes of it are drawn from."""

    board: Board
    link: Link


def _drawing(studio: Studio) -> _Drawing:
    board = gather_board(studio.store, studio.installation)
    return _Drawing(board, cache(lambda release_id: message_link(release_id, studio.store, studio.homes)))


def _view(home: OpenedHome, drawing: _Drawing, studio: Studio) -> Block:
    fresh = bool(home.notice) and studio.now() < read_stamp(home.notice_until)
    return home_view(home_of(home.viewer, drawing.board, drawing.link, home.notice if fresh else ""))


def _close(home: OpenedHome, studio: Studio) -> None:
    studio.store.update(OpenedHome, home.key(), lambda row: replace(row, closed=True))


def _say_why(home: OpenedHome, sentence: str, studio: Studio) -> None:
    """What he has seen before goes from his Home; where Slack does not take that either, nothing is lost."""
    try:
        show_nothing(home.user, sentence, studio)
    except (ChatRefused, ChatUnavailable):
        return
