"""Each of the twelve workload types where CodePipeline deploys, in one account and in four: jobs, waits and all."""

from __future__ import annotations

import pytest

from tests.releases.pipelines import Line
from tests.releases.team import Team
from tests.releases.test_every_type import test_what_stands_in_aws_is_what_the_configuration_asked_for as held_against
from tests.releases.workloads import WORKLOADS
from tests.releases.workloads.data import Data
from tests.releases.workloads.started import Started
from tests.releases.workloads.table import Workload

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def started(piped: Team, live_piped: str) -> Started:
    """A release of every type, all on their way at once, each in a pipeline of its own."""
    endpoints = {one["stage"]: one["outputs"]["EndpointName"] for one in piped.show(live_piped)["stages"]}
    found = Started(piped, Data(piped.example), endpoints)
    found.furnish(WORKLOADS)
    found.begin(WORKLOADS)
    return found


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.kind)
def test_what_stands_in_aws_is_what_the_configuration_asked_for(started: Started, workload: Workload) -> None:
    held_against(started, workload)
    found = started.ended(workload)
    line = Line(started.team, found["workload"])
    assert line.status(line.execution_of(found["release_id"])) == "Succeeded"
