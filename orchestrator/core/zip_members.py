"""Members of a zip that somebody else may have made: the one way their bytes are read."""

from __future__ import annotations

import zipfile

MAX_RATIO = 100
"""How many times its compressed size a member may unpack to; JSON and YAML text stays far below."""


class UnsoundMember(Exception):
    """Why a member cannot be read; goes on after its name."""


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The member's bytes, counted while reading; ``zipfile`` itself checks size and CRC. Raises ``UnsoundMember``."""
    try:
        with archive.open(info) as stream:
            data = stream.read(info.file_size + 1)
    except Exception as error:
        # zlib.error, and whatever else a hostile stream makes a decompressor raise: all mean the same here.
        raise UnsoundMember(f"cannot be read: {error}") from None
    if len(data) != info.file_size:
        raise UnsoundMember("is not as long as the archive says")
    return data
