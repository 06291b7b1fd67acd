"""Bare Git repositories on this machine, by the command ``git``, without the developer's own configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LINK = "120000"
SUBMODULE = "160000"

_SETTINGS = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class NoSuchObject(Exception):
    """The repository has no such commit, branch, file or blob."""


class PushRefused(Exception):
    """Git refused to move a branch; the message is its own."""


@dataclass(frozen=True)
class Entry:
    """One file of a tree."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True)
class Difference:
    """One file that two trees have differently; None where one has none."""

    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class CommitRecord:
    """A commit. Times are ``<seconds> <offset>``, as Git and CodeCommit write them."""

    commit_id: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    """Name, e-mail, time."""
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True)
class GitRepository:
    """One bare repository."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> GitRepository:
        """A new one, empty."""
        folder.mkdir(parents=True)
        made = cls(folder)
        made._run("init", "--quiet", "--bare", "--initial-branch=main", ".")
        return made

    def resolve(self, specifier: str) -> str:
        """The commit that a branch, tag or id names; raises NoSuchObject."""
        return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{specifier}^{{commit}}").strip()

    def branches(self) -> list[str]:
        """Names."""
        return self._text("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()

    def commit(self, commit_id: str) -> CommitRecord:
        """A commit; raises NoSuchObject."""
        found = self.resolve(commit_id)
        form = "%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B"
        text = self._text("log", "-1", "--date=raw", f"--format={form}", "--end-of-options", found)
        tree, parents, *people, message = text.split("\0")
        return CommitRecord(
            found,
            tree,
            tuple(parents.split()),
            (people[0], people[1], people[2]),
            (people[3], people[4], people[5]),
            message.removesuffix("\n"),
        )

    def files(self, commit_id: str) -> list[Entry]:
        """Every file of a commit."""
        lines = self._text("ls-tree", "-r", "-z", "--full-tree", self.resolve(commit_id), "--").split("\0")
        return [_entry(line) for line in lines if line]

    def differences(self, before: str, after: str) -> Iterator[Difference]:
        """What differs between two commits, in the order of paths; all that ``after`` has where ``before`` is empty."""
        old = {entry.path: entry for entry in self.files(before)} if before else {}
        new = {entry.path: entry for entry in self.files(after)}
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                yield Difference(old.get(path), new.get(path))

    def blob(self, blob: str) -> bytes:
        """A file's bytes; raises NoSuchObject."""
        return self._run("cat-file", "blob", blob)

    def push(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        author: str,
        message: str,
        *,
        parent: str = "",
        force: bool = False,
    ) -> str:
        """Commit files (None deletes one) onto ``parent`` (the branch's newest commit) and move the branch; its id.

        Raises PushRefused when the branch would lose commits, unless ``force``.
        """
        stream = [b"commit refs/heads/%s\n" % branch.encode()]
        stream += [b"author %s now\ncommitter %s now\n" % (author.encode(), author.encode()), _data(message.encode())]
        start = parent or (self._head(branch) if not force else "")
        stream += [b"from %s\n" % start.encode()] if start else []
        for path, content in files.items():
            name = b'"%s"' % path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").encode()
            stream += [b"D %s\n" % name] if content is None else [b"M 100644 inline %s\n" % name, _data(content)]
        options = ["--quiet", "--date-format=now", *(["--force"] if force else [])]
        done = self._process(["fast-import", *options], b"".join(stream))
        if done.returncode:
            raise PushRefused(done.stderr.decode(errors="replace").strip())
        return self.resolve(f"refs/heads/{branch}")

    def delete_branch(self, branch: str) -> None:
        """Forget a branch; its commits stay until they are collected."""
        self._run("update-ref", "-d", f"refs/heads/{branch}")

    def collect(self) -> None:
        """Throw away every commit that no branch reaches."""
        self._run("reflog", "expire", "--expire=now", "--all")
        self._run("gc", "--quiet", "--prune=now")

    def _head(self, branch: str) -> str:
        try:
            return self.resolve(f"refs/heads/{branch}")
        except NoSuchObject:
            return ""

    def _text(self, *arguments: str) -> str:
        return self._run(*arguments).decode(errors="replace")

    def _run(self, *arguments: str) -> bytes:
        done = self._process(arguments, b"")
        if done.returncode:
            raise NoSuchObject(done.stderr.decode(errors="replace").strip() or " ".join(arguments))
        return done.stdout

    def _process(self, arguments: Sequence[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 - git, without a shell
            ["git", *arguments],  # noqa: S607 - wherever the machine has it
            cwd=self.folder,
            env={**os.environ, **_SETTINGS},
            input=stdin,
            capture_output=True,
            check=False,
        )


def _entry(line: str) -> Entry:
    told, _, path = line.partition("\t")
    mode, _, blob = told.split(" ")
    return Entry(path, mode, blob)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
