"""The function RecordOutcome as ``ports.Outcomes``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient


class RecordOutcomeFunction:
    """Calls the function and does not wait for it: Lambda repeats a call that fails, and keeps it in the end."""

    def __init__(self, client: LambdaClient, function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def report(self, release_id: str, error: str, cause: str) -> None:
        """See ``ports.Outcomes``."""
        event = {"release_id": release_id, "outcome": "failed", "failure": {"Error": error, "Cause": cause}}
        with translated("lambda"):
            self._client.invoke(
                FunctionName=self._function_name, InvocationType="Event", Payload=json.dumps(event).encode()
            )
