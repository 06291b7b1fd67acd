"""Each of the twelve workload types end to end, and what then stands in AWS held against what the file asked for.

``make test`` takes each type once, in the mode that a seeded draw gives it; the long tests take the others. All
releases of an installation are started together and followed together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from local.settings import Mode
from tests.releases.team import Team
from tests.releases.workloads import WORKLOADS
from tests.releases.workloads.data import Data
from tests.releases.workloads.started import Started
from tests.releases.workloads.table import Workload

SEED = 12
MODES: tuple[Mode, ...] = ("multi", "single")


SAMPLE = 6
"""Types of the short run."""


def drawn() -> dict[str, Mode]:
    """Type → its mode in the short run: every second of the drawn types in several accounts."""
    kinds = [workload.kind for workload in WORKLOADS]
    random.Random(SEED).shuffle(kinds)  # noqa: S311 - a sample, no secret
    return {kind: MODES[number % 2] for number, kind in enumerate(kinds[:SAMPLE])}


def cases() -> list[Any]:
    """Every type in both modes; what is not drawn is long."""
    chosen = drawn()
    return [
        pytest.param(
            mode,
            workload,
            id=f"{workload.kind}-{mode}",
            marks=[] if chosen.get(workload.kind) == mode else [pytest.mark.long],
        )
        for mode in MODES
        for workload in WORKLOADS
    ]


def wanted(mode: Mode, items: Sequence[pytest.Item]) -> list[Workload]:
    """The types that this run looks at in this mode."""
    parameters = [getattr(item, "callspec", None) for item in items]
    asked = [found.params for found in parameters if found is not None]
    return [one["workload"] for one in asked if one.get("mode") == mode and isinstance(one.get("workload"), Workload)]


def begun(team: Team, live: str, request: pytest.FixtureRequest) -> Started:
    endpoints = {one["stage"]: one["outputs"]["EndpointName"] for one in team.show(live)["stages"]}
    started = Started(team, Data(team.example), endpoints)
    chosen = wanted(team.running.mode, request.session.items)
    started.furnish(chosen)
    started.begin(chosen)
    return started


@pytest.fixture(scope="module")
def in_many_accounts(multi: Team, live: str, request: pytest.FixtureRequest) -> Started:
    """Releases of an installation of four accounts."""
    return begun(multi, live, request)


@pytest.fixture(scope="module")
def in_one_account(single: Team, live_single: str, request: pytest.FixtureRequest) -> Started:
    """Releases of an installation of one account."""
    return begun(single, live_single, request)


@pytest.fixture
def started(mode: Mode, request: pytest.FixtureRequest) -> Started:
    """The releases of the mode."""
    found: Started = request.getfixturevalue("in_many_accounts" if mode == "multi" else "in_one_account")
    return found


@pytest.mark.parametrize(("mode", "workload"), cases())
def test_what_stands_in_aws_is_what_the_configuration_asked_for(started: Started, workload: Workload) -> None:
    found = started.ended(workload)

    assert found["status"] == "succeeded", found["reason"]
    assert [one["stage"] for one in found["stages"]] == started.stages(workload)
    told = []
    for reading in started.readings(workload, found):
        told += reading.differences(workload.looks)
        told += reading.tags(found["stack_name"], workload.configuration.get("tags", {}))
        job = reading.shown["job"]
        assert (job["kind"] if job else "") == workload.job
        if job:
            assert job["status"] == "succeeded"
            started.team.message(found["release_id"], str(job["name"]))
        workload.made(reading)
    assert told == []
