"""Lambda functions: one log group, one role with a fixed name and no right but its own log, and the code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.bundles import function_code
from stacks.log_groups import log_group
from stacks.names import FUNCTIONS_PATH, construct_id, function_role_name, hyphened
from stacks.settings import Settings


class Function(Construct):
    """One function. Its construct id is the folder's name in capitals: ``plan_stage`` is ``PlanStage``."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        settings: Settings,
        description: str,
        handler: str,
        folders: Sequence[str],
        env: Any,
        layers: Sequence[lambda_.ILayerVersion],
        timeout_seconds: int,
        memory_mb: int = 512,
        own_templates: Sequence[Path] = (),
    ) -> None:
        """``handler`` is a module's path; ``env`` a filled ``Env`` of the function; see ``bundles`` for the folders."""
        super().__init__(scope, construct_id(name))
        self.name = name
        function_name = f"mlops-{hyphened(name)}"
        self.log_group = log_group(self, f"/aws/lambda/{function_name}", settings)
        # The L2 function would attach AWS's managed policy, which may write every log group of the account.
        self.role = iam.Role(
            self,
            "Role",
            role_name=function_role_name(name),
            path=FUNCTIONS_PATH,
            description=f"Runs the function {function_name}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
            )
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            description=description,
            code=function_code(folders, settings.runtime, own_templates),
            handler=f"{handler}.handler",
            runtime=lambda_.Runtime(settings.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.custom(settings.architecture),
            role=self.role,
            environment=variables(env),
            layers=list(layers),
            memory_size=memory_mb,
            timeout=Duration.seconds(timeout_seconds),
            log_group=self.log_group,
            # Powertools' Tracer costs 452 ms of every cold start; this costs nothing.
            tracing=lambda_.Tracing.ACTIVE,
        )

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.function.function_arn

    def may(
        self, actions: Sequence[str], resources: Sequence[str], conditions: dict[str, dict[str, object]] | None = None
    ) -> None:
        """Add one statement to the function's role."""
        self.role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
        )

    def may_not(
        self, actions: Sequence[str], resources: Sequence[str], conditions: dict[str, dict[str, object]]
    ) -> None:
        """Add one statement that denies, whatever others allow."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY, actions=list(actions), resources=list(resources), conditions=conditions
            )
        )


def variables(env: Any) -> dict[str, str]:
    """A filled ``Env`` as Lambda takes it: field ``table_name`` becomes ``TABLE_NAME``."""
    return {field.name.upper(): str(getattr(env, field.name)) for field in fields(env)}
