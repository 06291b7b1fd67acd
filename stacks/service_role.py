"""CloudFormation's service role of a stage: the only one that makes and changes what a workload consists of.

Its rights on resources are those of ``resource_rights``, and of an organisation's own types. Roles may be made under
one path and with one permissions boundary only, so that no template can hand out more than the boundary has.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from orchestrator.core.installation import StageSettings
from stacks import names
from stacks.buckets import DOCUMENTS, PACKAGES
from stacks.names import Names
from stacks.own_rights import own_statements, packed
from stacks.resource_rights import PASSED_TO, RIGHTS, SERVICE_LINKED, Rights, merged
from stacks.settings import Settings
from stacks.stage_roles import grant_template
from stacks.type_permissions import Statement


class ServiceRole(Construct):
    """See the module."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        stage: StageSettings,
        boundary: iam.ManagedPolicy,
        own: Sequence[Statement] = (),
    ) -> None:
        """``own``: rights for an organisation's own types."""
        super().__init__(scope, id)
        fixed = Names(settings)
        self.role = iam.Role(
            self,
            "Role",
            role_name=names.SERVICE,
            path=names.PATH,
            description="CloudFormation makes the stacks of workloads as this role",
            # No aws:SourceAccount: AWS documents it for extensions' roles only, and a role can be passed to
            # CloudFormation within its own account only, so there is no deputy to confuse.
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
        )
        every = merged(right for rights in RIGHTS.values() for right in rights)
        # A role's own policies hold 10,240 characters together, so SageMaker's rights have a policy of their own.
        iam.ManagedPolicy(
            self,
            "SageMaker",
            description="What CloudFormation calls of SageMaker for the stacks of workloads",
            path=names.PATH,
            roles=[self.role],
            statements=[_statement(right, fixed, stage) for right in every if right.service == "sagemaker"],
        )
        for right in every:
            if right.service != "sagemaker":
                self.role.add_to_policy(_statement(right, fixed, stage))
        # The key of an endpoint's storage (`kms_key_arn`): SageMaker grants it to itself with the rights of whoever
        # creates the endpoint (SageMaker Developer Guide, API permissions reference, CreateEndpoint).
        self._may(
            ["kms:CreateGrant", "kms:DescribeKey"],
            [_filled("arn:{partition}:kms:{region}:*:key/*", fixed, stage)],
            {"StringLike": {"kms:ViaService": f"sagemaker.{fixed.region}.*"}},
        )
        if settings.installation.model_registry:
            # A model of a package is created from the package, which lies in the orchestrator's account; its group's
            # policy allows the same (SageMaker Developer Guide, "Deploy a model version from a different account").
            self._may(
                ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage"],
                [f"arn:{fixed.partition}:sagemaker:{fixed.region}:{fixed.account}:model-package/*"],
            )
        for service in SERVICE_LINKED:
            self._may(
                ["iam:CreateServiceLinkedRole"],
                [fixed.role_arn(stage.account, f"/aws-service-role/{service}/", "*")],
                {"StringEquals": {"iam:AWSServiceName": service}},
            )
        self._grant_roles(fixed, stage, boundary)
        # A pipeline's definition is read with the rights of whoever makes the pipeline.
        grant_template(self.role, fixed, PACKAGES, DOCUMENTS)
        for number, document in enumerate(packed(self, own_statements(own, fixed, stage.account)), start=1):
            iam.ManagedPolicy(
                self,
                f"OwnTypes{number}",
                description="What CloudFormation calls for workload types of the organisation's own",
                path=names.PATH,
                roles=[self.role],
                document=document,
            )

    def _grant_roles(self, fixed: Names, stage: StageSettings, boundary: iam.ManagedPolicy) -> None:
        """Roles of workloads, never without the boundary; nothing lets a role lose it."""
        roles = fixed.workload_role_patterns([stage.account])
        self._may(
            ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
            roles,
            {"StringEquals": {"iam:PermissionsBoundary": boundary.managed_policy_arn}},
        )
        self._may(
            [
                f"iam:{action}"
                for action in (
                    *("DeleteRole", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"),
                    *("TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription"),
                )
            ],
            roles,
        )
        self._may(["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}})

    def _may(
        self, actions: list[str], resources: list[str], conditions: dict[str, dict[str, object]] | None = None
    ) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))


def _statement(right: Rights, fixed: Names, stage: StageSettings) -> iam.PolicyStatement:
    conditions: dict[str, dict[str, object]] = {}
    for operator, key, value in right.conditions:
        conditions.setdefault(operator, {})[key] = value
    return iam.PolicyStatement(
        actions=[f"{right.service}:{action}" for action in right.actions],
        resources=[_filled(arn, fixed, stage) for arn in right.resources],
        conditions=conditions,
    )


def _filled(arn: str, fixed: Names, stage: StageSettings) -> str:
    return arn.format(partition=fixed.partition, region=fixed.region, account=stage.account)
