"""The function Examine, as the API asks it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.aws.translated import translated
from orchestrator.core.errors import Refused

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient


class ExamineFunction:
    """Calls the function and waits for what it finds."""

    def __init__(self, client: LambdaClient, function_name: str) -> None:
        self._client = client
        self._function_name = function_name

    def findings(self) -> Sequence[dict[str, Any]]:
        """What the function has found; raises ``Refused`` where it failed itself."""
        with translated("lambda"):
            answer = self._client.invoke(FunctionName=self._function_name, Payload=b"{}")
            payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            kind = payload.get("errorType", "") if isinstance(payload, dict) else ""
            raise Refused(
                f"the examination itself has failed ({kind or answer['FunctionError']}); "
                f"the log /aws/lambda/{self._function_name} says why"
            )
        found: Sequence[dict[str, Any]] = payload["findings"]
        return found
