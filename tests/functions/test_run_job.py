"""The function behind the states RunJobDev, RunJobStaging, RunJobProd and RunJob."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.jobs import JobStatus
from tests.events.samples import automl_changed, build_changed, pipeline_changed
from tests.fakes.memory_world import MemoryWorld
from tests.fakes.workload_types import BASE, own_type, with_own
from tests.functions.conftest import SECRET_TOKEN, Called
from tests.steps import journeys


def test_a_workload_without_a_job_is_answered_at_once(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    release_id = memory.release().release_id
    memory.package(release_id)
    run_job = called("run_job")
    assert run_job({"release_id": release_id, "stage": "dev", "task_token": SECRET_TOKEN}) is None
    assert memory.fake_tasks.answers == {SECRET_TOKEN: {"outcome": "none"}}
    assert run_job.last["release_id"] == release_id


@pytest.mark.parametrize(
    ("job", "event"),
    [
        ({"kind": "sagemaker_pipeline", "output": "PipelineName"}, pipeline_changed),
        ({"kind": "automl_job", "request": "automl.json"}, automl_changed),
        ({"kind": "codebuild", "output": "ProjectName"}, build_changed),
    ],
    ids=["pipeline", "AutoML job", "build"],
)
def test_a_job_is_started_and_its_event_answers_the_task(
    called: Callable[[str], Called], memory: MemoryWorld, tmp_path: Path, job: dict[str, Any], event: Any
) -> None:
    documents = {"automl.json": {"AutoMLJobName": "fraud"}} if "request" in job else None
    own_type(tmp_path, BASE, documents, job=job)
    memory.catalogue = with_own(tmp_path)
    memory.stacks("dev").outputs["ProjectName"] = "fraud"
    release_id = journeys.in_dev(memory).release_id
    called("run_job")({"release_id": release_id, "stage": "dev", "task_token": SECRET_TOKEN})
    (arn,) = memory.fake_accounts.jobs("dev").states
    assert SECRET_TOKEN not in memory.fake_tasks.answers
    resume = called("resume_deployment")
    assert resume(event(arn, "Succeeded")) == {"outcome": "nothing to resume", "ended": 0, "outside": 0}
    memory.fake_accounts.jobs("dev").end(JobStatus.SUCCEEDED)
    assert resume(event(arn, "Succeeded")) == {"outcome": "resumed", "ended": 1, "outside": 0}
    assert memory.fake_tasks.answers[SECRET_TOKEN] == {"outcome": "completed"}
