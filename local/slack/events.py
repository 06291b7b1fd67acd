"""Live updates: the workspace's event log as Server-Sent Events, so that no page has to be reloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, Protocol

from local.slack.workspace import Workspace

PING_SECONDS: Final = 10.0  # how soon a closed browser tab is noticed


class Sink(Protocol):
    """Where the stream goes: a file of bytes."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> None: ...


def stream(workspace: Workspace, user: str, epoch: str, after: int, sink: Sink, stopped: Callable[[], bool]) -> None:
    """Write what `user` sees, from event `after` of `epoch` on, until the tab is closed or the server stops.

    Each event carries its epoch and seq as id, so that a browser that reconnects says where it was (Last-Event-ID).
    One that was connected to an earlier server is told so, and asks for everything anew."""
    seq = after
    try:
        sink.write(b"retry: 500\n\n")
        if epoch != workspace.epoch:
            sink.write(b'data: {"kind": "restarted"}\n\n')
            return
        sink.flush()
        while not stopped():
            events, seq = workspace.events_after(seq, user, PING_SECONDS)
            for event in events:
                data = json.dumps({"kind": event.kind, "data": event.data})
                sink.write(f"id: {workspace.epoch}-{event.seq}\ndata: {data}\n\n".encode())
            if not events:
                sink.write(b": still here\n\n")
            sink.flush()
    except OSError:
        return  # the tab is gone
