"""The function behind the rule for uploaded configurations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.errors import BadRequest
from orchestrator.core.origins import SourceKind
from orchestrator.core.records import Release, Status
from tests.events.samples import model_package_changed, object_created
from tests.fakes.memory_world import ASSETS, MULTI_MACHINE, MemoryWorld, configuration, installation
from tests.functions.conftest import Called
from tests.steps.test_receive_model_package import arn, register, registered

KEY = "fraud/mlops-config.json"


def uploaded(memory: MemoryWorld, values: Any = None, key: str = KEY) -> dict[str, Any]:
    """Upload a configuration; EventBridge's event of it."""
    upload = memory.put_configuration(configuration() if values is None else values, key)
    return object_created(ASSETS, key, upload.version_id, upload.sequencer)


def test_an_upload_becomes_a_release_that_has_started(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    receive_request = called("receive_request")
    answer = receive_request(uploaded(memory))
    assert answer["outcome"] == "received"
    (release_id,) = answer["releases"]
    machine, payload = memory.fake_tasks.started[release_id]
    assert (machine, payload) == (MULTI_MACHINE, {"release_id": release_id, "stage": "dev"})
    assert receive_request.last["releases"] == [release_id]


def test_ten_deliveries_of_an_event_are_one_release(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    receive_request = called("receive_request")
    event = uploaded(memory)
    answers = [receive_request(event) for _ in range(10)]
    assert [answer["outcome"] for answer in answers] == ["received"] + ["duplicate"] * 9
    assert len({tuple(answer["releases"]) for answer in answers}) == 1
    assert len(memory.memory.all(Release)) == 1
    assert [line["outcome"] for line in receive_request.logged].count("duplicate") == 9


def test_an_upload_without_a_version_is_told_to_people(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    event = uploaded(memory)
    del event["detail"]["object"]["version-id"]
    answer = called("receive_request")(event)
    release = memory.of(answer["releases"][0])
    assert release.status is Status.REFUSED
    assert release.problems == (f"s3://{ASSETS}/{KEY} has no version id. Turn versioning on for the bucket and upload "
                                "the file again.",)  # fmt: skip
    assert memory.fake_tasks.started == {}


def test_a_configuration_that_was_deleted_meanwhile_is_told_to_people(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    event = uploaded(memory)
    memory.buckets.remove(ASSETS, KEY)
    release = memory.of(called("receive_request")(event)["releases"][0])
    assert release.status is Status.REFUSED
    assert "does not exist" in release.problems[0]


def test_a_configuration_with_problems_is_told_to_people(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    receive_request = called("receive_request")
    release = memory.of(receive_request(uploaded(memory, b"{not json"))["releases"][0])
    assert release.status is Status.REFUSED
    assert "not valid JSON" in release.problems[0]


@pytest.mark.parametrize(
    "key",
    ["a b/mlops-config.json", "a+b%20c/mlops-config.json", "ü/🚀/mlops-config.json", "../../mlops-config.json"],
)
def test_a_key_is_taken_as_it_is(called: Callable[[str], Called], memory: MemoryWorld, key: str) -> None:
    answer = called("receive_request")(uploaded(memory, key=key))
    assert memory.of(answer["releases"][0]).source.key == key


def test_an_event_that_no_rule_of_ours_sends_is_refused_loudly(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    """It ends in the dead-letter queue, where somebody looks."""
    receive_request = called("receive_request")
    with pytest.raises(BadRequest, match="another"):
        receive_request(uploaded(memory) | {"source": "another"})
    assert memory.memory.rows == {}


@pytest.mark.parametrize(
    "change",
    [{"detail-type": "Object Deleted"}, {"detail-type": "Object Restore Completed"}],
    ids=["deleted", "restored"],
)
def test_what_else_happens_in_a_bucket_is_ignored_without_a_word(
    called: Callable[[str], Called], memory: MemoryWorld, change: dict[str, str]
) -> None:
    receive_request = called("receive_request")
    assert receive_request(uploaded(memory) | change) == {"outcome": "ignored", "releases": []}
    assert receive_request.output == ""


def test_nobodys_upload_is_ignored_without_a_word_and_without_reading_the_settings(
    called: Callable[[str], Called], memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_request = called("receive_request")
    event = memory.put_asset("notes/readme.txt", b"x")
    monkeypatch.setattr(type(receive_request.world), "installation", property(lambda _: pytest.fail("it was read")))
    assert receive_request(event) == {"outcome": "ignored", "releases": []}
    assert receive_request.output == ""
    assert memory.memory.rows == {}


def test_an_upload_of_a_configuration_makes_no_client_of_sagemaker(
    called: Callable[[str], Called], memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_request = called("receive_request")
    event = uploaded(memory)
    for name in ("registry", "cards"):
        monkeypatch.setattr(
            type(receive_request.world), name, property(lambda _: pytest.fail("it was made")), raising=False
        )
    assert receive_request(event)["outcome"] == "received"


def test_a_model_that_a_workload_uses_is_a_release(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    memory.release()
    receive_request = called("receive_request")
    answer = receive_request(memory.put_asset("fraud/model.tar.gz", b"a better model"))
    assert answer["outcome"] == "received"
    assert memory.of(answer["releases"][0]).source.kind is SourceKind.ASSET


def test_an_approved_model_package_is_a_release(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    memory.installation = installation(model_registry=True)
    register(memory, 1, "Approved")
    memory.release(registered())
    register(memory, 2, "Approved")
    answer = called("receive_request")(model_package_changed(arn(2)))
    assert memory.of(answer["releases"][0]).source.key == arn(2)
    other = called("receive_request")(model_package_changed(arn(1, "churn")))
    assert other == {"outcome": "ignored", "releases": []}


def test_the_configuration_itself_is_never_logged(called: Callable[[str], Called], memory: MemoryWorld) -> None:
    receive_request = called("receive_request")
    receive_request(uploaded(memory, configuration(description="between us")))
    assert "between us" not in receive_request.output
    assert json.dumps(receive_request.logged)
