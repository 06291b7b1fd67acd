"""One action of an execution while it runs: what it is given, whose permissions it has, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.cloud.codepipeline import artifacts
from local.cloud.codepipeline.executions import CHANGED, ActionRun, Execution, Revision
from local.cloud.codepipeline.sessions import Sessions

PERMISSION, CONFIGURATION, JOB = "PermissionError", "ConfigurationError", "JobFailed"
"""``errorDetails.code`` of a failed action."""

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


class ActionFailed(Exception):
    """The action fails with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Abandoned(Exception):
    """The execution was stopped without waiting for the action."""


@dataclass(frozen=True)
class Result:
    """What an action that succeeds gives back."""

    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    output: bytes | None = None
    """Zip of the output artifact."""
    revision: Revision | None = None
    """What a source action has fetched."""


@dataclass(frozen=True)
class Task:
    """An action that runs."""

    execution: Execution
    run: ActionRun
    configuration: Mapping[str, str]
    """With variables resolved."""
    sessions: Sessions

    @property
    def declared(self) -> Mapping[str, Any]:
        """The action's declaration."""
        return self.run.declared

    @property
    def region(self) -> str:
        """Where the action works."""
        return str(self.declared.get("region") or self.execution.region)

    def client(self, service: str) -> Any:
        """A client with the permissions of the action's role, or of the pipeline's; raises ActionFailed."""
        try:
            return self.sessions.client(service, str(self.declared.get("roleArn") or ""), self.region)
        except PermissionError as refused:
            raise ActionFailed(PERMISSION, str(refused)) from refused

    def look(self) -> None:
        """Go on, or raise Abandoned."""
        if self.execution.abandoning or self.execution.forgotten:
            raise Abandoned

    def pause(self, seconds: float) -> None:
        """Wait, unless the action is abandoned meanwhile."""
        self.look()
        with CHANGED:
            CHANGED.wait(seconds)
        self.look()

    def file(self, named: str) -> bytes:
        """The file ``Artifact::path`` of an input artifact; raises ActionFailed."""
        artifact, _, path = named.partition("::")
        found = artifacts.member(self.archive(artifact), path)
        if found is None:
            raise ActionFailed(CONFIGURATION, f"File [{path}] does not exist in artifact [{artifact}]")
        return found

    def archive(self, artifact: str) -> bytes:
        """An input artifact's zip, read with the action's permissions; raises ActionFailed."""
        place = self.execution.artifacts.get(artifact)
        if place is None:
            raise ActionFailed(CONFIGURATION, f"Artifact [{artifact}] is no input of the action")
        return artifacts.read(self.client("s3"), place)


def failure(error: ClientError) -> ActionFailed:
    """An AWS error as the action's."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    text = f"{message} (Service: {error.operation_name}; Status Code: {status}; Error Code: {code})"
    if code in _DENIED or status == 403:
        return ActionFailed(
            PERMISSION, f"The provided role does not have permissions to perform this action. Underlying error: {text}"
        )
    return ActionFailed(JOB, text)
