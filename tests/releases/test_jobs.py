"""Jobs of releases: waited for by event and by the sweeper, started once, and failing in their service's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.settings import DEV, ORCHESTRATOR, PROD, STAGING
from tests.events.samples import pipeline_changed
from tests.releases.team import Team, eventually
from tests.releases.workloads.data import Data

LOST = "CapacityError: Unable to provision requested ML compute capacity."


@pytest.fixture(scope="module")
def team(multi: Team) -> Team:
    """Four accounts, with data to train on."""
    data = Data(multi.example)
    multi.upload_asset("jobs/train.csv", data.training())
    multi.upload_asset("jobs/short.csv", b"malignant,a\n1,2\n0,3\n")
    return multi


@pytest.fixture
def held(team: Team) -> Iterator[Team]:
    """Jobs wait where they are, and their events are not lost."""
    team.running.cloud.jobs(hold=True)
    yield team
    team.running.cloud.jobs(hold=False, events=True, fail=[])


def training(name: str, **changes: Any) -> dict[str, Any]:
    """A model that is trained in a second."""
    return {
        "pipeline_type": "model_training_builtin",
        "model_name": name,
        "model_framework": "xgboost",
        "model_framework_version": "1.7-1",
        "training_data": "jobs/train.csv",
        "job_output_location": f"jobs/{name}",
        "algo_hyperparamaters": {"objective": "binary:logistic", "num_round": 3},
        **changes,
    }


def begun(team: Team, name: str, configuration: dict[str, Any], suffix: str = "training") -> str:
    """Upload; the id of the release."""
    known = frozenset(found["release_id"] for found in team.releases(f"{name}-{suffix}"))
    team.upload(f"jobs/{name}", configuration)
    return team.started(f"{name}-{suffix}", known, by="s3")


def job(team: Team, release_id: str) -> dict[str, Any]:
    """The release's job, once it has one."""

    def look() -> dict[str, Any] | None:
        stages = team.show(release_id)["stages"]
        found: dict[str, Any] | None = stages[0]["job"] if stages else None
        return found

    return eventually(f"a job of {release_id}", look)


def executions(team: Team, name: str) -> list[dict[str, Any]]:
    """Of the workload's pipeline, newest first."""
    client = team.client("sagemaker", ORCHESTRATOR)
    pipelines = client.list_pipelines(PipelineNamePrefix=f"mlops-pipeline-{name}")["PipelineSummaries"]
    (pipeline,) = (one["PipelineName"] for one in pipelines)
    answer = client.list_pipeline_executions(PipelineName=pipeline)
    found: list[dict[str, Any]] = answer["PipelineExecutionSummaries"]
    return found


def test_a_running_job_is_seen_and_a_forged_event_ends_nothing(held: Team) -> None:
    name = "watched"
    release_id = begun(held, name, training(name))
    found = job(held, release_id)
    assert found["status"] == "running"
    assert found["arn"] == executions(held, name)[0]["PipelineExecutionArn"]
    shown = eventually("a running job in Slack", lambda: held.message_with(release_id, ":gear: *orchestrator*"))
    assert f"{name}-training: running its job in the orchestrator's account" in shown
    assert "AWS console" in shown
    (wait,) = eventually("a wait for the job", lambda: held.open_waits(release_id))
    before = held.invocations("resume-deployment")

    forged = pipeline_changed(found["arn"], "Succeeded", ORCHESTRATOR)
    held.running.cloud.inject_event(forged, ORCHESTRATOR)

    eventually("the event handled", lambda: held.invocations("resume-deployment") > before)
    assert held.open_waits(release_id) == [wait]
    assert held.show(release_id)["status"] == "deploying"
    held.running.cloud.jobs(hold=False)
    assert held.ended(release_id).status == "succeeded"
    assert job(held, release_id)["status"] == "succeeded"


def test_the_sweeper_alone_completes_a_job(held: Team) -> None:
    name = "unheard"
    release_id = begun(held, name, training(name))
    arn = job(held, release_id)["arn"]
    eventually("a wait for the job", lambda: held.open_waits(release_id))
    before = held.invocations("resume-deployment")
    held.running.cloud.jobs(hold=False, events=False)
    client = held.client("sagemaker", ORCHESTRATOR)

    def done() -> bool:
        status: str = client.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        return status == "Succeeded"

    eventually("the end of the job", done)
    eventually("swept", lambda: held.running.cloud.run_schedules() and not held.open_waits(release_id))
    assert held.ended(release_id).status == "succeeded"
    assert held.invocations("resume-deployment") == before


def test_a_job_that_fails_fails_its_release_in_its_own_words(held: Team) -> None:
    name = "unlucky"
    held.running.cloud.jobs(hold=False, fail=[LOST])
    release_id = begun(held, name, training(name))

    ended = held.ended(release_id)

    assert ended.status == "failed"
    assert LOST in ended.reason
    found = job(held, release_id)
    assert (found["status"], LOST in found["reason"]) == ("failed", True)
    message = eventually("the reason in Slack", lambda: held.message_with(release_id, LOST))
    assert f"{name}-training: failed in the orchestrator's account: its job did not succeed" in message
    assert "The stack is deployed in the orchestrator's account all the same" in message
    (mail,) = held.mails(release_id)
    assert LOST in mail["message"]
    assert "Job in orchestrator: mlops-pipeline-unlucky-" in mail["message"]

    again = begun(held, name, training(name))

    assert held.ended(again).status == "succeeded"
    assert len(executions(held, name)) == 2


def test_data_that_cannot_be_learned_from_is_told_by_its_job(team: Team) -> None:
    name = "too-short"
    configuration = {
        "pipeline_type": "model_autopilot_training",
        "model_name": name,
        "training_data": "jobs/short.csv",
        "job_output_location": "jobs/searched",
        "target_attribute": "malignant",
    }
    ended = team.ended(begun(team, name, configuration, "autopilot"))
    assert ended.status == "failed"
    assert "at least 500 rows" in ended.reason


def test_the_same_file_starts_no_second_job_unless_it_is_forced_to(team: Team) -> None:
    name = "once"
    configuration = training(name)
    first = begun(team, name, configuration)
    assert team.ended(first).status == "succeeded"
    (only,) = executions(team, name)

    again = team.ended(begun(team, name, configuration))

    assert again.status == "unchanged"
    assert first in again.reason
    assert executions(team, name) == [only]

    answer = team.follower.api("POST", "/provisionpipeline?force=true", configuration).json()

    forced = team.ended(answer["release_id"])
    assert forced.status == "succeeded"
    assert [one["PipelineExecutionArn"] for one in executions(team, name)] == [
        job(team, forced.release_id)["arn"],
        only["PipelineExecutionArn"],
    ]


def test_a_training_stands_and_runs_in_the_orchestrators_account_only(team: Team) -> None:
    name = "at-home"
    release_id = begun(team, name, training(name))
    ended = team.ended(release_id)
    assert ended.status == "succeeded"
    assert team.stack(ORCHESTRATOR, ended.stack_name) is not None
    for account in (DEV, STAGING, PROD):
        assert team.stack(account, ended.stack_name) is None
        jobs = team.client("sagemaker", account).list_training_jobs()["TrainingJobSummaries"]
        assert not [one for one in jobs if name in one["TrainingJobName"]]
    assert len(executions(team, name)) == 1
