"""Fixed names: what two stacks, or two accounts, must agree on without either being deployed first.

IAM, S3 and KMS refuse a policy that names a principal which does not exist yet. So a policy across accounts names the
account and is narrowed by ``aws:PrincipalArn`` to the role paths that are written down here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.core.events import MANAGED_STACK_PREFIX
from orchestrator.core.installation import StageSettings
from orchestrator.core.pipelines.template import NAME_PREFIX
from orchestrator.core.stage_roles import (
    ASSUMED_BY,
    DEPLOY,
    FUNCTIONS_PATH,
    OBSERVE,
    PATH,
    PIPELINE,
    PIPELINE_ACTION,
    PIPELINE_STACKS,
    RUN_JOB,
    SERVICE,
    function_role_arn,
    function_role_name,
    hyphened,
)
from stacks.settings import Settings

__all__ = [
    "ASSUMED_BY",
    "BOUNDARY",
    "DEPLOY",
    "EVENT_BUS",
    "FORWARD",
    "FUNCTIONS_PATH",
    "OBSERVE",
    "ORCHESTRATOR_STAGE",
    "PATH",
    "PIPELINE",
    "PIPELINE_ACTION",
    "PIPELINE_STACKS",
    "RUN_JOB",
    "SERVICE",
    "SETTINGS_PARAMETER",
    "WORKLOAD_PATH",
    "Machine",
    "Names",
    "construct_id",
    "function_role_name",
    "hyphened",
    "places",
]

WORKLOAD_PATH = "/mlops/workload/"
"""IAM path of the roles that workload stacks make."""

FORWARD = "mlops-forward-events"
BOUNDARY = "mlops-workload-boundary"

EVENT_BUS = "mlops"
"""Bus of the orchestrator's account that stage accounts forward status events to."""

SETTINGS_PARAMETER = "/mlops/installation"

ORCHESTRATOR_STAGE = "orchestrator"
"""Name of the one stage of types that run in the orchestrator's account (``runs_in`` of ``workload.json``)."""


def construct_id(function: str) -> str:
    """``plan_stage`` → ``PlanStage``."""
    return "".join(word.capitalize() for word in function.split("_"))


def places(settings: Settings) -> tuple[StageSettings, ...]:
    """Where workloads are deployed, each with a stack of roles and rules in its account.

    The stages; in a multi-account installation also the orchestrator's own account, for the types that run there.
    """
    installation = settings.installation
    if installation.mode == "single":
        return installation.stages
    return (
        *installation.stages,
        StageSettings(ORCHESTRATOR_STAGE, settings.account, installation.orchestrator_approval),
    )


class Names:
    """ARNs and names that derive from the settings alone."""

    def __init__(self, settings: Settings) -> None:
        installation = settings.installation
        self.partition, self.region, self.account = installation.partition, installation.region, installation.account

    @property
    def packages_bucket(self) -> str:
        """The packages bucket, whose name the policies of the stage accounts hold."""
        return f"mlops-packages-{self.account}-{self.region}"

    @property
    def packages_bucket_arn(self) -> str:
        """Its ARN."""
        return f"arn:{self.partition}:s3:::{self.packages_bucket}"

    @property
    def packages_encryption_contexts(self) -> list[str]:
        """S3's encryption context of its objects: the bucket's ARN with a bucket key, else the object's."""
        return [self.packages_bucket_arn, f"{self.packages_bucket_arn}/*"]

    @property
    def artifacts_bucket(self) -> str:
        """The bucket in which pipelines hand packages on."""
        return f"mlops-artifacts-{self.account}-{self.region}"

    @property
    def artifacts_encryption_contexts(self) -> list[str]:
        """S3's encryption context of its objects: the bucket's ARN with a bucket key, else the object's."""
        bucket = f"arn:{self.partition}:s3:::{self.artifacts_bucket}"
        return [bucket, f"{bucket}/*"]

    @property
    def pipelines_pattern(self) -> str:
        """Pipelines of workloads."""
        return f"arn:{self.partition}:codepipeline:{self.region}:{self.account}:{NAME_PREFIX}*"

    @property
    def event_bus_arn(self) -> str:
        """The bus that status events are forwarded to."""
        return f"arn:{self.partition}:events:{self.region}:{self.account}:event-bus/{EVENT_BUS}"

    def machine_arn(self, machine: str) -> str:
        """A state machine's ARN, known before the machine: what the machine calls may answer to it."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{machine}"

    def function_role_arns(self, functions: Iterable[str]) -> list[str]:
        """Roles of functions."""
        return [function_role_arn(self.partition, self.account, name) for name in functions]

    def role_arn(self, account: str, path: str, name: str) -> str:
        """A role's ARN; the name may be a pattern."""
        return f"arn:{self.partition}:iam::{account}:role{path}{name}"

    def stage_role_arns(self, accounts: Sequence[str], *roles: str) -> list[str]:
        """Roles of the product in several accounts."""
        return [self.role_arn(account, PATH, role) for account in accounts for role in roles]

    def workload_role_patterns(self, accounts: Sequence[str]) -> list[str]:
        """Every role that a workload's stack makes, in several accounts."""
        return [self.role_arn(account, WORKLOAD_PATH, "*") for account in accounts]

    def stacks_pattern(self, account: str) -> str:
        """Stacks of workloads."""
        return f"arn:{self.partition}:cloudformation:{self.region}:{account}:stack/{MANAGED_STACK_PREFIX}*/*"


class Machine:
    """Names of the state machines."""

    MULTI = "mlops-multi-account"
    SINGLE = "mlops-single-account"
