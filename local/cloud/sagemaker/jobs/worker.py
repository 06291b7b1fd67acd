"""Work in the background: a thread for each execution or job, which can be asked to stop and ends with the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from local.cloud.contract import Seam
from local.cloud.faults import FAULTS

SEAMS = (Seam("ministack.core.responses", "request_scope", ("account_id", "region")),)

LOOK_SECONDS = 0.1
"""How often held work looks whether it may go on."""
END_SECONDS = 5.0
"""How long a reset waits for work to end."""


class Stopped(Exception):
    """The work was asked to stop."""


class Run:
    """One piece of work in the background."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set when the work is asked to stop."""
        self.abandoned = False
        """True after a reset: the work leaves no record and sends no event any more."""
        self.ended = threading.Event()
        self.on_stop: list[Callable[[], None]] = []
        """Called when the work is asked to stop; a child process is ended that way."""

    def ask_to_stop(self) -> None:
        """Ask; the work ends at its next look."""
        self.stop.set()
        for call in list(self.on_stop):
            call()

    def look(self) -> None:
        """Go on, wait while jobs are held, or raise Stopped."""
        while FAULTS.hold_jobs and not self.stop.is_set():
            self.stop.wait(LOOK_SECONDS)
        if self.stop.is_set():
            raise Stopped


_runs: set[Run] = set()
_lock = threading.Lock()


def start(account: str, region: str, work: Callable[[Run], Any]) -> Run:
    """Do ``work`` in a thread, within an account and a region and without a caller."""
    run = Run()
    with _lock:
        _runs.add(run)

    def main() -> None:
        from ministack.core import responses

        try:
            with responses.request_scope(account, region):
                work(run)
        finally:
            run.ended.set()
            with _lock:
                _runs.discard(run)

    threading.Thread(target=main, name="job", daemon=True).start()
    return run


def reset() -> None:
    """Stop all work and wait until it has ended."""
    with _lock:
        running = list(_runs)
    for run in running:
        run.abandoned = True
        run.ask_to_stop()
    for run in running:
        run.ended.wait(END_SECONDS)
