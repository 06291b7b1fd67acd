"""SageMaker endpoints of one stage as ``ports.Endpoints``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.ports import Answer

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient
    from types_boto3_sagemaker_runtime.client import SageMakerRuntimeClient


class SageMakerEndpoints:
    """See the module."""

    def __init__(self, client: SageMakerClient, runtime: SageMakerRuntimeClient, role: str = "") -> None:
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

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> Answer:
        """See ``ports.Endpoints``."""
        with translated("sagemaker", self._role):
            try:
                answer = self._runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type)
                data = answer["Body"].read()
            except self._runtime.exceptions.ModelError as error:
                status = int(str(error.response.get("OriginalStatusCode", 500)))
                return Answer(status, str(error.response.get("OriginalMessage", "")).encode(), "text/plain")
        return Answer(int(answer["ResponseMetadata"]["HTTPStatusCode"]), data, answer.get("ContentType", ""))
