"""CodePipeline's own record of what a source pipeline has fetched, as ``commits.SourcePipelines``.

The output variables of the source action name commit, branch, author and message ("CodeStarSourceConnection for
Bitbucket Cloud, GitHub, GitHub Enterprise Server, GitLab.com, and GitLab self-managed actions" of the AWS CodePipeline
User Guide). Those of the author (``AuthorEmail``, ``AuthorDisplayName``) are not there for every provider.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.commits import SOURCE_ACTION, Author, Revision
from orchestrator.core.errors import SourceGone

_ABSENT = frozenset({"PipelineNotFoundException", "PipelineExecutionNotFoundException"})


class CodePipelineSources:
    """See the module."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def revision(self, pipeline: str, execution_id: str) -> Revision:
        """See ``commits.SourcePipelines``."""
        for action in self._actions(pipeline, execution_id):
            output = action.get("output", {})
            variables = output.get("outputVariables", {})
            if action.get("actionName") == SOURCE_ACTION and variables.get("CommitId"):
                return Revision(
                    commit_id=variables["CommitId"],
                    branch=variables.get("BranchName", ""),
                    author=Author(
                        variables.get("AuthorDisplayName") or variables.get("AuthorId", ""),
                        variables.get("AuthorEmail", ""),
                        variables.get("CommitMessage", ""),
                    ),
                    started_at=action["startTime"].astimezone(UTC),
                    url=output.get("executionResult", {}).get("externalExecutionUrl", ""),
                )
        raise SourceGone(f"the execution {execution_id} of the pipeline {pipeline} has fetched no commit")

    def failure(self, pipeline: str, execution_id: str) -> str:
        """See ``commits.SourcePipelines``."""
        for action in self._actions(pipeline, execution_id):
            if action.get("status") == "Failed":
                result = action.get("output", {}).get("executionResult", {})
                why = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary", "")
                return f"its action {action.get('actionName', '')} failed: {why or 'CodePipeline does not say why'}"
        return ""

    def _actions(self, pipeline: str, execution_id: str) -> list[dict[str, Any]]:
        with translated("codepipeline"):
            try:
                answer = self._client.list_action_executions(
                    pipelineName=pipeline, filter={"pipelineExecutionId": execution_id}
                )
            except self._client.exceptions.ClientError as error:
                if code_of(error) in _ABSENT:
                    raise SourceGone(f"the pipeline {pipeline} has no execution {execution_id}") from error
                raise
        found: list[dict[str, Any]] = answer.get("actionExecutionDetails", [])
        return found
