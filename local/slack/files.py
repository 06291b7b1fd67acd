"""Uploaded files: announced with a name and a size, sent to an address of their own, shared in a conversation.

As Slack has it since ``files.upload`` is gone (docs.slack.dev, "Working with files"): ``files.getUploadURLExternal``
gives an id and an address, the bytes go there by POST, and ``files.completeUploadExternal`` shares them. Only text is
shown; everything is in memory.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 1_000_000
"""Of one file, as Slack has it for what is shown as a snippet."""

PREVIEW: Final = 600
"""Characters that a message shows of a file."""


@dataclass
class UploadedFile:
    """One file. ``data`` is None until its bytes have come, ``shared`` says whether people can see it."""

    id: str
    ticket: str
    """Secret part of the address that takes its bytes, once."""
    name: str
    length: int
    title: str = ""
    data: bytes | None = None
    shared: bool = False

    @property
    def text(self) -> str:
        return (self.data or b"").decode("utf-8", "replace")


class Files:
    """Every file by its id."""

    def __init__(self) -> None:
        self._known: dict[str, UploadedFile] = {}

    def announce(self, file_id: str, name: str, length: int) -> UploadedFile:
        """A file that is about to come."""
        self._known[file_id] = UploadedFile(file_id, secrets.token_urlsafe(24), name, length)
        return self._known[file_id]

    def get(self, file_id: str) -> UploadedFile | None:
        return self._known.get(file_id)

    def receive(self, ticket: str, data: bytes) -> bool:
        """Take the bytes of an announced file; whether they are what was announced, and come for the first time."""
        for file in self._known.values():
            if secrets.compare_digest(file.ticket.encode(), ticket.encode()):
                if file.data is not None or len(data) != file.length:
                    return False
                file.data = data
                return True
        return False

    def shown(self, file_id: str) -> UploadedFile | None:
        """A file that was shared."""
        file = self._known.get(file_id)
        return file if file and file.shared else None
