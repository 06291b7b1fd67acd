"""The function behind the rules for pushes and archives."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.commits import archive_key, pipeline_name
from orchestrator.core.installation import Repository
from orchestrator.core.origins import SourceKind
from tests.events.samples import object_created, repository_changed
from tests.fakes.git import FakePipelines, FakeRepositories, archive
from tests.fakes.memory_world import MemoryWorld, configuration
from tests.functions.conftest import VALUES, Called

FILES = {"fraud/mlops-config.json": json.dumps(configuration()).encode()}


@pytest.fixture
def repositories(memory: MemoryWorld) -> FakeRepositories:
    memory.installation = replace(
        memory.installation,
        repositories=(
            Repository("ml-models", "main"),
            Repository("github", "main", "connection", "arn:connection", "example/ml-models"),
        ),
    )
    memory.repositories = FakeRepositories()  # type: ignore[attr-defined]
    memory.pipelines = FakePipelines()  # type: ignore[attr-defined]
    found: FakeRepositories = memory.repositories  # type: ignore[attr-defined]
    return found


def test_a_push_starts_a_release_once(
    called: Callable[[str], Called], memory: MemoryWorld, repositories: FakeRepositories
) -> None:
    receive_request = called("receive_request")
    event = repository_changed(commitId=repositories.commit(FILES), oldCommitId=None)
    answers = [receive_request(event) for _ in range(3)]
    assert [answer["outcome"] for answer in answers] == ["received", "duplicate", "duplicate"]
    assert memory.of(answers[0]["releases"][0]).source.kind is SourceKind.COMMIT
    assert list(memory.fake_tasks.started) == answers[0]["releases"]


@pytest.mark.parametrize("changes", [{"referenceName": "feature"}, {"referenceType": "tag"}, {"repository": "other"}])
def test_what_is_not_watched_is_ignored(
    called: Callable[[str], Called], memory: MemoryWorld, repositories: FakeRepositories, changes: dict[str, Any]
) -> None:
    answer = called("receive_request")(repository_changed(commitId=repositories.commit(FILES), **changes))
    assert answer == {"outcome": "ignored", "releases": []}
    assert memory.memory.rows == {}


def test_an_archive_starts_a_release_once(
    called: Callable[[str], Called], memory: MemoryWorld, repositories: FakeRepositories
) -> None:
    bucket, execution = VALUES["commits_bucket"], str(uuid.uuid4())
    key = archive_key("github", execution)
    version = memory.buckets.put(bucket, key, archive(FILES))
    memory.pipelines.fetched(pipeline_name("github"), execution, "c" * 40, memory.clock())  # type: ignore[attr-defined]
    receive_request = called("receive_request")
    answers = [receive_request(object_created(bucket, key, version)) for _ in range(3)]
    assert [answer["outcome"] for answer in answers] == ["received", "duplicate", "duplicate"]
    release = memory.of(answers[0]["releases"][0])
    assert release.commit is not None
    assert release.commit.commit_id == "c" * 40
