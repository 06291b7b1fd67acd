"""The most that a role of a workload can ever do, whatever its template says.

A boundary grants nothing by itself: a role may do what both its own policies and this document allow. What is not
here (STS, Organizations, CloudFormation, the orchestrator's own table and queues) no workload can reach; of IAM only
that a job's role is handed on to SageMaker. IAM holds 6,144 characters of it, those of an organisation's own types
included.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from orchestrator.core.events import CONFIGURATION_NAME, MANAGED_STACK_PREFIX
from orchestrator.core.installation import StageSettings
from stacks import names
from stacks.buckets import PACKAGES, REQUESTS
from stacks.names import Names
from stacks.own_rights import check_boundary, own_statements
from stacks.settings import Settings
from stacks.type_permissions import Statement

JOBS = {
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "ProcessingJob": "processing-job",
    "TrainingJob": "training-job",
    "TransformJob": "transform-job",
}
"""Jobs that a pipeline, an Autopilot job or a monitor starts and looks after, as the role of the workload; the names
that they have in ARNs."""

NETWORK_INTERFACES = (
    *("CreateNetworkInterface", "CreateNetworkInterfacePermission", "DeleteNetworkInterface"),
    *("DeleteNetworkInterfacePermission", "DescribeDhcpOptions", "DescribeNetworkInterfaces"),
    *("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs"),
)
"""What a model or job in a VPC needs (SageMaker Developer Guide, "CreateModel API: Execution Role Permissions")."""


class WorkloadBoundary(Construct):
    """The managed policy."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        stage: StageSettings,
        own: Sequence[Statement] = (),
    ) -> None:
        """``own``: what roles of an organisation's own types may do besides. Raises ``BadConfiguration``."""
        super().__init__(scope, id)
        fixed = Names(settings)
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            managed_policy_name=names.BOUNDARY,
            path=names.PATH,
            description="Bounds every role that a stack of a workload makes",
            statements=[
                *_data(fixed, stage),
                *_sagemaker(fixed, stage),
                *own_statements(own, fixed, stage.account),
            ],
        )
        check_boundary(self, self.policy.document)


def _data(fixed: Names, stage: StageSettings) -> list[iam.PolicyStatement]:
    """Objects, keys, images, logs, metrics, network."""
    arn, here = f"arn:{fixed.partition}", f"{fixed.region}:{stage.account}"
    return [
        iam.PolicyStatement(
            sid="DataOfWorkloads",
            actions=[
                *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:ListBucket"),
                # CodeBuild identifies the bucket of its source by these (AWS CodeBuild User Guide, "Allow CodeBuild to
                # interact with other AWS services").
                *("s3:GetBucketAcl", "s3:GetBucketLocation"),
            ],
            # Data capture, batch data and results lie in the organisation's own buckets.
            resources=[f"{arn}:s3:::*"],
        ),
        # In the orchestrator's account no bucket's policy is behind these: nothing else keeps a workload away.
        iam.PolicyStatement(
            sid="PackagesStayAsTheyAre",
            effect=iam.Effect.DENY,
            actions=["s3:PutObject"],
            resources=[
                f"{fixed.packages_bucket_arn}/*",
                # Uploading one is asking for a release, and a job often writes to the bucket where that is done.
                f"{arn}:s3:::*/{CONFIGURATION_NAME}",
                # What the CDK deploys next, the orchestrator's own code among it.
                f"{arn}:s3:::cdk-*",
            ],
        ),
        iam.PolicyStatement(
            sid="PackagesAreForDeployments",
            effect=iam.Effect.DENY,
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            resources=[f"{fixed.packages_bucket_arn}/{keys}" for keys in (PACKAGES, REQUESTS)],
        ),
        iam.PolicyStatement(
            sid="KeysOfData",
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
            resources=[f"{arn}:kms:{fixed.region}:*:key/*"],
        ),
        iam.PolicyStatement(
            sid="KeysOfVolumes",
            actions=["kms:CreateGrant"],
            resources=[f"{arn}:kms:{fixed.region}:*:key/*"],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        iam.PolicyStatement(
            sid="Images",
            actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            # AWS's own images lie in AWS's accounts.
            resources=[f"{arn}:ecr:{fixed.region}:*:repository/*"],
        ),
        iam.PolicyStatement(
            sid="ImagesThatAreBuilt",
            actions=["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"],
            resources=[f"{arn}:ecr:{here}:repository/*"],
        ),
        iam.PolicyStatement(
            sid="ImagesOfTheCdk",
            effect=iam.Effect.DENY,
            actions=["ecr:PutImage"],
            resources=[f"{arn}:ecr:{here}:repository/cdk-*"],
        ),
        iam.PolicyStatement(sid="RegistryLogin", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        iam.PolicyStatement(
            sid="Logs",
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[
                f"{arn}:logs:{here}:log-group:{group}"
                for group in (
                    "/aws/sagemaker/*",
                    f"/aws/codebuild/{MANAGED_STACK_PREFIX}*",
                    f"{MANAGED_STACK_PREFIX}*",
                )
            ],
        ),
        iam.PolicyStatement(
            sid="Metrics",
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={
                "StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*", "aws/sagemaker/*"]}
            },
        ),
        iam.PolicyStatement(
            sid="AlarmsOfDeployments",
            actions=["cloudwatch:DescribeAlarms"],
            resources=[f"{arn}:cloudwatch:{here}:alarm:*"],
        ),
        # EC2 knows no resource for most of them.
        iam.PolicyStatement(sid="Network", actions=[f"ec2:{action}" for action in NETWORK_INTERFACES], resources=["*"]),
    ]


def _sagemaker(fixed: Names, stage: StageSettings) -> list[iam.PolicyStatement]:
    """Jobs, endpoints, and the role that jobs run as."""
    base = f"arn:{fixed.partition}:sagemaker:{fixed.region}:{stage.account}"
    return [
        iam.PolicyStatement(
            sid="Jobs",
            actions=[
                *(f"sagemaker:{verb}{job}" for job in JOBS for verb in ("Create", "Describe", "Stop")),
                *("sagemaker:AddTags", "sagemaker:ListTags"),
            ],
            resources=[f"{base}:{kind}/*" for kind in JOBS.values()],
        ),
        iam.PolicyStatement(
            sid="Models",
            actions=[f"sagemaker:{action}" for action in ("AddTags", "CreateModel", "DeleteModel", "DescribeModel")],
            resources=[f"{base}:model/*"],
        ),
        # Clarify asks an endpoint of its own making, and ends it.
        iam.PolicyStatement(
            sid="Endpoints",
            actions=[
                f"sagemaker:{action}"
                for action in (
                    *("AddTags", "CreateEndpoint", "CreateEndpointConfig", "DeleteEndpoint", "DeleteEndpointConfig"),
                    *("DescribeEndpoint", "DescribeEndpointConfig", "InvokeEndpoint"),
                )
            ],
            resources=[f"{base}:endpoint/*", f"{base}:endpoint-config/*"],
        ),
        iam.PolicyStatement(
            sid="RolesOfJobs",
            actions=["iam:PassRole"],
            resources=fixed.workload_role_patterns([stage.account]),
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    ]
