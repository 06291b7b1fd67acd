"""What a push has changed among the configurations of a repository, read at the commit that was pushed.

A configuration is an ``mlops-config.json`` in any folder. What is read is named by its content (Git's blob), so what is
released is what the commit holds, whatever has been pushed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from orchestrator.core.events import BRANCH, CONFIGURATION_NAME, PUSHES, Push, is_configuration
from orchestrator.core.installation import Repository
from orchestrator.core.origins import Commit
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.problems import BadConfiguration, Problem

MAX_CONFIGURATIONS = 200
"""Of one push, or of one repository behind a connection."""

MAX_TEXT = 300
"""Characters kept of what a commit says of itself: names, addresses and messages are as long as their authors like."""

PIPELINE_PREFIX = "mlops-source-"
"""Pipelines that fetch commits are called after the installation's name of the repository."""

ARCHIVES = "commits/"
"""Keys of what they deliver: ``commits/<repository>/<execution>.zip``."""

SOURCE_ACTION = "Source"
"""Name of their action that fetches the commit."""

LINK = "120000"
SUBMODULE = "160000"
"""Git's modes of entries that are no files (``fileMode`` of the AWS CodeCommit API Reference)."""


class ChangeKind(StrEnum):
    """What happened to a file; Git shows a move as a deletion and an addition."""

    ADDED = "A"
    MODIFIED = "M"
    DELETED = "D"


@dataclass(frozen=True)
class FileChange:
    """One file that differs between two commits."""

    path: str
    kind: ChangeKind
    blob: str = ""
    """Id of its content after the change; empty for one that was deleted."""
    old_blob: str = ""
    mode: str = "100644"
    """Git's, after the change."""


@dataclass(frozen=True)
class Author:
    """What a commit says of itself."""

    name: str = ""
    email: str = ""
    message: str = ""


class Repositories(Protocol):
    """The CodeCommit repositories of the orchestrator's own account."""

    def author(self, repository: str, commit_id: str) -> Author:
        """Author and message of a commit; raises ``SourceGone``."""
        ...

    def changes(self, repository: str, old: str, new: str) -> Iterator[FileChange]:
        """Files that differ between two commits; without ``old`` every file of ``new``. Raises ``SourceGone``."""
        ...

    def content(self, repository: str, blob: str) -> bytes:
        """A file's content; raises ``BadConfiguration`` for one that is larger than CodeCommit gives out."""
        ...

    def head(self, repository: str, branch: str) -> str:
        """The commit that the branch stands at; empty where there is no such branch."""
        ...


@dataclass(frozen=True)
class Revision:
    """The commit that an execution of a source pipeline has fetched, in CodePipeline's own record."""

    commit_id: str
    branch: str
    author: Author
    started_at: datetime
    """When it was fetched: a later execution has the same commit or a newer one."""
    url: str = ""
    """Of a page that shows the commit."""


class SourcePipelines(Protocol):
    """The pipelines that fetch commits."""

    def revision(self, pipeline: str, execution_id: str) -> Revision:
        """What an execution has fetched; raises ``SourceGone`` for one that there is not."""
        ...

    def failure(self, pipeline: str, execution_id: str) -> str:
        """Why an execution has failed, in CodePipeline's words; empty where it has not. Raises ``SourceGone``."""
        ...


def pipeline_name(repository: str) -> str:
    """Of the pipeline that fetches a repository's commits."""
    return f"{PIPELINE_PREFIX}{repository}"


def archive_key(repository: str, execution: str) -> str:
    """Where that pipeline puts the archive of an execution."""
    return f"{ARCHIVES}{repository}/{execution}.zip"


def is_of_interest(push: Push, watched: Repository | None) -> bool:
    """Whether it brought a new commit to the branch that is watched.

    Tags, other branches, deleted branches and comments start nothing.
    """
    return (
        watched is not None
        and push.event in PUSHES
        and push.reference_type == BRANCH
        and push.reference == watched.branch
    )


def configurations(changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    """Those of configurations; raises ``BadConfiguration`` for more than one push may bring."""
    found: list[FileChange] = []
    for change in changes:
        if is_configuration(change.path) and change.mode != SUBMODULE:
            found.append(change)
        if len(found) > MAX_CONFIGURATIONS:
            what = f"the push changes more than {MAX_CONFIGURATIONS} files {CONFIGURATION_NAME}"
            raise BadConfiguration([Problem("$", what, "Push them in smaller parts.")])
    return tuple(found)


def commit_of(repository: str, branch: str, commit_id: str, author: Author, page: str = "") -> Commit:
    """A commit as a release shows it: the first line of its message, and everything cut to what a record can hold."""
    message = next(iter(author.message.strip().splitlines()), "")
    return Commit(
        repository=repository,
        branch=branch,
        commit_id=commit_id,
        author_name=author.name[:MAX_TEXT],
        author_email=author.email[:MAX_TEXT],
        message=message[:MAX_TEXT],
        url=page,
    )


def requester_of(push: Push, commit: Commit) -> Identity:
    """Who pushed, by IAM's word; where the event does not tell, the author, who is whoever the commit says."""
    if push.caller.startswith("arn:"):
        return Identity(IdentityKind.IAM, push.caller, verified=True)
    return commit.claimed_by
