"""The function behind the states RunJobDev, RunJobStaging, RunJobProd and RunJob."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import SECRET_TOKEN, Called


def test_a_workload_without_a_job_is_answered_at_once(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    release_id = memory.release().release_id
    memory.package(release_id)
    run_job = called("run_job")
    assert run_job({"release_id": release_id, "stage": "dev", "task_token": SECRET_TOKEN}) is None
    assert memory.fake_tasks.answers == {SECRET_TOKEN: {"outcome": "none"}}
    assert run_job.last["release_id"] == release_id
