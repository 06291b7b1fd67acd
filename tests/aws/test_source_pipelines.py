"""What CodePipeline has recorded of an execution: its commit, its author, and what is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.aws.source_pipelines import CodePipelineSources
from orchestrator.core.commits import Author
from orchestrator.core.errors import AccessDenied, SourceGone, Throttled
from tests.aws.service_double import Refusal, ServiceDouble

EXECUTION = "0a1b2c3d-0000-1111-2222-333344445555"
STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Pipelines(ServiceDouble):
    service = "codepipeline"

    def __init__(self, *details: dict[str, Any]) -> None:
        super().__init__()
        self.details = details

    def list_action_executions(self, **_: Any) -> dict[str, Any]:
        return {"actionExecutionDetails": list(self.details)}


def action(name: str = "Source", **variables: str) -> dict[str, Any]:
    output = {
        "outputVariables": variables,
        "executionResult": {"externalExecutionUrl": "https://github.example/commit/c0ffee"},
    }
    return {"actionName": name, "startTime": STARTED, "output": output}


KNOWN = {
    "CommitId": "c0ffee",
    "BranchName": "main",
    "CommitMessage": "Serve\n\nmore",
    "AuthorDisplayName": "Ana Silva",
    "AuthorEmail": "ana@example.com",
}


def test_the_source_action_tells_the_commit() -> None:
    double = Pipelines(action("Deliver"), action(**KNOWN))
    found = CodePipelineSources(double.client()).revision("mlops-source-github", EXECUTION)
    assert (found.commit_id, found.branch, found.started_at) == ("c0ffee", "main", STARTED)
    assert found.author == Author("Ana Silva", "ana@example.com", "Serve\n\nmore")
    assert found.url == "https://github.example/commit/c0ffee"
    assert double.made("list_action_executions") == [
        {"pipelineName": "mlops-source-github", "filter": {"pipelineExecutionId": EXECUTION}}
    ]


def test_a_provider_that_names_no_author_leaves_it_open() -> None:
    found = CodePipelineSources(Pipelines(action(CommitId="c0ffee")).client()).revision("p", EXECUTION)
    assert found.author == Author()


@pytest.mark.parametrize("details", [(), (action("Deliver", CommitId="c0ffee"),), (action(),)])
def test_an_execution_that_has_fetched_nothing_is_gone(details: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(SourceGone, match="has fetched no commit"):
        CodePipelineSources(Pipelines(*details).client()).revision("p", EXECUTION)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("PipelineNotFoundException", SourceGone),
        ("PipelineExecutionNotFoundException", SourceGone),
        ("ThrottlingException", Throttled),
        ("AccessDeniedException", AccessDenied),
    ],
)
def test_refusals_are_core_errors(code: str, error: type[Exception]) -> None:
    double = Pipelines(action(**KNOWN))
    double.refusals["list_action_executions"] = [Refusal(code)] * 9
    with pytest.raises(error):
        CodePipelineSources(double.client()).revision("p", EXECUTION)


def failed(name: str, **result: Any) -> dict[str, Any]:
    return {"actionName": name, "status": "Failed", "startTime": STARTED, "output": {"executionResult": result}}


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ((failed("Source", errorDetails={"message": "not available"}),), "its action Source failed: not available"),
        ((failed("Deliver", externalExecutionSummary="KMS"), action(**KNOWN)), "its action Deliver failed: KMS"),
        ((failed("Deliver"),), "its action Deliver failed: CodePipeline does not say why"),
        ((action(**KNOWN),), ""),
    ],
    ids=["source", "deliver", "without a word", "not failed"],
)
def test_why_an_execution_failed(details: tuple[dict[str, Any], ...], why: str) -> None:
    assert CodePipelineSources(Pipelines(*details).client()).failure("p", EXECUTION) == why
