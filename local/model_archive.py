"""Unpack a ``model.tar.gz`` where every member stays in its folder, also by Pythons that came before PEP 706.

Debian 12's Python is 3.11.2, whose ``tarfile`` has no extraction filters; they came with 3.11.4.
"""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath


def unpack(archive: tarfile.TarFile, directory: Path) -> None:
    """Extract everything; raises ``tarfile.TarError`` for a member that is no file or folder, or leaves the folder."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(directory, filter="data")
        return
    for member in archive.getmembers():
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
            raise tarfile.ExtractError(f"{member.name!r} is no file or folder of the archive's own")
        # As the filter does: nobody else's owner, no special bits.
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    archive.extractall(directory)  # noqa: S202 - each member was looked at
