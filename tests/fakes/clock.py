"""Time that moves when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """``ports.Clock``: every look at it takes a millisecond, so that what comes later is later."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.look = timedelta(milliseconds=1)
        """How long a look takes; nothing for a clock that stands still."""

    def __call__(self) -> datetime:
        """Now."""
        self.moment += self.look
        return self.moment

    def pass_hours(self, hours: float) -> None:
        """Let time pass."""
        self.moment += timedelta(hours=hours)

    def pass_seconds(self, seconds: float) -> None:
        """Let a little time pass."""
        self.moment += timedelta(seconds=seconds)
