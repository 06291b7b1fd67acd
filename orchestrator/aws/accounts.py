"""The stages' accounts as ``ports.Accounts``: every group of calls in a session of its own.

A role assumed by a role lives an hour at most, and a warm function lives longer, so no session is kept over calls of
``stacks``, ``endpoints`` or ``jobs``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from orchestrator.aws.credentials import RoleCredentials
from orchestrator.aws.endpoints import SageMakerEndpoints
from orchestrator.aws.jobs import StageJobs
from orchestrator.aws.role_trust import ObservedRoles
from orchestrator.aws.stacks import CloudFormationStacks
from orchestrator.aws.translated import translated
from orchestrator.core.installation import Installation
from orchestrator.core.stage_roles import DEPLOY, OBSERVE, RUN_JOB, SERVICE

if TYPE_CHECKING:
    from types_boto3_sts.client import STSClient

    from orchestrator.aws.deploy_pipelines import CodePipelines
    from orchestrator.core.examination.ports import Role
    from orchestrator.core.ports import Stacks

SESSION_SECONDS = 3600

MAX_SESSION_NAME = 64
_NO_SESSION_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
"""Characters that AssumeRole refuses in a session's name."""


class Clients(Protocol):
    """Makes clients; see ``orchestrator.aws.clients.client``."""

    def __call__(
        self, service: str, credentials: RoleCredentials | None = None, only_attempt_seconds: int | None = None
    ) -> Any:
        """A client for a service."""
        ...


class AssumedAccounts:
    """See the module.

    ``session_name`` stands in the stage account's CloudTrail beside every call.
    """

    def __init__(
        self,
        installation: Installation,
        sts: STSClient,
        clients: Clients,
        session_name: str,
    ) -> None:
        self._installation = installation
        self._sts = sts
        self._clients = clients
        self._session_name = _NO_SESSION_NAME.sub("-", session_name)[:MAX_SESSION_NAME]

    def stacks(self, stage: str) -> Stacks:
        """See ``ports.Accounts``. Each of the two roles is assumed when it is first needed."""
        direct = self._direct(stage)
        if not self._installation.deploys_by_pipelines:
            return direct
        from orchestrator.core.pipelines.stacks import PipelineStacks

        return PipelineStacks(direct, self.pipelines(), time.sleep)

    def pipelines(self) -> CodePipelines:
        """See ``ports.Accounts``; no role is assumed: they are of the orchestrator's own account."""
        from orchestrator.aws.deploy_pipelines import pipelines_of

        return pipelines_of(self._installation, self._clients)

    def _direct(self, stage: str) -> CloudFormationStacks:
        return CloudFormationStacks(
            deploy=lambda: self._client("cloudformation", stage, DEPLOY),
            observe=lambda: self._client("cloudformation", stage, OBSERVE),
            service_role_arn=self._installation.role_arn(stage, SERVICE),
            deploy_role=self._installation.role_arn(stage, DEPLOY),
            observe_role=self._installation.role_arn(stage, OBSERVE),
        )

    def endpoints(self, stage: str) -> SageMakerEndpoints:
        """See ``ports.Accounts``."""
        credentials = self._assume(stage, OBSERVE)
        return SageMakerEndpoints(
            self._clients("sagemaker", credentials),
            lambda seconds: self._clients("sagemaker-runtime", credentials, seconds),
            credentials.role_arn,
        )

    def jobs(self, stage: str) -> StageJobs:
        """See ``ports.Accounts``."""
        credentials = self._assume(stage, RUN_JOB)
        return StageJobs(
            lambda: self._clients("sagemaker", credentials),
            lambda: self._clients("codebuild", credentials),
            credentials.role_arn,
        )

    def roles(self, stage: str, names: Sequence[str]) -> tuple[Role, ...]:
        """See ``examination.ports.StageRoles``."""
        observer = self._assume(stage, OBSERVE)
        return ObservedRoles(self._clients("iam", observer), observer.role_arn).roles(names)

    def _client(self, service: str, stage: str, role: str) -> Any:
        return self._clients(service, self._assume(stage, role))

    def _assume(self, stage: str, role: str) -> RoleCredentials:
        arn = self._installation.role_arn(stage, role)
        with translated("sts", arn):
            answer = self._sts.assume_role(
                RoleArn=arn,
                RoleSessionName=self._session_name,
                ExternalId=self._installation.external_id,
                DurationSeconds=SESSION_SECONDS,
            )["Credentials"]
        return RoleCredentials(arn, answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
