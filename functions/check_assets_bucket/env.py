"""What the stack tells this function: nothing, since what is to be checked comes with the request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``."""
