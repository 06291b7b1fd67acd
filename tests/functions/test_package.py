"""The function behind the state Package."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.core.errors import WorkloadBusy
from tests.fakes.memory_world import ASSETS, PACKAGES, MemoryWorld, configuration
from tests.functions.conftest import Asked, Called


def test_it_writes_the_package_with_what_its_environment_names(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    package = called("package")
    release = memory.release()
    assert package({"release_id": release.release_id}) == {"outcome": "packaged"}
    assert (PACKAGES, f"packages/{release.release_id}.zip") in memory.buckets.versions
    assert (ASSETS, "fraud/model.tar.gz") in memory.buckets.versions
    assert package.world.asked == [Asked("mlops-records", "/mlops/settings", "mlops-orchestrator")]


def test_a_configuration_that_names_no_model_package_makes_no_client_of_sagemaker(
    called: Callable[[str], Called], memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = called("package")
    release = memory.release()
    made = property(lambda _: pytest.fail("it was made"))
    monkeypatch.setattr(type(package.world), "registry", made, raising=False)
    assert package({"release_id": release.release_id}) == {"outcome": "packaged"}


def test_its_log_line_names_release_and_outcome(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    package = called("package")
    release = memory.release()
    package({"release_id": release.release_id})
    assert package.last["message"] == "done"
    assert package.last["level"] == "INFO"
    assert package.last["service"] == "package"
    assert package.last["release_id"] == release.release_id
    assert package.last["request_id"] == "request-of-lambda"
    assert package.last["outcome"] == "packaged"


def test_another_release_at_work_is_told_by_the_name_that_the_state_machine_retries(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    package = called("package")
    package({"release_id": memory.release().release_id})
    later = memory.release(configuration(description="changed"))
    with pytest.raises(WorkloadBusy):
        package({"release_id": later.release_id})
    assert (package.last["level"], package.last["message"]) == ("INFO", "tried again later")
    assert package.last["error"] == "WorkloadBusy"
