"""CodeCommit repositories of the orchestrator's own account as ``commits.Repositories``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.commits import Author, ChangeKind, FileChange
from orchestrator.core.errors import SourceGone
from orchestrator.core.problems import BadConfiguration, Problem

PAGE = 100
"""Differences asked for at once."""

MAX_PAGES = 1_000
"""Of one push: a first push of a repository lists every file that it has."""

_NO_COMMIT = frozenset({"CommitDoesNotExistException", "CommitIdDoesNotExistException"})
_NO_BRANCH = frozenset({"BranchDoesNotExistException"})


class CodeCommitRepositories:
    """See the module."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def author(self, repository: str, commit_id: str) -> Author:
        """See ``commits.Repositories``."""
        with translated("codecommit"):
            try:
                found = self._client.get_commit(repositoryName=repository, commitId=commit_id)["commit"]
            except self._client.exceptions.ClientError as error:
                _raise_if_gone(error, repository, commit_id)
                raise
        author = found.get("author", {})
        return Author(author.get("name", ""), author.get("email", ""), found.get("message", ""))

    def changes(self, repository: str, old: str, new: str) -> Iterator[FileChange]:
        """See ``commits.Repositories``."""
        request: dict[str, Any] = {"repositoryName": repository, "afterCommitSpecifier": new, "MaxResults": PAGE}
        if old:
            request["beforeCommitSpecifier"] = old
        for _ in range(MAX_PAGES):
            with translated("codecommit"):
                try:
                    page = self._client.get_differences(**request)
                except self._client.exceptions.ClientError as error:
                    _raise_if_gone(error, repository, f"{old or new} or {new}" if old else new)
                    raise
            for raw in page.get("differences", []):
                yield _change(raw)
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]
        what = f"the push changes more than {PAGE * MAX_PAGES:,} files"
        raise BadConfiguration([Problem("$", what, "Push configurations by themselves.")])

    def content(self, repository: str, blob: str) -> bytes:
        """See ``commits.Repositories``."""
        with translated("codecommit"):
            try:
                return bytes(self._client.get_blob(repositoryName=repository, blobId=blob)["content"])
            except self._client.exceptions.ClientError as error:
                if code_of(error) == "FileTooLargeException":
                    what = "the document is larger than CodeCommit gives out"
                    raise BadConfiguration([Problem("$", what, "Make it smaller.")]) from error
                raise

    def head(self, repository: str, branch: str) -> str:
        """See ``commits.Repositories``."""
        with translated("codecommit"):
            try:
                found = self._client.get_branch(repositoryName=repository, branchName=branch)
            except self._client.exceptions.ClientError as error:
                if code_of(error) in _NO_BRANCH:
                    return ""
                raise
        return str(found["branch"].get("commitId", ""))


def _change(raw: Any) -> FileChange:
    before, after = raw.get("beforeBlob", {}), raw.get("afterBlob", {})
    return FileChange(
        path=(after.get("path") or before.get("path", "")).lstrip("/"),
        kind=ChangeKind(raw["changeType"]),
        blob=after.get("blobId", ""),
        old_blob=before.get("blobId", ""),
        mode=after.get("mode") or before.get("mode", ""),
    )


def _raise_if_gone(error: Any, repository: str, commit_id: str) -> None:
    if code_of(error) in _NO_COMMIT:
        raise SourceGone(f"the repository {repository} has no commit {commit_id}") from error
