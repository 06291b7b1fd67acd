"""A push to a CodeCommit repository becomes releases: one way in for each configuration that it changes.

An event says that a branch has moved; what has changed is asked of the repository, at the commit of the event. Events
come in any order: a configuration that the branch has in another version by now is superseded from the start, since
the event of that version has come or will.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.core.commits import (
    LINK,
    Author,
    ChangeKind,
    FileChange,
    Repositories,
    commit_of,
    configurations,
    is_of_interest,
    requester_of,
)
from orchestrator.core.consoles import commit_page
from orchestrator.core.deliveries import LatestPush
from orchestrator.core.errors import SourceGone
from orchestrator.core.events import Push
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import Identity
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.steps.progress import TICK, read_stamp, stamp
from orchestrator.core.steps.receipts import NOTHING, Receipt, together
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.start_releases import Terms, refuse, start_or_refuse, taken_by
from orchestrator.core.steps.tell_deleted import tell_deleted
from orchestrator.core.upsert import upsert

OVERTAKEN = "The branch has a newer version of this configuration than the commit that asked for this release."


def receive_push(push: Push, repositories: Repositories, reception: Reception) -> Receipt:
    """Start the releases of a push; nothing for other branches, tags, and repositories that are not watched.

    A commit that is gone, and a configuration with problems, become refused releases: whoever pushed is told.
    """
    installation = reception.installation
    if not is_of_interest(push, installation.watched("codecommit", push.repository)):
        return NOTHING
    page = commit_page(installation.partition, installation.region, push.repository, push.commit_id)
    try:
        author = repositories.author(push.repository, push.commit_id)
    except SourceGone:
        return _refuse_whole(push, Author(), page, [_gone(push)], reception)
    try:
        changed = _changed(push, repositories)
        # In this order: whoever pushes after the branch was looked at is received after this, and counts as later.
        asked_at = {change.path: _noted(source_of(push, change.path), push, reception) for change in changed}
        newer = _newer(push, repositories)
    except BadConfiguration as error:
        return _refuse_whole(push, author, page, [problem.sentence for problem in error.problems], reception)
    commit = commit_of(push.repository, push.reference, push.commit_id, author, page)
    requester = requester_of(push, commit)
    receipts: list[Receipt] = []
    for change in changed:
        if change.kind is ChangeKind.DELETED:
            continue
        terms = Terms(
            commit=commit,
            overtaken=OVERTAKEN if change.path in newer else "",
            asked_at=asked_at[change.path],
            taken=taken_by(receipts),
        )
        receipts.append(_start(change, source_of(push, change.path), requester, terms, repositories, reception))
    released = {release.workload for receipt in receipts for release in receipt.releases}
    for change in changed:
        if change.kind is ChangeKind.DELETED and change.path not in newer:
            receipts += tell_deleted(
                source_of(push, change.path),
                requester,
                commit,
                reception,
                old=_reader(push.repository, change.old_blob, repositories),
                released=released,
            )
    return together(receipts)


def source_of(push: Push, path: str = "") -> Source:
    """One file of a push. A branch may come back to a commit by force: where it stood before, and when it moved, tell
    that push from the first."""
    return Source(SourceKind.COMMIT, push.repository, path, push.commit_id, f"{push.old_commit_id}@{push.time}")


def _changed(push: Push, repositories: Repositories) -> tuple[FileChange, ...]:
    """What differs from where the branch stood; where that commit is gone (a forced push), all there is."""
    with suppress(SourceGone):
        return configurations(repositories.changes(push.repository, push.old_commit_id, push.commit_id))
    return configurations(repositories.changes(push.repository, "", push.commit_id))


def _newer(push: Push, repositories: Repositories) -> frozenset[str]:
    """Configurations that the branch has in another version than this commit, or not any more."""
    head = repositories.head(push.repository, push.reference)
    if head in {"", push.commit_id}:
        return frozenset()
    changes = configurations(repositories.changes(push.repository, push.commit_id, head))
    return frozenset(change.path for change in changes)


def _start(
    change: FileChange,
    source: Source,
    requester: Identity,
    terms: Terms,
    repositories: Repositories,
    reception: Reception,
) -> Receipt:
    try:
        if change.mode == LINK:
            raise BadConfiguration([Problem("$", "this is a symbolic link", "Commit the file itself.")])
        data = repositories.content(source.bucket, change.blob)
    except BadConfiguration as error:
        return refuse(source, requester, [problem.sentence for problem in error.problems], reception, terms)
    return start_or_refuse(source, requester, data, reception, terms)


def _refuse_whole(push: Push, author: Author, page: str, problems: list[str], reception: Reception) -> Receipt:
    """What cannot be told of one configuration, since none could be looked at; its name is the repository's."""
    commit = commit_of(push.repository, push.reference, push.commit_id, author, page)
    terms = Terms(commit=commit, asked_at=_moment(push))
    return refuse(source_of(push), requester_of(push, commit), problems, reception, terms)


def _gone(push: Push) -> str:
    return (
        f"The commit {push.commit_id} is not in the repository {push.repository} any more, as after a forced push or "
        "the deletion of its branch. Nothing can be read of it; push the configuration again."
    )


def _reader(repository: str, blob: str, repositories: Repositories) -> Callable[[], bytes]:
    return lambda: repositories.content(repository, blob)


def _noted(source: Source, push: Push, reception: Reception) -> datetime:
    """When the push of this file counts as asked for: when the branch moved, and after the push received before it."""
    moment = _moment(push) or reception.now()
    this = LatestPush(source.bucket, source.key, source.request, stamp(moment))

    def latest(known: LatestPush) -> LatestPush:
        if known.request == this.request:
            return known
        return replace(this, asked_at=stamp(max(moment, read_stamp(known.asked_at) + TICK)))

    return read_stamp(upsert(reception.store, this, latest).asked_at)


def _moment(push: Push) -> datetime | None:
    """When the branch moved; None where the event does not tell."""
    with suppress(ValueError):
        return datetime.fromisoformat(push.time.replace("Z", "+00:00")).astimezone(UTC)
    return None
