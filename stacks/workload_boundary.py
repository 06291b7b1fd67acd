"""The most that a role of a workload can ever do, whatever its template says.

A boundary grants nothing by itself: a role may do what both its own policies and this document allow. What is not
here (IAM, STS, Organizations, CloudFormation, the orchestrator's own table and queues) no workload can reach.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from orchestrator.core.installation import StageSettings
from stacks import names
from stacks.names import Names
from stacks.settings import Settings


class WorkloadBoundary(Construct):
    """The managed policy."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, stage: StageSettings) -> None:
        super().__init__(scope, id)
        fixed = Names(settings)
        here = f"{fixed.region}:{stage.account}"
        arn = f"arn:{fixed.partition}"
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            managed_policy_name=names.BOUNDARY,
            path=names.PATH,
            description="Bounds every role that a stack of a workload makes",
            statements=[
                iam.PolicyStatement(
                    sid="DataOfWorkloads",
                    actions=["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"],
                    # Data capture, batch data and results lie in the organisation's own buckets.
                    resources=[f"{arn}:s3:::*"],
                ),
                iam.PolicyStatement(
                    sid="KeysOfData",
                    actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                    resources=[f"{arn}:kms:{fixed.region}:*:key/*"],
                ),
                iam.PolicyStatement(
                    sid="Images",
                    actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    # AWS's own images lie in AWS's accounts.
                    resources=[f"{arn}:ecr:{fixed.region}:*:repository/*"],
                ),
                iam.PolicyStatement(sid="RegistryLogin", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
                iam.PolicyStatement(
                    sid="Logs",
                    actions=[
                        *("logs:CreateLogGroup", "logs:CreateLogStream"),
                        *("logs:DescribeLogStreams", "logs:PutLogEvents"),
                    ],
                    resources=[
                        f"{arn}:logs:{here}:log-group:/aws/sagemaker/*",
                        f"{arn}:logs:{here}:log-group:mlops-pipeline-*",
                    ],
                ),
                iam.PolicyStatement(
                    sid="Metrics",
                    actions=["cloudwatch:PutMetricData"],
                    resources=["*"],
                    conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
                ),
                iam.PolicyStatement(
                    sid="Invocation",
                    actions=["sagemaker:InvokeEndpoint"],
                    resources=[f"{arn}:sagemaker:{here}:endpoint/*"],
                ),
            ],
        )
