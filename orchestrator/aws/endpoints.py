"""SageMaker endpoints of one stage as ``ports.Endpoints``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.ports import Answer

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient
    from types_boto3_sagemaker_runtime.client import SageMakerRuntimeClient


class SageMakerEndpoints:
    """See the module. ``runtime`` makes a client whose one attempt has that many seconds to read an answer."""

    def __init__(
        self, client: SageMakerClient, runtime: Callable[[int], SageMakerRuntimeClient], role: str = ""
    ) -> None:
        self._client = client
        self._runtime = runtime
        self._role = role

    def status(self, endpoint: str) -> tuple[str, str]:
        """See ``ports.Endpoints``. SageMaker calls a missing endpoint a ``ValidationException``."""
        with translated("sagemaker", self._role):
            try:
                found = self._client.describe_endpoint(EndpointName=endpoint)
            except self._client.exceptions.ClientError as error:
                if code_of(error) in {"ValidationException", "ResourceNotFound"}:
                    return "Absent", ""
                raise
        return found["EndpointStatus"], found.get("FailureReason", "")

    def invoke(self, endpoint: str, body: bytes, content_type: str, timeout_seconds: int) -> Answer | None:
        """See ``ports.Endpoints``.

        The SDK would take silence for a lost call and send the sample again, up to eight times; a model that is
        too slow once is too slow. What SageMaker throttles, the state machine repeats.
        """
        from botocore.exceptions import ReadTimeoutError

        runtime = self._runtime(timeout_seconds)
        with translated("sagemaker", self._role):
            try:
                answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type)
                data = answer["Body"].read()
            except ReadTimeoutError:
                return None
            except runtime.exceptions.ModelError as error:
                status = int(str(error.response.get("OriginalStatusCode", 500)))
                return Answer(status, str(error.response.get("OriginalMessage", "")).encode(), "text/plain")
        return Answer(int(answer["ResponseMetadata"]["HTTPStatusCode"]), data, answer.get("ContentType", ""))
