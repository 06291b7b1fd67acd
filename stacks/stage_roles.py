"""The three roles of a stage that the orchestrator's functions assume: deploy, observe, run jobs.

Each trusts the orchestrator's account, narrowed to the functions that need it, and demands the external id. None may
touch a workload's resources: those rights lie in CloudFormation's own role alone.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from orchestrator.core.events import MANAGED_STACK_PREFIX
from orchestrator.core.installation import StageSettings
from orchestrator.core.packaging import WORKLOAD_TAG
from stacks import names
from stacks.buckets import PACKAGES
from stacks.names import Names
from stacks.settings import Settings
from stacks.stage_reads import narrowed

OF_A_WORKLOAD: dict[str, dict[str, object]] = {"Null": {f"aws:ResourceTag/{WORKLOAD_TAG}": "false"}}
"""Only what carries the tag that every stack of a workload hands on to its resources."""


class StageRoles(Construct):
    """See the module."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, stage: StageSettings, service_role: iam.IRole
    ) -> None:
        super().__init__(scope, id)
        self._settings, self._fixed = settings, Names(settings)
        stacks = self._fixed.stacks_pattern(stage.account)

        deploy = self._role(
            "Deploy", names.DEPLOY, "Makes, shows, executes and deletes change sets of workloads' stacks"
        )
        self._may(
            deploy,
            ["cloudformation:CreateChangeSet"],
            [stacks],
            {"StringEquals": {"cloudformation:RoleArn": service_role.role_arn}},
        )
        self._may(
            deploy,
            [
                f"cloudformation:{action}"
                for action in (
                    *("DeleteChangeSet", "DeleteStack", "DescribeChangeSet", "DescribeStacks", "ExecuteChangeSet"),
                    *("GetTemplate", "ListChangeSets", "ListStackResources", "TagResource", "UntagResource"),
                )
            ],
            [stacks],
        )
        self._may(
            deploy,
            ["iam:PassRole"],
            [service_role.role_arn],
            {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        )
        grant_template(deploy, self._fixed, PACKAGES)

        observe = self._role("Observe", names.OBSERVE, "Looks at stacks and endpoints, and calls an endpoint once")
        self._may(
            observe,
            [f"cloudformation:Describe{what}" for what in ("Stacks", "StackEvents", "ChangeSet")],
            [stacks],
        )
        self._may(
            observe,
            ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
            [self._sagemaker(stage, "endpoint/*")],
            OF_A_WORKLOAD,
        )
        # Whether the others let in whom they should is seen by who looks, without a right to be let in.
        self._may(
            observe,
            ["iam:GetRole"],
            self._fixed.stage_role_arns([stage.account], *names.ASSUMED_BY, names.SERVICE),
        )

        run_job = self._role("RunJob", names.RUN_JOB, "Starts a workload's job and looks how it ends")
        self._may(
            run_job,
            [
                f"sagemaker:{action}"
                for action in ("StartPipelineExecution", "DescribePipelineExecution", "ListPipelineExecutionSteps")
            ],
            [self._sagemaker(stage, f"pipeline/{MANAGED_STACK_PREFIX}*")],
        )
        self._may(
            run_job,
            [f"sagemaker:{action}" for action in ("AddTags", "CreateAutoMLJobV2", "DescribeAutoMLJobV2", "ListTags")],
            [self._sagemaker(stage, "automl-job/*")],
        )
        self._may(
            run_job,
            [f"codebuild:{action}" for action in ("BatchGetBuilds", "ListBuildsForProject", "StartBuild")],
            [
                f"arn:{self._fixed.partition}:codebuild:{self._fixed.region}:{stage.account}"
                f":project/{MANAGED_STACK_PREFIX}*"
            ],
        )
        # An AutoML job runs as a role of the workload's stack.
        self._may(
            run_job,
            ["iam:PassRole"],
            self._fixed.workload_role_patterns([stage.account]),
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )

        if settings.installation.deploys_by_pipelines:
            self._pipeline_action(stacks, service_role)

    def _pipeline_action(self, stacks: str, service_role: iam.IRole) -> None:
        """What the pipelines act as here. CodePipeline cannot send an external id: its own role is let in alone."""
        fixed, settings = self._fixed, self._settings
        pipeline = fixed.role_arn(fixed.account, names.PATH, names.PIPELINE)
        role = iam.Role(
            self,
            "PipelineAction",
            role_name=names.PIPELINE_ACTION,
            path=names.PATH,
            description="The pipelines of workloads make and execute change sets as this role",
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(settings.account), narrowed(settings, [pipeline])
            ),
        )
        self._may(
            role,
            ["cloudformation:CreateChangeSet"],
            [stacks],
            {"StringEquals": {"cloudformation:RoleArn": service_role.role_arn}},
        )
        self._may(
            role,
            [
                f"cloudformation:{action}"
                for action in (
                    # With the events it tells which resource has failed, in the console as in the API.
                    *("DeleteChangeSet", "DescribeChangeSet", "DescribeStackEvents", "DescribeStacks"),
                    *("ExecuteChangeSet", "TagResource", "UntagResource"),
                )
            ],
            [stacks],
        )
        self._may(
            role,
            ["iam:PassRole"],
            [service_role.role_arn],
            {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        )
        self._may(
            role,
            ["s3:GetObject", "s3:GetObjectVersion"],
            [f"arn:{fixed.partition}:s3:::{fixed.artifacts_bucket}/*"],
        )
        self._may(
            role,
            ["kms:Decrypt"],
            [f"arn:{fixed.partition}:kms:{fixed.region}:{fixed.account}:key/*"],
            {"StringLike": {"kms:EncryptionContext:aws:s3:arn": fixed.artifacts_encryption_contexts}},
        )

    def _role(self, id: str, name: str, description: str) -> iam.Role:
        fixed, settings = self._fixed, self._settings
        conditions = narrowed(settings, fixed.function_role_arns(names.ASSUMED_BY[name]))
        conditions["StringEquals"] = {
            **conditions.get("StringEquals", {}),
            "sts:ExternalId": settings.installation.external_id,
        }
        return iam.Role(
            self,
            id,
            role_name=name,
            path=names.PATH,
            description=description,
            assumed_by=iam.PrincipalWithConditions(iam.AccountPrincipal(settings.account), conditions),
        )

    def _may(
        self,
        role: iam.Role,
        actions: list[str],
        resources: list[str],
        conditions: dict[str, dict[str, object]] | None = None,
    ) -> None:
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))

    def _sagemaker(self, stage: StageSettings, resource: str) -> str:
        return f"arn:{self._fixed.partition}:sagemaker:{self._fixed.region}:{stage.account}:{resource}"


def grant_template(role: iam.Role, fixed: Names, *keys: str) -> None:
    """Read templates of packages: CloudFormation reads one with the rights of whoever names it."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[f"{fixed.packages_bucket_arn}/{pattern}" for pattern in keys]
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt"],
            resources=[f"arn:{fixed.partition}:kms:{fixed.region}:{fixed.account}:key/*"],
            conditions={"StringLike": {"kms:EncryptionContext:aws:s3:arn": fixed.packages_encryption_contexts}},
        )
    )
