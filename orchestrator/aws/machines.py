"""Step Functions as ``ports.Tasks``. Task tokens are never logged and never part of an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.records import TaskToken
from orchestrator.core.steps.executions import execution_arn

if TYPE_CHECKING:
    from types_boto3_stepfunctions.client import SFNClient

_CLOSED = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""The task was answered, has expired, or never was: nothing is left to answer."""

MAX_ERROR = 256
MAX_CAUSE = 32_768
"""Characters, SendTaskFailure."""


class StepFunctionsTasks:
    """See the module."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def start(self, machine_arn: str, name: str, payload: Mapping[str, object]) -> str:
        """See ``ports.Tasks``."""
        with translated("states"):
            try:
                return self._client.start_execution(
                    stateMachineArn=machine_arn, name=name, input=json.dumps(payload, sort_keys=True)
                )["executionArn"]
            except self._client.exceptions.ExecutionAlreadyExists:
                return execution_arn(machine_arn, name)

    def status(self, execution_arn: str) -> str:
        """See ``ports.Tasks``."""
        with translated("states"):
            try:
                return self._client.describe_execution(executionArn=execution_arn)["status"]
            except self._client.exceptions.ExecutionDoesNotExist:
                return ""

    def succeed(self, token: TaskToken, output: Mapping[str, object]) -> bool:
        """See ``ports.Tasks``."""
        return self._answer(
            lambda: self._client.send_task_success(taskToken=token.value, output=json.dumps(output, sort_keys=True))
        )

    def fail(self, token: TaskToken, error: str, cause: str) -> bool:
        """See ``ports.Tasks``."""
        return self._answer(
            lambda: self._client.send_task_failure(
                taskToken=token.value, error=error[:MAX_ERROR], cause=cause[:MAX_CAUSE]
            )
        )

    def _answer(self, send: Callable[[], object]) -> bool:
        with translated("states"):
            try:
                send()
            except self._client.exceptions.ClientError as error:
                if code_of(error) in _CLOSED:
                    return False
                raise
        return True
