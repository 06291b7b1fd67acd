"""What the listeners work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.installation import Installation
from orchestrator.core.ports import Clock, Store, Tasks

if TYPE_CHECKING:
    from orchestrator.core.steps.start_releases import Reception


@dataclass(frozen=True)
class Desk:
    """The listeners' collaborators; Slack's own client comes from Bolt with each request."""

    store: Store
    tasks: Tasks
    installation: Installation
    now: Clock
    reception: Callable[[], Reception]
    """The way in of releases, made when somebody starts one: it reads the workload types."""
