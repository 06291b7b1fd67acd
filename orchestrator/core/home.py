"""What people's Homes show, gathered from the records: once for everybody (``Board``), then for each viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.core.approvals import eligible
from orchestrator.core.errors import UnknownRelease
from orchestrator.core.installation import Installation
from orchestrator.core.messages import limits
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.home import Asked, HomeFacts, Listed, LivePlace, LiveWorkload, Own
from orchestrator.core.people import Identity
from orchestrator.core.ports import Store
from orchestrator.core.records import Approval, ApprovalStatus, Release, Workload
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.steps.progress import find_release

QUESTIONS = 50
"""Open questions that are looked at."""

RELEASES = 100
"""Latest releases among which a person's own are found."""

WORKLOADS = 500
"""Workloads that are looked at, by name."""

Link = Callable[[str], str]
"""Release id → address of its message; empty where that is not known."""


@dataclass(frozen=True)
class Board:
    """The records as they stand, for all viewers."""

    installation: Installation
    waiting: tuple[tuple[Facts, Waiting], ...]
    """Open questions, the oldest first."""
    releases: tuple[Release, ...]
    """The latest, newest first."""
    live: Listed[LiveWorkload]


def gather_board(store: Store, installation: Installation) -> Board:
    """Look at the records."""
    releases = store.listed(Release, "RELEASES", limit=RELEASES, newest_first=True)
    return Board(
        installation,
        tuple(_open_questions(store, installation)),
        releases,
        _live(store, installation, {release.release_id: release for release in releases}),
    )


def home_of(viewer: Identity, board: Board, link: Link, notice: str = "") -> HomeFacts:
    """What one person sees."""
    waiting = [pair for pair in board.waiting if _waits_for(viewer, *pair)]
    own = _own(viewer, board)
    return HomeFacts(
        board.installation,
        Listed(
            tuple(
                Asked(facts, question, link(facts.release.release_id))
                for facts, question in waiting[: limits.HOME_WAITING]
            ),
            max(0, len(waiting) - limits.HOME_WAITING),
        ),
        Listed(
            tuple(Own(release, link(release.release_id)) for release in own[: limits.HOME_OWN]),
            max(0, len(own) - limits.HOME_OWN),
        ),
        board.live,
        notice,
    )


def _open_questions(store: Store, installation: Installation) -> Iterator[tuple[Facts, Waiting]]:
    """The list is a moment late at times: what counts is the row of each question."""
    listed = store.listed(Approval, "WAITING", limit=QUESTIONS)
    pending = [approval for approval in listed if approval.status is ApprovalStatus.PENDING]
    for approval in sorted(pending, key=lambda one: (one.asked_at, one.approval_id)):
        try:
            facts = gather(approval.release_id, store, installation)
        except UnknownRelease:
            continue
        waiting = facts.waiting
        if waiting is not None and waiting.approval.approval_id == approval.approval_id:
            yield facts, waiting


def _waits_for(viewer: Identity, facts: Facts, waiting: Waiting) -> bool:
    """Whether this person may vote here, and has not yet."""
    rules = facts.rules(waiting.approval.stage)
    if rules is None or not eligible(rules, facts.release.requester, viewer).allowed:
        return False
    key = rules.voter_key(viewer)
    return all(vote.person != key for vote in waiting.approval.votes)


def _own(viewer: Identity, board: Board) -> Sequence[Release]:
    """The person's own: those that run first, each newest first."""
    people = board.installation.people
    key = people.key(viewer)

    def is_own(release: Release) -> bool:
        author = release.commit.claimed_by if release.commit else release.requester
        return key in {people.key(release.requester), people.key(author)}

    # Stable: within running and ended ones the order stays.
    return sorted(filter(is_own, board.releases), key=lambda release: release.status.ended)


def _live(store: Store, installation: Installation, known: dict[str, Release]) -> Listed[LiveWorkload]:
    """Workloads of which something is live, what changed last first."""
    found = [one for one in store.listed(Workload, "WORKLOADS", limit=WORKLOADS) if one.live]
    found.sort(key=lambda one: (max(place.since for place in one.live), one.workload), reverse=True)

    def requester(release_id: str) -> str:
        release = known.get(release_id) or find_release(store, release_id)
        return installation.people.display(release.requester) if release else ""

    shown = tuple(LiveWorkload(one.workload, tuple(_places(one, requester))) for one in found[: limits.HOME_LIVE])
    return Listed(shown, len(found) - len(shown))


def _places(workload: Workload, requester: Callable[[str], str]) -> Iterator[LivePlace]:
    """Stages in which the same release is live are one place."""
    for release_id in dict.fromkeys(one.release_id for one in workload.live):
        stages = [one for one in workload.live if one.release_id == release_id]
        last = max(stages, key=lambda one: one.since)
        names = tuple(one.stage for one in stages)
        yield LivePlace(names, release_id, last.digest, last.since, requester(release_id))
