"""CodeCommit's events, parsed: what a push says, and shapes that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.errors import BadRequest
from orchestrator.core.events import Push
from tests.events.samples import object_created, repository_changed

UPDATED = repository_changed()


def test_a_push_is_parsed() -> None:
    detail = UPDATED["detail"]
    assert events.push(UPDATED) == Push(
        event="referenceUpdated",
        repository="ml-models",
        reference_type="branch",
        reference="main",
        commit_id=detail["commitId"],
        old_commit_id=detail["oldCommitId"],
        caller=detail["callerUserArn"],
        time="2026-03-01T12:00:00Z",
    )


def test_a_new_branch_has_no_commit_before_and_a_deleted_one_none_after() -> None:
    assert events.push(repository_changed("referenceCreated", oldCommitId=None)).old_commit_id == ""
    assert events.push(repository_changed("referenceDeleted", commitId=None)).commit_id == ""


def test_the_guides_own_examples_have_no_caller() -> None:
    assert events.push(repository_changed(callerUserArn=None)).caller == ""


@pytest.mark.parametrize(
    ("event", "words"),
    [
        pytest.param(repository_changed(commitId=None), "detail.commitId", id="a push without a commit"),
        pytest.param(repository_changed(commitId=""), "detail.commitId", id="an empty commit"),
        pytest.param({**UPDATED, "detail": {}}, "detail.event", id="without event"),
        pytest.param({**UPDATED, "detail": "x"}, "no object at detail", id="detail is text"),
        pytest.param(object_created("b", "k", "v"), "aws.codecommit", id="another event"),
    ],
)
def test_another_shape_is_refused(event: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        events.push(event)


@given(
    st.dictionaries(st.sampled_from([*UPDATED["detail"]]), st.none() | st.integers() | st.text() | st.lists(st.text()))
)
def test_whatever_stands_in_it_is_parsed_or_refused(detail: dict[str, Any]) -> None:
    event = {**UPDATED, "detail": {**UPDATED["detail"], **detail}}
    try:
        found = events.push(event)
    except BadRequest:
        return
    assert all(isinstance(value, str) for value in (found.commit_id, found.old_commit_id, found.caller, found.time))
