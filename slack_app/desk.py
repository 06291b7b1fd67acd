"""What the listeners work with."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.installation import Installation
from orchestrator.core.ports import Clock, Store, Tasks
from orchestrator.core.steps.reception import Reception


@dataclass(frozen=True)
class Desk:
    """The listeners' collaborators, each made when it is first asked for; Slack's own client comes from Bolt with each
    request."""

    reception: Reception
    """The way in of releases."""

    @property
    def store(self) -> Store:
        """The table."""
        return self.reception.store

    @property
    def tasks(self) -> Tasks:
        """The state machines."""
        return self.reception.tasks

    @property
    def installation(self) -> Installation:
        """The settings."""
        return self.reception.installation

    @property
    def now(self) -> Clock:
        """The time."""
        return self.reception.now
