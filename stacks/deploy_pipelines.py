"""CodePipeline as the deploy engine: what the workloads' pipelines need in the orchestrator's account.

The pipelines themselves are made at run time, one a workload, by CloudFormation with a role that may make nothing else.
All of them run as one role, which may read packages and assume ``mlops-pipeline-action`` in the stages' accounts: what
is deployed there, and how, is that role's and CloudFormation's business.
"""

from __future__ import annotations

import json

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from orchestrator.core.events import (
    ACTION_STATE_CHANGE,
    CODEPIPELINE_SOURCE,
    EXECUTION_ENDS,
    EXECUTION_STATE_CHANGE,
    STAGE_STATE_CHANGE,
)
from orchestrator.core.pipelines.template import APPROVE, NAME_PREFIX
from orchestrator.core.stage_roles import PIPELINE_ANSWERERS
from stacks import names
from stacks.buckets import PACKAGES, Buckets, encrypted_bucket
from stacks.event_bus import MAX_EVENT_AGE, EventBus, target
from stacks.fleet import Fleet
from stacks.names import Names
from stacks.settings import Settings
from stacks.stage_reads import narrowed

ARTIFACT_DAYS = 180
"""An execution may wait for 60 days in each stage for its approval."""

READ = ["s3:GetObject", "s3:GetObjectVersion"]

LOOKERS = ("plan_stage", "deploy_stage", "record_outcome", "resume_deployment", "sweep_waits")
"""Functions that look how an execution stands."""
STARTERS = ("plan_stage", "deploy_stage")


class PipelineArtifacts(Construct):
    """Where pipelines hand the package on: encrypted, and read by nobody but the pipelines and their actions."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, access_logs: s3.IBucket) -> None:
        super().__init__(scope, id)
        fixed = Names(settings)
        accounts = [place.account for place in names.places(settings)]
        self.readers = fixed.stage_role_arns(sorted(set(accounts)), names.PIPELINE_ACTION)
        own = fixed.role_arn(fixed.account, names.PATH, names.PIPELINE)
        self.key = kms.Key(
            self,
            "Key",
            alias="mlops-artifacts",
            description="Encrypts what pipelines hand on from stage to stage",
            enable_key_rotation=True,
        )
        self.bucket = encrypted_bucket(
            self,
            "Bucket",
            name=fixed.artifacts_bucket,
            versioned=False,
            key=self.key,
            access_logs=access_logs,
            logged_as="artifacts/",
            expiry=s3.LifecycleRule(
                expiration=Duration.days(ARTIFACT_DAYS),
                abort_incomplete_multipart_upload_after=Duration.days(7),
            ),
        )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NobodyElse",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[*READ, "s3:PutObject"],
                resources=[self.bucket.arn_for_objects("*")],
                conditions={"ArnNotLike": {"aws:PrincipalArn": [own, *self.readers]}},
            )
        )
        if settings.stage_accounts:
            self._open_to_stages(settings, fixed)

    def _open_to_stages(self, settings: Settings, fixed: Names) -> None:
        accounts = settings.stage_accounts
        readers = fixed.stage_role_arns(accounts, names.PIPELINE_ACTION)
        principals = [iam.AccountPrincipal(account) for account in accounts]
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ActionsReadArtifacts",
                principals=principals,
                actions=READ,
                resources=[self.bucket.arn_for_objects("*")],
                conditions=narrowed(settings, readers),
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ActionsDecryptArtifacts",
                principals=principals,
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={
                    **narrowed(settings, readers),
                    "StringLike": {"kms:EncryptionContext:aws:s3:arn": fixed.artifacts_encryption_contexts},
                },
            )
        )


class DeployPipelines(Construct):
    """Roles, grants, the rule, and what the owner is to know."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        buckets: Buckets,
        artifacts: PipelineArtifacts,
        fleet: Fleet,
        bus: EventBus,
    ) -> None:
        super().__init__(scope, id)
        self._names = fixed = Names(settings)
        self._fleet = fleet
        pipeline = self._pipeline_role(buckets, artifacts)
        maker = self._maker(pipeline)
        self._grant_stacks(maker)
        self._grant_executions()
        events.Rule(
            self,
            "Changed",
            description="An execution of a workload's pipeline, a stage or an action of it has ended",
            event_pattern=pipeline_changed(),
            targets=[target(fleet["resume_deployment"], bus.events_failed, MAX_EVENT_AGE)],
        )
        self.outside = self._count_outside()
        CfnOutput(
            Stack.of(self),
            "PipelineApprovalsDenyStatement",
            value=json.dumps(deny_statement(fixed)),
            description="For a service control policy, or people's own: who may not answer approvals in CodePipeline",
        )

    def _pipeline_role(self, buckets: Buckets, artifacts: PipelineArtifacts) -> iam.Role:
        fixed = self._names
        role = iam.Role(
            self,
            "Role",
            role_name=names.PIPELINE,
            path=names.PATH,
            description="The pipelines of workloads: read packages, and act in the stages through roles there",
            assumed_by=iam.ServicePrincipal(
                "codepipeline.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": fixed.account},
                    "ArnLike": {"aws:SourceArn": fixed.pipelines_pattern},
                },
            ),
        )
        # The source asks for tags with the object; the rest is the least that "Manage the CodePipeline service role" of
        # the AWS CodePipeline User Guide names.
        tags = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]
        for actions, resources in (
            ([*READ, *tags], [buckets.packages.arn_for_objects(PACKAGES)]),
            (["kms:Decrypt"], [buckets.key.key_arn]),
            ([*READ, "s3:PutObject", "s3:PutObjectAcl"], [artifacts.bucket.arn_for_objects("*")]),
            (
                ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"],
                [buckets.packages.bucket_arn, artifacts.bucket.bucket_arn],
            ),
            (
                [f"kms:{action}" for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")],
                [artifacts.key.key_arn],
            ),
            (["sts:AssumeRole"], artifacts.readers),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
        return role

    def _maker(self, pipeline: iam.Role) -> iam.Role:
        """CloudFormation's role for the stacks that make pipelines."""
        role = iam.Role(
            self,
            "Maker",
            role_name=names.PIPELINE_STACKS,
            path=names.PATH,
            description="CloudFormation makes the pipelines of workloads as this role",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    f"codepipeline:{action}"
                    for action in (
                        *("CreatePipeline", "DeletePipeline", "GetPipeline", "GetPipelineState"),
                        *("ListTagsForResource", "TagResource", "UntagResource", "UpdatePipeline"),
                    )
                ],
                resources=[self._names.pipelines_pattern],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                # Whoever makes a pipeline passes its role, and the roles of its actions as far as they are of this
                # account: those of others cannot be passed, only assumed.
                resources=[
                    pipeline.role_arn,
                    *self._names.stage_role_arns([self._names.account], names.PIPELINE_ACTION),
                ],
                conditions={"StringEquals": {"iam:PassedToService": "codepipeline.amazonaws.com"}},
            )
        )
        return role

    def _grant_stacks(self, maker: iam.Role) -> None:
        fixed = self._names
        stacks = f"arn:{fixed.partition}:cloudformation:{fixed.region}:{fixed.account}:stack/{NAME_PREFIX}*/*"
        passed: dict[str, dict[str, object]] = {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}
        used: dict[str, dict[str, object]] = {"StringEquals": {"cloudformation:RoleArn": maker.role_arn}}
        package = self._fleet["package"]
        package.may(["cloudformation:CreateStack", "cloudformation:UpdateStack"], [stacks], used)
        package.may(
            [f"cloudformation:{action}" for action in ("DeleteStack", "DescribeStackEvents", "DescribeStacks")],
            [stacks],
        )
        self._fleet["record_outcome"].may(["cloudformation:DeleteStack"], [stacks])
        for name in ("package", "record_outcome"):
            self._fleet[name].may(["iam:PassRole"], [maker.role_arn], passed)

    def _grant_executions(self) -> None:
        pipelines, fleet = self._names.pipelines_pattern, self._fleet
        stages = f"{pipelines}/Deploy*"
        for function in fleet.only(LOOKERS):
            function.may(["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"], [pipelines])
        for function in fleet.only(STARTERS):
            function.may(["codepipeline:ListPipelineExecutions", "codepipeline:StartPipelineExecution"], [pipelines])
            function.may(["codepipeline:RetryStageExecution"], [stages])
        for function in fleet.only(PIPELINE_ANSWERERS):
            function.may(["codepipeline:GetPipelineState", "codepipeline:StopPipelineExecution"], [pipelines])
            function.may(["codepipeline:PutApprovalResult"], [f"{stages}/{APPROVE}"])
        fleet["api"].may(["codepipeline:GetPipelineState"], [pipelines])

    def _count_outside(self) -> cloudwatch.IMetric:
        """What was answered in CodePipeline instead, by the lines of those who find it."""
        found = logs.FilterPattern.number_value("$.outside", ">", 0)
        failed = logs.FilterPattern.string_value("$.error", "=", "ApprovedOutside")
        patterns: dict[str, logs.IFilterPattern] = {
            **dict.fromkeys(("resume_deployment", "sweep_waits", "record_outcome"), found),
            **dict.fromkeys(STARTERS, failed),
        }
        for name, pattern in patterns.items():
            logs.MetricFilter(
                self,
                f"Outside-{name}",
                log_group=self._fleet[name].log_group,
                filter_pattern=pattern,
                metric_namespace="MlopsOrchestrator",
                metric_name="ApprovedOutside",
                metric_value="1",
            )
        return cloudwatch.Metric(
            namespace="MlopsOrchestrator",
            metric_name="ApprovedOutside",
            statistic="Sum",
            period=Duration.minutes(5),
        )


def pipeline_changed() -> events.EventPattern:
    """Something of a workload's pipeline has come to its end."""
    return events.EventPattern(
        source=[CODEPIPELINE_SOURCE],
        detail_type=[EXECUTION_STATE_CHANGE, STAGE_STATE_CHANGE, ACTION_STATE_CHANGE],
        detail={"pipeline": [{"prefix": NAME_PREFIX}], "state": list(EXECUTION_ENDS)},
    )


def deny_statement(fixed: Names) -> dict[str, object]:
    """What keeps everybody but our own functions from answering approvals in CodePipeline."""
    return {
        "Sid": "OnlyMlopsAnswersApprovals",
        "Effect": "Deny",
        "Action": "codepipeline:PutApprovalResult",
        "Resource": f"{fixed.pipelines_pattern}/*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": fixed.function_role_arns(PIPELINE_ANSWERERS)}},
    }
