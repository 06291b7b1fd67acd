"""What came of the quality gates before one stage, as the records keep it; ``gates`` judges."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Why a gate is broken."""

    NOT_MEASURED = "not_measured"
    TOO_LOW = "too_low"
    TOO_HIGH = "too_high"
    WORSE_THAN_LIVE = "worse_than_live"


class GateStatus(StrEnum):
    """What a gate means for the release."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True)
class GateResult:
    """What came of one gate before one stage: its limits, what they were compared with, and what follows."""

    metric: str
    status: GateStatus
    faults: tuple[Fault, ...] = ()
    """Empty where it holds."""
    value: str = ""
    """Of this release; empty where it was not measured."""
    live: str = ""
    """Of what is live in the stage; empty where nothing is, or that has no such figure."""
    live_release: str = ""
    """What is live in the stage; empty where nothing is."""
    at_least: str = ""
    at_most: str = ""
    not_worse_than_live_by: str = ""
    higher_is_better: bool = True
