"""The handlers where CodePipeline deploys: the package's variables, the event, the old product's status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.records import Status
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.fakes.pipelines import PipedAccounts, piped
from tests.functions.conftest import Called
from tests.steps import journeys
from tests.steps.journeys import STACK

NAME = "mlops-deploy-fraud-detector-realtime"


@pytest.fixture
def memory() -> MemoryWorld:
    return piped()


def ended(kind: str, execution: str = "execution-1") -> dict[str, Any]:
    return {
        "source": "aws.codepipeline",
        "detail-type": f"CodePipeline {kind} Execution State Change",
        "detail": {"pipeline": NAME, "execution-id": execution, "state": "SUCCEEDED"},
    }


def test_the_package_makes_the_pipeline_with_the_stacks_own_bucket(
    called: Callable[[str], Called], memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = memory.release()
    package = called("package")
    monkeypatch.setenv("ARTIFACTS_BUCKET", "the-artifacts")
    monkeypatch.setenv("ARTIFACTS_KEY_ARN", "arn:of:its:key")
    assert package({"release_id": release.release_id}) == {"outcome": "packaged"}
    assert isinstance(memory.accounts, PipedAccounts)
    store = memory.accounts.fake.templates[NAME]["ArtifactStore"]
    assert store == {
        "Type": "S3",
        "Location": "the-artifacts",
        "EncryptionKey": {"Id": "arn:of:its:key", "Type": "KMS"},
    }
    assert memory.of(release.release_id).pipeline == NAME


@pytest.mark.parametrize("kind", ["Pipeline", "Stage", "Action"])
def test_an_event_of_the_pipeline_resumes_what_waits_for_it(
    called: Callable[[str], Called], memory: MemoryWorld, kind: str
) -> None:
    memory.stacks("dev").immediate = False
    release = journeys.packaged(memory)
    memory.deploy(release.release_id, "dev")
    resume = called("resume_deployment")
    assert resume(ended(kind)) == {"outcome": "nothing to resume", "ended": 0, "outside": 0}
    memory.stacks("dev").finish(STACK)
    assert resume(ended(kind, "execution-2"))["ended"] == 0
    assert resume(ended(kind)) == {"outcome": "resumed", "ended": 1, "outside": 0}
    assert (resume.last["ended"], resume.last["outside"]) == (1, 0), "what the alarm's filter reads"


def status_of(called: Callable[[str], Called], release_id: str) -> dict[str, Any]:
    event = {
        "resource": "/pipelinestatus",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": f'{{"pipeline_id": "arn:aws:cloudformation:us-east-1:1:stack/s/{release_id}"}}',
        "requestContext": {"requestId": "r", "identity": {"userArn": "arn:aws:iam::111111111111:user/ana"}},
    }
    answer = called("api")(event)
    assert answer["statusCode"] == 200, answer
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def test_the_status_is_codepipelines_own_while_its_latest_execution_is_the_releases(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    release = journeys.packaged(memory)
    assert status_of(called, release.release_id)["pipelineName"] == STACK, "nothing has started there"
    memory.deploy(release.release_id, "dev")
    assert status_of(called, release.release_id)["pipelineName"] == NAME
    memory.end(release.release_id, Status.FAILED, "E", "why")
    again = journeys.packaged(memory, configuration(description="again"))
    memory.deploy(again.release_id, "dev")
    assert status_of(called, again.release_id)["pipelineName"] == NAME
    assert status_of(called, release.release_id)["pipelineName"] == STACK, "told from the record by now"


def test_the_status_is_told_from_the_record_once_the_pipeline_is_gone(
    called: Callable[[str], Called], memory: MemoryWorld
) -> None:
    release = journeys.live(memory)
    assert isinstance(memory.accounts, PipedAccounts)
    memory.accounts.fake.retire(NAME)
    assert status_of(called, release.release_id)["pipelineName"] == STACK
