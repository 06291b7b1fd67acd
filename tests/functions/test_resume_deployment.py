"""The function behind the rules for status events of the stages' accounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.core.errors import BadRequest
from tests.events.samples import object_created, stack_changed
from tests.fakes.memory_world import MemoryWorld
from tests.functions.conftest import SECRET_TOKEN, Called


@pytest.fixture
def stack_id(memory: MemoryWorld) -> str:
    """A stack in dev whose deployment has not ended; its ARN."""
    release_id = memory.release().release_id
    memory.package(release_id)
    memory.stacks("dev").immediate = False
    called_with = memory.token()
    memory.deploy(release_id, "dev", type(called_with)(SECRET_TOKEN))
    return memory.waits()[0].subject


def test_the_end_of_a_deployment_resumes_what_waits_for_it(
    called: Callable[[str], Called], memory: MemoryWorld, stack_id: str
) -> None:
    (name,) = memory.stacks("dev").working()
    memory.stacks("dev").finish(name)
    resume_deployment = called("resume_deployment")
    assert resume_deployment(stack_changed(stack_id, "CREATE_COMPLETE")) == {
        "outcome": "resumed",
        "ended": 1,
        "outside": 0,
    }
    assert memory.fake_tasks.answers == {SECRET_TOKEN: {"outcome": "deployed"}}
    assert resume_deployment.last["ended"] == 1


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS"])
def test_an_event_that_says_more_than_cloudformation_resumes_nothing(
    called: Callable[[str], Called], memory: MemoryWorld, stack_id: str, status: str
) -> None:
    answer = called("resume_deployment")(stack_changed(stack_id, status))
    assert answer == {"outcome": "nothing to resume", "ended": 0, "outside": 0}
    assert memory.fake_tasks.answers == {}


def test_an_event_about_somebody_elses_stack_is_passed_over(called: Callable[[str], Called]) -> None:
    event = stack_changed("arn:aws:cloudformation:us-east-1:999999999999:stack/other/1", "CREATE_COMPLETE")
    assert called("resume_deployment")(event) == {"outcome": "nothing to resume", "ended": 0, "outside": 0}


def test_an_event_that_no_rule_of_ours_sends_is_refused_loudly(called: Callable[[str], Called]) -> None:
    with pytest.raises(BadRequest):
        called("resume_deployment")(object_created("b", "k", "v"))
