"""A stage's account: roles, their boundary, and event forwarding. No assets, so the account needs no CDK bootstrap."""

from __future__ import annotations

from aws_cdk import Environment, LegacyStackSynthesizer, Stack
from constructs import Construct

from orchestrator.core.installation import StageSettings
from stacks.forwarding import Forwarding
from stacks.service_role import ServiceRole
from stacks.settings import Settings
from stacks.stage_roles import StageRoles
from stacks.type_permissions import read_permissions
from stacks.workload_boundary import WorkloadBoundary


class StageStack(Stack):
    """See the module."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, stage: StageSettings) -> None:
        super().__init__(
            scope,
            id,
            description=f"MLOps Orchestrator: what the orchestrator may do in {stage.name}",
            env=Environment(account=stage.account, region=settings.installation.region),
            termination_protection=True,
            # The template goes with the call, made with the caller's own credentials: nothing is staged anywhere.
            synthesizer=LegacyStackSynthesizer(),
        )
        own = read_permissions(settings.template_folders)
        boundary = WorkloadBoundary(self, "Boundary", settings=settings, stage=stage, own=own.workload_roles)
        service = ServiceRole(
            self,
            "CloudFormation",
            settings=settings,
            stage=stage,
            boundary=boundary.policy,
            own=own.service_role,
        )
        StageRoles(self, "Roles", settings=settings, stage=stage, service_role=service.role)
        Forwarding(self, "Forwarding", settings=settings, stage=stage)
