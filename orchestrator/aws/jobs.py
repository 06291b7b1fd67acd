"""The jobs of one stage as ``ports.Jobs``: each kind by the service that runs it, in a session of the run-job role."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.aws.builds import CodeBuilds
from orchestrator.aws.sagemaker_jobs import SageMakerJobs
from orchestrator.core.jobs import JobKind
from orchestrator.core.ports import JobRequest, JobState

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient


class StageJobs:
    """See the module. ``sagemaker`` and ``codebuild`` make the clients when they are first needed."""

    def __init__(self, sagemaker: Callable[[], SageMakerClient], codebuild: Callable[[], Any], role: str = "") -> None:
        self._make_sagemaker = sagemaker
        self._make_codebuild = codebuild
        self._role = role

    @cached_property
    def _sagemaker(self) -> SageMakerJobs:
        return SageMakerJobs(self._make_sagemaker(), self._role)

    @cached_property
    def _builds(self) -> CodeBuilds:
        return CodeBuilds(self._make_codebuild(), self._role)

    def start(self, request: JobRequest) -> str:
        """See ``ports.Jobs``."""
        match request.kind:
            case JobKind.SAGEMAKER_PIPELINE:
                return self._sagemaker.start_pipeline(request)
            case JobKind.AUTOML_JOB:
                return self._sagemaker.start_automl(request)
            case JobKind.CODEBUILD:
                return self._builds.start(request)

    def state(self, kind: JobKind, arn: str) -> JobState:
        """See ``ports.Jobs``."""
        match kind:
            case JobKind.SAGEMAKER_PIPELINE:
                return self._sagemaker.pipeline(arn)
            case JobKind.AUTOML_JOB:
                return self._sagemaker.automl(arn)
            case JobKind.CODEBUILD:
                return self._builds.state(arn)
