"""What is known beside a change, and how much of a list an entry keeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.installation import Installation
from orchestrator.core.ledger.chain import REQUESTS
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.records import Release

LISTED = 200
"""Resources, parameters, problems and the like that an entry lists; of more it has the number."""

MAX_LISTED = 500
"""Characters of each."""

_WORKLOAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,126}")


@dataclass(frozen=True)
class Setting:
    """What is known beside a change: its release as it stands, and the installation."""

    release: Release
    installation: Installation

    @property
    def ledger(self) -> str:
        """Name of the ledger that the release belongs to."""
        return ledger_of(self.release)


def ledger_of(release: Release) -> str:
    """The workload's own, or ``REQUESTS`` for what releases no workload."""
    of_a_workload = bool(release.workload_type) and release.workload_type not in OPERATIONS
    return release.workload if of_a_workload and _WORKLOAD.fullmatch(release.workload) else REQUESTS


def some(listed: Sequence[str]) -> list[str]:
    """As much of a list as an entry keeps."""
    rest = len(listed) - LISTED
    shown = [one if len(one) <= MAX_LISTED else one[: MAX_LISTED - 1] + "…" for one in listed[:LISTED]]
    return [*shown, *([f"… and {rest} more"] if rest > 0 else [])]
