"""The reviewed list: every statement with a wildcard in an action or a resource, and why it cannot be narrower.

An entry is the resource as the template writes it (``<Bucket.Arn>`` for a reference) and the actions allowed on it. A
right on no entry fails a test, and so does an entry with an action that nobody has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Wildcard:
    """Reviewed actions on one resource."""

    resource: str
    actions: frozenset[str]
    reason: str


def _on(resource: str, actions: str, reason: str) -> Wildcard:
    return Wildcard(resource, frozenset(actions.split()), reason)


READ = "s3:GetObject s3:GetObjectVersion"
PACKAGES = "arn:aws:s3:::mlops-packages-111111111111-us-east-1"

ORCHESTRATOR = (
    _on(
        "*",
        "xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments",
        "X-Ray knows no resource for traces",
    ),
    _on(
        "*",
        "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
        "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery",
        "a state machine's log is a delivery, and CloudWatch Logs knows no resource for deliveries",
    ),
    _on("*", "dynamodb:ListStreams", "DynamoDB lists streams of all tables or none"),
    _on(
        "<BucketsAssets.Arn>/*",
        READ,
        "a configuration names any asset of the bucket",
    ),
    _on("<BucketsAssets.Arn>/model_card_exports/*", "s3:PutObject", "SageMaker names the files of an export"),
    _on(
        "*",
        "sagemaker:ListModelCards sagemaker:Search",
        "SageMaker lists and searches all of an account or nothing",
    ),
    _on(
        "arn:aws:sagemaker:us-east-1:111111111111:model-card/*",
        "sagemaker:CreateModelCard sagemaker:CreateModelCardExportJob sagemaker:DeleteModelCard "
        "sagemaker:DescribeModelCard sagemaker:ListModelCardExportJobs sagemaker:UpdateModelCard",
        "people name their cards",
    ),
    _on("arn:aws:sagemaker:us-east-1:111111111111:model/*", "sagemaker:DescribeModel", "a card is of any model"),
    _on(
        "arn:aws:sagemaker:us-east-1:111111111111:training-job/*",
        "sagemaker:DescribeTrainingJob",
        "a card tells of any training job",
    ),
    _on(
        "<BucketsPackages.Arn>/packages/*",
        f"{READ} s3:PutObject s3:AbortMultipartUpload",
        "one package a release; keys begin with the release",
    ),
    _on(
        "<BucketsPackages.Arn>/assets/*",
        f"{READ} s3:PutObject s3:AbortMultipartUpload",
        "keys are digests",
    ),
    _on(
        "<BucketsPackages.Arn>/documents/*",
        f"{READ} s3:PutObject s3:AbortMultipartUpload",
        "keys are digests",
    ),
    _on(
        "arn:aws:states:us-east-1:111111111111:execution:mlops-multi-account:*",
        "states:DescribeExecution",
        "an execution is named by its release",
    ),
    _on(
        "arn:aws:states:us-east-1:111111111111:execution:mlops-single-account:*",
        "states:DescribeExecution",
        "an execution is named by its release",
    ),
    _on("<BucketsPackages.Arn>/requests/*", f"{READ} s3:PutObject", "one configuration a release"),
    _on(
        "<CommitArchivesBucket.Arn>/commits/*",
        READ,
        "one archive a commit; keys end in the execution that delivered it",
    ),
    _on(
        "<CommitArchivesBucket.Arn>/commits/github-models/*.zip",
        "s3:PutObject",
        "a pipeline delivers under its repository's name; keys end in its execution",
    ),
    _on(
        "<CommitArchivesBucket.Arn>/mlops-source-*",
        f"{READ} s3:PutObject",
        "CodePipeline names the artifacts on their way, in a folder called after the beginning of the pipeline's name",
    ),
)

STAGE = (
    _on(
        "arn:aws:cloudformation:us-east-1:<account>:stack/mlops-pipeline-*/*",
        "cloudformation:CreateChangeSet cloudformation:DeleteChangeSet cloudformation:DeleteStack "
        "cloudformation:DescribeChangeSet cloudformation:DescribeStackEvents cloudformation:DescribeStacks "
        "cloudformation:ExecuteChangeSet cloudformation:GetTemplate cloudformation:ListChangeSets "
        "cloudformation:ListStackResources cloudformation:TagResource cloudformation:UntagResource",
        "stacks of workloads; the end of a stack's ARN is made up by CloudFormation",
    ),
    _on(f"{PACKAGES}/packages/*", "s3:GetObject", "the template of any release"),
    _on(f"{PACKAGES}/documents/*", "s3:GetObject", "the pipeline's definition of any release; keys are digests"),
    _on(
        "arn:aws:kms:us-east-1:111111111111:key/*",
        "kms:Decrypt",
        "the packages' key, whose id is made up later in another account; its encryption context is the condition",
    ),
    _on(
        "arn:aws:sagemaker:us-east-1:<account>:endpoint/*",
        "sagemaker:AddTags sagemaker:CreateEndpoint sagemaker:DeleteEndpoint sagemaker:DeleteTags "
        "sagemaker:DescribeEndpoint sagemaker:InvokeEndpoint sagemaker:ListTags sagemaker:UpdateEndpoint "
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        "endpoints are named by their owners; observing one has the workload's tag as its condition",
    ),
    _on(
        "arn:aws:sagemaker:us-east-1:<account>:endpoint-config/*",
        "sagemaker:AddTags sagemaker:CreateEndpoint sagemaker:CreateEndpointConfig sagemaker:DeleteEndpointConfig "
        "sagemaker:DeleteTags sagemaker:DescribeEndpointConfig sagemaker:ListTags sagemaker:UpdateEndpoint",
        "named by SageMaker where CloudFormation makes one",
    ),
    *(
        _on(
            f"arn:aws:sagemaker:us-east-1:<account>:{kind}/*",
            f"sagemaker:AddTags sagemaker:Create{noun} sagemaker:Delete{noun} sagemaker:DeleteTags "
            f"sagemaker:Describe{noun} sagemaker:ListTags",
            "CloudFormation's handler names one after its logical id, which all workloads of a type share",
        )
        for kind, noun in (
            ("model", "Model"),
            ("data-quality-job-definition", "DataQualityJobDefinition"),
            ("model-quality-job-definition", "ModelQualityJobDefinition"),
            ("model-bias-job-definition", "ModelBiasJobDefinition"),
            ("model-explainability-job-definition", "ModelExplainabilityJobDefinition"),
        )
    ),
    _on(
        "arn:aws:sagemaker:us-east-1:<account>:monitoring-schedule/*",
        "sagemaker:AddTags sagemaker:CreateMonitoringSchedule sagemaker:DeleteMonitoringSchedule "
        "sagemaker:DeleteTags sagemaker:DescribeMonitoringSchedule sagemaker:ListTags "
        "sagemaker:UpdateMonitoringSchedule",
        "a schedule's name holds 63 characters, fewer than a stack's, so it has a name of its own",
    ),
    _on(
        "arn:aws:sagemaker:us-east-1:<account>:pipeline/mlops-pipeline-*",
        "sagemaker:AddTags sagemaker:CreatePipeline sagemaker:DeletePipeline sagemaker:DeleteTags "
        "sagemaker:DescribePipeline sagemaker:DescribePipelineExecution sagemaker:ListPipelineExecutionSteps "
        "sagemaker:ListTags sagemaker:StartPipelineExecution sagemaker:UpdatePipeline",
        "pipelines of workloads, named after their stacks, and their executions",
    ),
    _on(
        "arn:aws:sagemaker:us-east-1:<account>:automl-job/*",
        "sagemaker:AddTags sagemaker:CreateAutoMLJobV2 sagemaker:DescribeAutoMLJobV2 sagemaker:ListTags",
        "an AutoML job's name holds 32 characters, so it begins with the workload's own",
    ),
    _on(
        "arn:aws:codebuild:us-east-1:<account>:project/mlops-pipeline-*",
        "codebuild:BatchGetBuilds codebuild:BatchGetProjects codebuild:CreateProject codebuild:DeleteProject "
        "codebuild:ListBuildsForProject codebuild:StartBuild codebuild:UpdateProject",
        "build projects of workloads, named after their stacks",
    ),
    _on(
        "arn:aws:application-autoscaling:us-east-1:<account>:scalable-target/*",
        "application-autoscaling:DeleteScalingPolicy application-autoscaling:DeregisterScalableTarget "
        "application-autoscaling:ListTagsForResource application-autoscaling:PutScalingPolicy "
        "application-autoscaling:RegisterScalableTarget application-autoscaling:TagResource "
        "application-autoscaling:UntagResource",
        "a target's id is made up by Application Auto Scaling; that it is SageMaker's is the condition",
    ),
    _on(
        "*",
        "application-autoscaling:DescribeScalableTargets application-autoscaling:DescribeScalingPolicies "
        "application-autoscaling:DescribeScheduledActions",
        "Application Auto Scaling knows no resource for a list",
    ),
    _on(
        "arn:aws:cloudwatch:us-east-1:<account>:alarm:*",
        "cloudwatch:DescribeAlarms",
        "a list of alarms is decided on all of them, and a deployment may be watched by any alarm",
    ),
    _on(
        "arn:aws:cloudwatch:us-east-1:<account>:alarm:mlops-pipeline-*",
        "cloudwatch:DeleteAlarms cloudwatch:ListTagsForResource cloudwatch:PutMetricAlarm cloudwatch:TagResource "
        "cloudwatch:UntagResource",
        "alarms that CloudFormation names after the workload's stack",
    ),
    _on(
        "arn:aws:cloudwatch:us-east-1:<account>:alarm:TargetTracking-endpoint/*",
        "cloudwatch:DeleteAlarms cloudwatch:PutMetricAlarm",
        "alarms that Application Auto Scaling names after the endpoint that it scales",
    ),
    _on(
        "arn:aws:iam::<account>:role/mlops/workload/*",
        "iam:CreateRole iam:DeleteRole iam:DeleteRolePolicy iam:GetRole iam:GetRolePolicy "
        "iam:ListAttachedRolePolicies iam:ListRolePolicies iam:PassRole iam:PutRolePermissionsBoundary "
        "iam:PutRolePolicy iam:TagRole iam:UntagRole iam:UpdateAssumeRolePolicy iam:UpdateRole "
        "iam:UpdateRoleDescription",
        "roles of workloads lie under this path and nowhere else, each under the boundary",
    ),
    *(
        _on(
            f"arn:aws:iam::<account>:role/aws-service-role/{service}.amazonaws.com/*",
            "iam:CreateServiceLinkedRole",
            "the service's own role, made on the first thing of its kind in an account; the service is the condition",
        )
        for service in ("ops.apigateway", "sagemaker.application-autoscaling")
    ),
    *(
        _on(
            f"arn:aws:apigateway:us-east-1::/{path}",
            "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT",
            "an API's id is made up by API Gateway",
        )
        for path in ("restapis/*", "tags/*")
    ),
    _on(
        "arn:aws:lambda:us-east-1:<account>:function:mlops-pipeline-*",
        "lambda:AddPermission lambda:CreateFunction lambda:DeleteFunction lambda:GetFunction "
        "lambda:GetFunctionCodeSigningConfig lambda:GetFunctionConfiguration lambda:GetFunctionRecursionConfig "
        "lambda:GetFunctionScalingConfig lambda:GetPolicy lambda:GetRuntimeManagementConfig lambda:ListTags "
        "lambda:RemovePermission lambda:TagResource lambda:UntagResource lambda:UpdateFunctionCode "
        "lambda:UpdateFunctionConfiguration",
        "functions that CloudFormation names after the workload's stack",
    ),
    _on(
        "arn:aws:logs:us-east-1:<account>:log-group:mlops-pipeline-*",
        "logs:CreateLogGroup logs:CreateLogStream logs:DeleteLogGroup logs:DeleteRetentionPolicy "
        "logs:DescribeIndexPolicies logs:DescribeLogStreams logs:GetDataProtectionPolicy logs:ListTagsForResource "
        "logs:PutLogEvents logs:PutRetentionPolicy logs:TagResource logs:UntagResource",
        "log groups that CloudFormation names after the workload's stack",
    ),
    _on(
        "arn:aws:logs:us-east-1:<account>:log-group:*",
        "logs:DescribeLogGroups",
        "a list of log groups is decided on all of them",
    ),
)

BOUNDARY = (
    _on(
        "arn:aws:s3:::*",
        "s3:GetBucketAcl s3:GetBucketLocation s3:GetObject s3:GetObjectVersion s3:ListBucket s3:PutObject",
        "data lies in the organisation's own buckets; a role's own policy names them",
    ),
    _on(
        "arn:aws:kms:us-east-1:*:key/*",
        "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey",
        "keys of data, in this account or others; a role's own policy names them; grants are AWS's services' alone",
    ),
    _on(
        "arn:aws:ecr:us-east-1:*:repository/*",
        "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
        "AWS's images lie in AWS's accounts; a role's own policy names the repository",
    ),
    _on(
        "arn:aws:ecr:us-east-1:<account>:repository/*",
        "ecr:CompleteLayerUpload ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart",
        "images are pushed to repositories that the organisation names; a role's own policy names one",
    ),
    _on("*", "ecr:GetAuthorizationToken", "ECR knows no resource for logging in"),
    _on("*", "cloudwatch:PutMetricData", "CloudWatch knows no resource for it; the namespace is the condition"),
    _on(
        "*",
        "ec2:CreateNetworkInterface ec2:CreateNetworkInterfacePermission ec2:DeleteNetworkInterface "
        "ec2:DeleteNetworkInterfacePermission ec2:DescribeDhcpOptions ec2:DescribeNetworkInterfaces "
        "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs",
        "network interfaces of models and jobs in a VPC; EC2 knows no resource for most of it",
    ),
    *(
        _on(
            f"arn:aws:logs:us-east-1:<account>:log-group:{group}",
            "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents",
            reason,
        )
        for group, reason in (
            ("/aws/sagemaker/*", "SageMaker names the log groups of endpoints and jobs"),
            ("/aws/codebuild/mlops-pipeline-*", "CodeBuild names a log group after the project"),
        )
    ),
    *(
        _on(
            f"arn:aws:sagemaker:us-east-1:<account>:{kind}/*",
            " ".join(
                f"sagemaker:{action}"
                for action in (
                    *("AddTags", "ListTags"),
                    *(
                        f"{verb}{job}Job"
                        for job in ("HyperParameterTuning", "Processing", "Training", "Transform")
                        for verb in ("Create", "Describe", "Stop")
                    ),
                )
            ),
            "jobs are named by SageMaker, after what the workload's pipeline begins their names with",
        )
        for kind in ("hyper-parameter-tuning-job", "processing-job", "training-job", "transform-job")
    ),
    *(
        _on(
            f"arn:aws:sagemaker:us-east-1:<account>:{kind}/*",
            "sagemaker:AddTags sagemaker:CreateEndpoint sagemaker:CreateEndpointConfig sagemaker:DeleteEndpoint "
            "sagemaker:DeleteEndpointConfig sagemaker:DescribeEndpoint sagemaker:DescribeEndpointConfig "
            "sagemaker:InvokeEndpoint",
            "Clarify makes up the names of the endpoint that it asks",
        )
        for kind in ("endpoint", "endpoint-config")
    ),
)

KEY_POLICY = (
    _on(
        "*",
        "kms:* kms:Decrypt kms:GenerateDataKey*",
        "in a key's own policy the resource is the key itself, and its account administers it",
    ),
)

REVIEWED: Mapping[str, tuple[Wildcard, ...]] = {
    "orchestrator": (*ORCHESTRATOR, *KEY_POLICY),
    "stage": (*STAGE, *BOUNDARY),
}
