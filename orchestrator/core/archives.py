"""Configurations in the zip of a repository, as CodePipeline's source action makes it of a commit.

The zip comes from whoever may push, so it is read as an attacker's: only its directory and the members that are wanted
are fetched, no more of them than is allowed, and nothing is ever extracted. A directory that no honest zip of a
repository has is refused whole; a configuration that is too large or cannot be read is a problem of its own.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core import strict_json
from orchestrator.core.commits import MAX_CONFIGURATIONS
from orchestrator.core.events import CONFIGURATION_NAME, is_configuration
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.zip_members import MAX_RATIO, UnsoundMember, read_member

MAX_ENTRIES = 100_000
"""Files and folders of a repository."""

MAX_FETCHED = 32 * 1024 * 1024
"""Bytes fetched of one zip: the directory (some 120 bytes a file) and the configurations."""

BLOCK = 256 * 1024
"""Bytes of one fetch."""

_ENCRYPTED = 0x1

Fetch = Callable[[int, int], bytes]
"""First byte and length → bytes of the zip."""


@dataclass(frozen=True)
class Found:
    """The configurations of a repository: path → bytes, and path → why it cannot be read."""

    files: Mapping[str, bytes]
    unreadable: Mapping[str, Problem]


def read_configurations(fetch: Fetch, size: int) -> Found:
    """Every configuration of a zip of ``size`` bytes; raises ``BadConfiguration`` for one that is no sound zip."""
    files: dict[str, bytes] = {}
    unreadable: dict[str, Problem] = {}
    try:
        with zipfile.ZipFile(_Remote(fetch, size)) as archive:
            for info in _wanted(archive.infolist()):
                path = info.orig_filename
                problem = _problem(info)
                if problem is None:
                    try:
                        files[path] = read_member(archive, info)
                        continue
                    except UnsoundMember as error:
                        problem = f"the file {error}"
                unreadable[path] = Problem("$", problem, "Mend the file and push again.")
    except (_Unsound, zipfile.BadZipFile, OSError, NotImplementedError, EOFError, ValueError) as error:
        raise BadConfiguration([Problem("$", f"the commit's archive cannot be read: {error}", "")]) from None
    return Found(files, unreadable)


class _Unsound(Exception):
    """The archive is not what an honest one is."""


class _Remote(io.RawIOBase):
    """The zip as ``zipfile`` reads it: fetched block by block, each once, and no more than is allowed."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__()
        self._fetch, self._size = fetch, size
        self._position = 0
        self._blocks: dict[int, bytes] = {}

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("it points to before its own beginning")  # as a file does, which zipfile counts on
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        number, within = divmod(self._position, BLOCK)
        if self._position >= self._size:
            return 0
        data = self._block(number)[within : within + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """All that was asked for: ``zipfile`` takes a short answer for the end."""
        wanted = max(self._size - self._position, 0)
        wanted = wanted if size < 0 else min(size, wanted)
        if wanted > MAX_FETCHED:
            raise _Unsound(f"its directory has {wanted:,} bytes, {MAX_FETCHED:,} are allowed")
        parts: list[bytes] = []
        while wanted:
            number, within = divmod(self._position, BLOCK)
            part = self._block(number)[within : within + wanted]
            if not part:
                raise _Unsound("it is shorter than it says")
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if (len(self._blocks) + 1) * BLOCK > MAX_FETCHED:
                raise _Unsound(f"more than {MAX_FETCHED:,} of its bytes would have to be read")
            first = number * BLOCK
            self._blocks[number] = self._fetch(first, min(BLOCK, self._size - first))
        return self._blocks[number]


def _wanted(infos: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Members that are configurations, of a directory that is sound as a whole."""
    if len(infos) > MAX_ENTRIES:
        raise _Unsound(f"it has {len(infos):,} entries, {MAX_ENTRIES:,} are allowed")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.orig_filename
        if name.startswith("/") or "\0" in name or ".." in name.replace("\\", "/").split("/"):
            raise _Unsound(f"it has an entry of the name {name[:200]!r}, which leads out of it")
        if "\\" in name and is_configuration(name.replace("\\", "/")):
            raise _Unsound(f"it has an entry of the name {name[:200]!r}: folders end in /")
        if not is_configuration(name):
            continue
        if name in found:
            raise _Unsound(f"it has {name[:200]!r} twice")
        found[name] = info
    if len(found) > MAX_CONFIGURATIONS:
        raise _Unsound(f"it has {len(found):,} files {CONFIGURATION_NAME}, {MAX_CONFIGURATIONS} are allowed")
    return list(found.values())


def _problem(info: zipfile.ZipInfo) -> str | None:
    """Why a member is not read, by what the directory says of it."""
    if info.flag_bits & _ENCRYPTED:
        return "the file is encrypted"
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        return "this is no regular file, but a link or something else"
    if info.file_size > strict_json.MAX_BYTES:
        return f"the document has {info.file_size:,} bytes, {strict_json.MAX_BYTES:,} are allowed"
    if info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"the file unpacks to more than {MAX_RATIO} times its size"
    return None
