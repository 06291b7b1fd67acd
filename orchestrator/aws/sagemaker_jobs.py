"""SageMaker Pipeline executions and AutoML jobs: started once, described down to the step that failed.

A pipeline takes a client request token. An AutoML job takes none, but its name is the release's own: a job of that name
with the release's tag is the one that an earlier attempt has made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.aws.translated import code_of, message_of, translated
from orchestrator.core.errors import JobFailed
from orchestrator.core.jobs import RELEASE_TAG, JobStatus
from orchestrator.core.ports import JobRequest, JobState

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient

MAX_DISPLAY_NAME = 82
"""Characters, StartPipelineExecution; the last one is a letter or digit."""

MAX_STEPS = 3
"""Failed steps that a reason tells of."""

_STATUSES = {
    "Succeeded": JobStatus.SUCCEEDED,
    "Completed": JobStatus.SUCCEEDED,
    "Failed": JobStatus.FAILED,
    "Stopped": JobStatus.STOPPED,
}
"""Of pipeline executions and AutoML jobs; whatever else they may be, they have not ended."""

_ABSENT = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_IN_USE = frozenset({"ResourceInUse", "ResourceInUseException"})

_LOGS = {
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "TuningJob": "/aws/sagemaker/TrainingJobs",
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
    "QualityCheck": "/aws/sagemaker/ProcessingJobs",
    "ClarifyCheck": "/aws/sagemaker/ProcessingJobs",
}
"""Kind of a step's job → its log group; a stream's name starts with the job's ("Log groups and streams that Amazon
SageMaker AI sends to Amazon CloudWatch Logs", Amazon SageMaker Developer Guide)."""


class SageMakerJobs:
    """See the module."""

    def __init__(self, client: SageMakerClient, role: str = "") -> None:
        self._client = client
        self._role = role

    def start_pipeline(self, request: JobRequest) -> str:
        """ARN of the execution."""
        with translated("sagemaker", self._role):
            return self._client.start_pipeline_execution(
                PipelineName=request.target,
                ClientRequestToken=request.request_token,
                PipelineExecutionDisplayName=request.title[:MAX_DISPLAY_NAME].rstrip("-"),
                PipelineParameters=[{"Name": name, "Value": value} for name, value in sorted(request.inputs.items())],
            )["PipelineExecutionArn"]

    def pipeline(self, arn: str) -> JobState:
        """The pipeline execution."""
        with translated("sagemaker", self._role):
            try:
                found = self._client.describe_pipeline_execution(PipelineExecutionArn=arn)
            except self._client.exceptions.ClientError as error:
                if _is_absent(error):
                    return JobState(JobStatus.ABSENT)
                raise
            status = _STATUSES.get(found["PipelineExecutionStatus"], JobStatus.RUNNING)
            if status is not JobStatus.FAILED:
                return JobState(status, found.get("FailureReason", "") if status is JobStatus.STOPPED else "")
            steps = list(self._failed_steps(arn))
        return JobState(status, "; ".join(steps[:MAX_STEPS]) or found.get("FailureReason", ""))

    def start_automl(self, request: JobRequest) -> str:
        """ARN of the job; raises ``JobFailed`` where one of the name is not the release's."""
        document: Any = request.document
        with translated("sagemaker", self._role):
            try:
                return self._client.create_auto_ml_job_v2(**document)["AutoMLJobArn"]
            except self._client.exceptions.ClientError as error:
                if code_of(error) not in _IN_USE and "already exists" not in message_of(error):
                    raise
            name = document["AutoMLJobName"]
            arn = self._client.describe_auto_ml_job_v2(AutoMLJobName=name)["AutoMLJobArn"]
            tags = self._tags(arn)
        wanted = next(tag["Value"] for tag in document["Tags"] if tag["Key"] == RELEASE_TAG)
        if tags.get(RELEASE_TAG) != wanted:
            raise JobFailed(f"an AutoML job of the name {name} exists already, and is not this release's")
        return arn

    def automl(self, arn: str) -> JobState:
        """The AutoML job."""
        with translated("sagemaker", self._role):
            try:
                found = self._client.describe_auto_ml_job_v2(AutoMLJobName=arn.rpartition("/")[2])
            except self._client.exceptions.ClientError as error:
                if _is_absent(error):
                    return JobState(JobStatus.ABSENT)
                raise
        partial = "; ".join(one["PartialFailureMessage"] for one in found.get("PartialFailureReasons", []))
        status = _STATUSES.get(found["AutoMLJobStatus"], JobStatus.RUNNING)
        ended_badly = status in {JobStatus.FAILED, JobStatus.STOPPED}
        return JobState(status, (found.get("FailureReason") or partial) if ended_badly else "")

    def _tags(self, arn: str) -> dict[str, str]:
        pages = self._client.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def _failed_steps(self, arn: str) -> Iterator[str]:
        """Each failed step with its own reason, in the order in which they were started."""
        pages = self._client.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        for page in pages:
            for step in page["PipelineExecutionSteps"]:
                if step.get("StepStatus") == "Failed":
                    reason = step.get("FailureReason", "SageMaker gives no reason").rstrip(".")
                    yield f"step {step['StepName']} failed: {reason}.{_log(step.get('Metadata', {}))}"


def _log(metadata: Mapping[str, Any]) -> str:
    """Where the log of a step's job is; empty for a step without one."""
    for kind, group in _LOGS.items():
        about = metadata.get(kind, {})
        arn = about.get("Arn") or about.get("CheckJobArn")
        if arn:
            return f" Its log: {group}, streams {arn.rpartition('/')[2]}…"
    return ""


def _is_absent(error: Any) -> bool:
    return code_of(error) in _ABSENT or "does not exist" in message_of(error)
