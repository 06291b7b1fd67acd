"""SageMaker Pipeline executions of one stage as ``ports.Jobs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated
from orchestrator.core.ports import JobState

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient

MAX_DISPLAY_NAME = 82
"""Characters, StartPipelineExecution; the last one is a letter or digit."""


class SageMakerJobs:
    """See the module."""

    def __init__(self, client: SageMakerClient, role: str = "") -> None:
        self._client = client
        self._role = role

    def start_pipeline(self, pipeline: str, request_token: str, display_name: str) -> str:
        """See ``ports.Jobs``."""
        with translated("sagemaker", self._role):
            return self._client.start_pipeline_execution(
                PipelineName=pipeline,
                ClientRequestToken=request_token,
                PipelineExecutionDisplayName=display_name[:MAX_DISPLAY_NAME].rstrip("-"),
            )["PipelineExecutionArn"]

    def pipeline(self, execution_arn: str) -> JobState:
        """See ``ports.Jobs``."""
        with translated("sagemaker", self._role):
            found = self._client.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
        return JobState(execution_arn, found["PipelineExecutionStatus"], found.get("FailureReason", ""))
