"""What the listeners work with."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.installation import Installation
from orchestrator.core.ports import Clock, Store, Tasks


@dataclass(frozen=True)
class Desk:
    """The listeners' collaborators; Slack's own client comes from Bolt with each request."""

    store: Store
    tasks: Tasks
    installation: Installation
    now: Clock
