"""A CodeCommit repository and the source pipelines in memory."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.core.commits import Author, ChangeKind, FileChange, Revision
from orchestrator.core.errors import SourceGone
from orchestrator.core.events import Push

ANA_WRITES = Author("Ana Silva", "ana@home.example", "Serve the new model\n\nIt is better.")
PUSHER = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/ana"
REPOSITORY = "ml-models"
PUSHED_AT = "2026-03-01T12:00:00Z"


@dataclass
class FakeRepositories:
    """``commits.Repositories`` of one repository: commits are whole trees."""

    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pages: int = 0

    def commit(self, files: Mapping[str, bytes | None], parent: str = "", branch: str = "main") -> str:
        """Commit onto a parent and move the branch; the commit's id."""
        tree = dict(self.trees.get(parent, {}))
        for path, data in files.items():
            if data is None:
                del tree[path]
            else:
                tree[path] = data
        commit_id = hashlib.sha1(repr((sorted(tree.items()), parent)).encode()).hexdigest()  # noqa: S324 - as Git does
        self.trees[commit_id] = tree
        self.branches[branch] = commit_id
        return commit_id

    def author(self, repository: str, commit_id: str) -> Author:
        """See ``Repositories``."""
        self._tree(commit_id)
        return ANA_WRITES

    def changes(self, repository: str, old: str, new: str) -> Iterator[FileChange]:
        """See ``Repositories``."""
        before = self._tree(old) if old else {}
        after = self._tree(new)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) == after.get(path):
                continue
            kind = ChangeKind.ADDED if path not in before else ChangeKind.MODIFIED
            if path not in after:
                kind = ChangeKind.DELETED
            blobs = _blob(after.get(path)), _blob(before.get(path))
            yield FileChange(path, kind, *blobs, self.modes.get(path, "100644"))

    def content(self, repository: str, blob: str) -> bytes:
        """See ``Repositories``."""
        return next(data for tree in self.trees.values() for data in tree.values() if _blob(data) == blob)

    def head(self, repository: str, branch: str) -> str:
        """See ``Repositories``."""
        return self.branches.get(branch, "")

    def _tree(self, commit_id: str) -> dict[str, bytes]:
        if commit_id not in self.trees:
            raise SourceGone(f"no commit {commit_id}")
        return self.trees[commit_id]


def push(commit_id: str, old: str = "", branch: str = "main", time: str = PUSHED_AT, caller: str = PUSHER) -> Push:
    """A branch has a new commit."""
    event = "referenceUpdated" if old else "referenceCreated"
    return Push(event, REPOSITORY, "branch", branch, commit_id, old, caller, time)


@dataclass
class FakePipelines:
    """``SourcePipelines``: executions by pipeline and id."""

    revisions: dict[tuple[str, str], Revision] = field(default_factory=dict)

    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def fetched(self, pipeline: str, execution_id: str, commit_id: str, started_at: datetime) -> None:
        """An execution has fetched a commit."""
        url = f"https://github.example/commit/{commit_id}"
        self.revisions[pipeline, execution_id] = Revision(commit_id, "main", ANA_WRITES, started_at, url)

    def revision(self, pipeline: str, execution_id: str) -> Revision:
        """See ``SourcePipelines``."""
        if (pipeline, execution_id) not in self.revisions:
            raise SourceGone(f"the pipeline {pipeline} has no execution {execution_id}")
        return self.revisions[pipeline, execution_id]

    def failure(self, pipeline: str, execution_id: str) -> str:
        """See ``SourcePipelines``."""
        if (pipeline, execution_id) not in {*self.revisions, *self.failures}:
            raise SourceGone(f"the pipeline {pipeline} has no execution {execution_id}")
        return self.failures.get((pipeline, execution_id), "")


def archive(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip as CodePipeline makes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for path, data in files.items():
            made.writestr(path, data)
    return buffer.getvalue()


def _blob(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha1(data).hexdigest()  # noqa: S324 - as Git does
