"""What a release that has ended shows of what it made."""

from __future__ import annotations

import pytest

from orchestrator.core.jobs import JobStatus
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import StageStatus, Status
from tests.core.test_messages import header, shown
from tests.slack_app import samples


def test_a_monitor_shows_its_schedule_and_not_the_endpoint_that_it_watches() -> None:
    outputs = (
        ("EndpointName", "fraud-prod"),
        ("MonitoringScheduleName", "fraud-bias"),
        ("PipelineName", "mlops-pipeline-fraud"),
    )
    prod = samples.stage("prod", StageStatus.VERIFIED, outputs=outputs)
    read = shown(release_message(samples.facts(samples.release(Status.SUCCEEDED, "prod"), stages={"prod": prod})))
    assert "prod MonitoringScheduleName: `fraud-bias`" in read
    assert "fraud-prod" not in read
    assert "PipelineName" not in read


@pytest.mark.parametrize(
    ("status", "run", "headline"),
    [
        (Status.DEPLOYING, JobStatus.RUNNING, "running its job in the orchestrator's account"),
        (Status.SUCCEEDED, JobStatus.SUCCEEDED, "released to the orchestrator's account, and its job has succeeded"),
        (Status.FAILED, JobStatus.FAILED, "failed in the orchestrator's account: its job did not succeed"),
    ],
)
def test_what_runs_once_runs_in_the_orchestrators_account(status: Status, run: JobStatus, headline: str) -> None:
    only = samples.stage(
        "orchestrator", StageStatus.DEPLOYED, job=samples.job(run), outputs=(("ImageUri", "1.dkr/x:1"),)
    )
    release = samples.release(status, "orchestrator", stages=("orchestrator",))
    message = release_message(samples.facts(release, stages={"orchestrator": only}))
    assert header(message) == f"fraud-detector: {headline}"
    assert ("orchestrator ImageUri: `1.dkr/x:1`" in shown(message)) == (status is Status.SUCCEEDED)
