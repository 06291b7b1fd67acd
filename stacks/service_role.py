"""CloudFormation's service role of a stage: the only one that makes and changes what a workload consists of.

Its rights are written resource type by resource type, as the templates in ``templates/`` use them; a test compares.
Roles may be made under one path and with one permissions boundary only, so that no template can hand out more than
the boundary has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from constructs import Construct

from orchestrator.core.events import MANAGED_STACK_PREFIX
from orchestrator.core.installation import StageSettings
from stacks import names
from stacks.names import Names
from stacks.settings import Settings
from stacks.stage_roles import grant_template


@dataclass(frozen=True)
class Rights:
    """What CloudFormation calls for one resource type."""

    service: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    """ARNs with ``{partition}``, ``{region}``, ``{account}``."""


def _sagemaker(kind: str, verbs: str, resource: str, *more: str) -> Rights:
    actions = (*(f"{verb}{kind}" for verb in verbs.split()), "AddTags", "DeleteTags", "ListTags", *more)
    return Rights("sagemaker", actions, (f"arn:{{partition}}:sagemaker:{{region}}:{{account}}:{resource}/*",))


_REST_API = Rights(
    "apigateway",
    ("GET", "POST", "PUT", "PATCH", "DELETE"),
    (
        "arn:{partition}:apigateway:{region}::/restapis",
        "arn:{partition}:apigateway:{region}::/restapis/*",
        "arn:{partition}:apigateway:{region}::/tags/*",
    ),
)
_FUNCTION_ARN = f"arn:{{partition}}:lambda:{{region}}:{{account}}:function:{MANAGED_STACK_PREFIX}*"

RIGHTS: Mapping[str, Rights] = {
    "AWS::ApiGateway::Deployment": _REST_API,
    "AWS::ApiGateway::Method": _REST_API,
    "AWS::ApiGateway::RequestValidator": _REST_API,
    "AWS::ApiGateway::Resource": _REST_API,
    "AWS::ApiGateway::RestApi": _REST_API,
    "AWS::ApiGateway::Stage": _REST_API,
    "AWS::Lambda::Function": Rights(
        "lambda",
        (
            *("CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionCodeSigningConfig"),
            *("GetFunctionConfiguration", "GetFunctionRecursionConfig", "GetFunctionScalingConfig"),
            *("GetRuntimeManagementConfig", "ListTags", "TagResource", "UntagResource"),
            *("UpdateFunctionCode", "UpdateFunctionConfiguration"),
        ),
        (_FUNCTION_ARN,),
    ),
    "AWS::Lambda::Permission": Rights("lambda", ("AddPermission", "GetPolicy", "RemovePermission"), (_FUNCTION_ARN,)),
    "AWS::Logs::LogGroup": Rights(
        "logs",
        (
            *("CreateLogGroup", "DeleteLogGroup", "DeleteRetentionPolicy", "DescribeIndexPolicies"),
            *("GetDataProtectionPolicy", "ListTagsForResource", "PutRetentionPolicy", "TagResource", "UntagResource"),
        ),
        (f"arn:{{partition}}:logs:{{region}}:{{account}}:log-group:{MANAGED_STACK_PREFIX}*",),
    ),
    "AWS::SageMaker::Endpoint": _sagemaker("Endpoint", "Create Delete Describe Update", "endpoint"),
    "AWS::SageMaker::EndpointConfig": _sagemaker("EndpointConfig", "Create Delete Describe", "endpoint-config"),
    "AWS::SageMaker::Model": _sagemaker("Model", "Create Delete Describe", "model"),
}
"""Resource type → rights. ``AWS::IAM::Role`` stands apart: see ``_grant_roles``."""

CREATES_FROM = {
    "sagemaker:CreateEndpoint": "endpoint-config",
    "sagemaker:UpdateEndpoint": "endpoint-config",
}
"""Actions that IAM also checks on the thing that is made use of (Service Authorization Reference, SageMaker)."""

_API_GATEWAY = "ops.apigateway.amazonaws.com"

PASSED_TO = ("lambda.amazonaws.com", "sagemaker.amazonaws.com")
"""Services that a workload's roles are handed to."""


class ServiceRole(Construct):
    """See the module."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, stage: StageSettings, boundary: iam.ManagedPolicy
    ) -> None:
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
        for rights in _merged(RIGHTS.values()):
            self._may(
                [f"{rights.service}:{action}" for action in rights.actions],
                [_filled(arn, fixed, stage) for arn in rights.resources],
            )
        self._may(
            sorted(CREATES_FROM),
            [_filled("arn:{partition}:sagemaker:{region}:{account}:endpoint-config/*", fixed, stage)],
        )
        # CloudFormation looks for a log group by listing, which IAM decides on all of them.
        self._may(
            ["logs:DescribeLogGroups"],
            [_filled("arn:{partition}:logs:{region}:{account}:log-group:*", fixed, stage)],
        )
        # The key of an endpoint's storage (`kms_key_arn`): SageMaker grants it to itself with the rights of whoever
        # creates the endpoint (SageMaker Developer Guide, API permissions reference, CreateEndpoint).
        self._may(
            ["kms:CreateGrant", "kms:DescribeKey"],
            [_filled("arn:{partition}:kms:{region}:*:key/*", fixed, stage)],
            {"StringLike": {"kms:ViaService": f"sagemaker.{fixed.region}.*"}},
        )
        # API Gateway makes this role of its own on the first API of an account.
        self._may(
            ["iam:CreateServiceLinkedRole"],
            [_filled(f"arn:{{partition}}:iam::{{account}}:role/aws-service-role/{_API_GATEWAY}/*", fixed, stage)],
            {"StringEquals": {"iam:AWSServiceName": _API_GATEWAY}},
        )
        self._grant_roles(fixed, stage, boundary)
        grant_template(self.role, fixed)

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


def _merged(rights: Iterable[Rights]) -> list[Rights]:
    """One statement for the rights on the same resources: a role's policies hold 10,240 characters."""
    by_resources: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for one in rights:
        by_resources.setdefault((one.service, one.resources), set()).update(one.actions)
    return [
        Rights(service, tuple(sorted(actions)), resources) for (service, resources), actions in by_resources.items()
    ]


def _filled(arn: str, fixed: Names, stage: StageSettings) -> str:
    return arn.format(partition=fixed.partition, region=fixed.region, account=stage.account)
