"""A source pipeline that fails: whoever pushed is told once, and a forged event tells nobody anything."""

from __future__ import annotations

import pytest

from orchestrator.core import events
from orchestrator.core.commits import pipeline_name
from orchestrator.core.messages.mail import end_letter
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import NOTHING, Receipt
from orchestrator.core.steps.tell_unfetched import tell_unfetched
from tests.events.samples import pipeline_execution_changed
from tests.fakes.git import ANA_WRITES, FakePipelines
from tests.fakes.memory_world import MemoryWorld, installation
from tests.steps.test_receive_archive import WATCHED

PIPELINE = pipeline_name(WATCHED.name)
EXECUTION = "0a1b2c3d-0000-1111-2222-333344445555"
WHY = "its action Source failed: the connection is not available"


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld(installation=installation(repositories=(WATCHED,)))


def told(world: MemoryWorld, pipelines: FakePipelines, pipeline: str = PIPELINE) -> Receipt:
    event = pipeline_execution_changed(pipeline, EXECUTION)
    return tell_unfetched(events.fetch_failed(event), pipelines, world.reception)


def test_what_could_not_be_fetched_is_told_once_with_the_reason(world: MemoryWorld) -> None:
    pipelines = FakePipelines(failures={(PIPELINE, EXECUTION): WHY})
    (refused,) = told(world, pipelines).releases
    assert (refused.status, refused.workload, refused.commit) == (Status.REFUSED, WATCHED.repository, None)
    assert WHY in refused.problems[0]
    assert "release the pipeline's change once more" in refused.problems[0]
    letter = end_letter(gather(refused.release_id, world.store, world.installation))
    assert letter.subject == "[refused] commit"
    assert WHY in letter.text
    assert told(world, pipelines).duplicate
    assert len(world.memory.all(Release)) == 1


def test_a_commit_that_was_fetched_and_not_delivered_is_named_with_its_author(world: MemoryWorld) -> None:
    pipelines = FakePipelines(failures={(PIPELINE, EXECUTION): "its action Deliver failed: KMS refused"})
    fetched_at = world.clock()
    pipelines.fetched(PIPELINE, EXECUTION, "c0ffee", fetched_at)
    (refused,) = told(world, pipelines).releases
    assert refused.commit is not None
    assert (refused.commit.commit_id, refused.commit.author_name) == ("c0ffee", ANA_WRITES.name)
    assert refused.created_at == stamp(fetched_at)


def test_what_codepipeline_does_not_know_to_have_failed_is_not_told(world: MemoryWorld) -> None:
    pipelines = FakePipelines()
    assert told(world, pipelines) == NOTHING
    pipelines.fetched(PIPELINE, EXECUTION, "c0ffee", world.clock())
    assert told(world, pipelines) == NOTHING
    assert told(world, FakePipelines(failures={("other", EXECUTION): WHY}), "other") == NOTHING
    assert world.memory.all(Release) == ()
