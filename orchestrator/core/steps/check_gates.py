"""The quality gates of a stage, asked whenever the stage is planned: before people are, and before it is touched.

What is live in the stage is asked for anew each time. It cannot change between the plan and its execution, since the
release has its workload's turn; what the gates have come to is part of the plan's digest all the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from orchestrator.core.errors import GatesFailed
from orchestrator.core.gate_results import GateResult
from orchestrator.core.gate_words import stopped
from orchestrator.core.gates import LiveFigures, excused, gates_of, judge, stopping
from orchestrator.core.packaging import CONFIGURATION
from orchestrator.core.ports import Store
from orchestrator.core.records import Figure, Release
from orchestrator.core.steps.progress import find_release, find_workload
from orchestrator.core.steps.released import ReleasedPackage


def check_gates(release: Release, stage: str, package: ReleasedPackage, store: Store) -> tuple[GateResult, ...]:
    """What the gates that guard the stage come to, by the configuration in the package; also for a forced release. A
    rollback is not stopped by being worse than what it takes the place of."""
    gates = gates_of(json.loads(package.package.members[CONFIGURATION]))
    if not gates:
        return ()
    found = judge(gates, stage, dict(_numbers(release.metrics)), live_in(release.workload, stage, store))
    return tuple(map(excused, found)) if release.goes_back_to else found


def stop_at_gates(stage: str, results: Sequence[GateResult]) -> None:
    """Raise ``GatesFailed``, which names every gate that stops the release before this stage; else do nothing."""
    broken = stopping(results)
    if broken:
        raise GatesFailed(stopped(stage, broken))


def live_in(workload: str, stage: str, store: Store) -> LiveFigures:
    """The figures of what is live in one stage now."""
    known = find_workload(store, workload)
    place = next((one for one in known.live if one.stage == stage), None) if known is not None else None
    if place is None:
        return LiveFigures()
    live = find_release(store, place.release_id)
    return LiveFigures(place.release_id, _numbers(live.metrics if live is not None else ()))


def _numbers(figures: Sequence[Figure]) -> tuple[tuple[str, str], ...]:
    return tuple((figure.name, figure.value) for figure in figures)
