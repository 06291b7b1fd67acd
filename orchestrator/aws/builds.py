"""CodeBuild's builds: started once, described down to the phase that failed.

StartBuild's idempotency token lives for five minutes only (AWS CodeBuild API Reference). So each build carries the
release's own token in an environment variable, and a repeated attempt looks among the project's recent builds first;
the five minutes bridge what the list does not show yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.aws.translated import translated
from orchestrator.core.jobs import JobStatus
from orchestrator.core.ports import JobRequest, JobState

TOKEN_VARIABLE = "MLOPS_REQUEST_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable of a build that says for which request it was started."""

RECENT = 100
"""Builds of a project that are looked at: one page, and as many as BatchGetBuilds takes."""

_STATUSES = {
    "SUCCEEDED": JobStatus.SUCCEEDED,
    "FAILED": JobStatus.FAILED,
    "FAULT": JobStatus.FAILED,
    "TIMED_OUT": JobStatus.FAILED,
    "STOPPED": JobStatus.STOPPED,
}
_ENDS = {
    "TIMED_OUT": "the build took longer than its project allows",
    "FAULT": "CodeBuild itself failed",
    "STOPPED": "the build was stopped",
}
_BAD_PHASES = frozenset({"FAILED", "FAULT", "TIMED_OUT", "CLIENT_ERROR"})


class CodeBuilds:
    """See the module."""

    def __init__(self, client: Any, role: str = "") -> None:
        self._client = client
        self._role = role

    def start(self, request: JobRequest) -> str:
        """ARN of the build."""
        with translated("codebuild", self._role):
            known = self._known(request)
            if known:
                return known
            variables = {**request.inputs, TOKEN_VARIABLE: request.request_token}
            started = self._client.start_build(
                projectName=request.target,
                idempotencyToken=request.request_token,
                environmentVariablesOverride=[
                    {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in sorted(variables.items())
                ],
            )
        return str(started["build"]["arn"])

    def state(self, arn: str) -> JobState:
        """The build."""
        with translated("codebuild", self._role):
            builds = self._client.batch_get_builds(ids=[arn.partition(":build/")[2]])["builds"]
        if not builds:
            return JobState(JobStatus.ABSENT)
        build = builds[0]
        status = _STATUSES.get(build["buildStatus"], JobStatus.RUNNING)
        if status in {JobStatus.RUNNING, JobStatus.SUCCEEDED}:
            return JobState(status)
        return JobState(status, _reason(build))

    def _known(self, request: JobRequest) -> str:
        """ARN of the build that an earlier attempt has started; empty when there is none."""
        ids = self._client.list_builds_for_project(projectName=request.target, sortOrder="DESCENDING")["ids"]
        if not ids:
            return ""
        for build in self._client.batch_get_builds(ids=ids[:RECENT])["builds"]:
            variables = build.get("environment", {}).get("environmentVariables", [])
            if any((one["name"], one["value"]) == (TOKEN_VARIABLE, request.request_token) for one in variables):
                return str(build["arn"])
        return ""


def _reason(build: Mapping[str, Any]) -> str:
    """The first phase that failed, in CodeBuild's words, and the link to the log."""
    phase = next((one for one in build.get("phases", []) if one.get("phaseStatus") in _BAD_PHASES), None)
    told = [_ENDS.get(build["buildStatus"], "")]
    if phase is not None:
        causes = [
            ": ".join(filter(None, [one.get("statusCode"), one.get("message")])) for one in phase.get("contexts", [])
        ]
        told = [f"phase {phase['phaseType']} failed: {' '.join(filter(None, causes)) or phase['phaseStatus']}"]
    log = build.get("logs", {}).get("deepLink", "")
    told.append(f"Its log: {log}" if log else "")
    return ". ".join(part.rstrip(".") for part in told if part)
