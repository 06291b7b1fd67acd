"""Assets bucket (what people upload), packages bucket (what is released, read by the stages), and their access logs."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks import names
from stacks.names import Names
from stacks.settings import Settings

PACKAGES = "packages/*"
"""Keys of packages, with each package's template beside it."""
REQUESTS = "requests/*"
"""Keys of the configurations that releases started from."""
ASSET_COPIES = "assets/*"
"""Keys of the pinned copies of assets."""
DOCUMENTS = "documents/*"
"""Keys of rendered documents, such as the definition of a pipeline: digests."""
CONFIGURATIONS = "*mlops-config.json"

ACCESS_LOG_DAYS = 365


class Buckets(Construct):
    """The three buckets and the key of what crosses accounts."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        fixed = Names(settings)
        self.key = kms.Key(
            self,
            "Key",
            alias="mlops-packages",
            description="Encrypts packages and pinned assets, and the topic of release outcomes",
            enable_key_rotation=True,
        )
        logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(ACCESS_LOG_DAYS))],
        )
        # Uploaders need no KMS permission: nothing in this bucket is read from another account.
        self.assets = s3.Bucket(
            self,
            "Assets",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=RemovalPolicy.RETAIN,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="assets/",
            lifecycle_rules=[_ABANDONED_UPLOADS],
        )
        self.packages = s3.Bucket(
            self,
            "Packages",
            bucket_name=fixed.packages_bucket,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=RemovalPolicy.RETAIN,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="packages/",
            lifecycle_rules=[_ABANDONED_UPLOADS],
        )
        for bucket in (self.assets, self.packages):
            # The bucket's own property: CDK's custom resource would need a function, and rights on every bucket.
            configuration = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
            cfn = bucket.node.default_child
            assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 - for the type checker
            cfn.add_property_override("NotificationConfiguration", configuration)
        if settings.stage_accounts:
            self._open_to_stages(settings, fixed)

    def _open_to_stages(self, settings: Settings, fixed: Names) -> None:
        """Reads across accounts: templates by those who deploy them, assets by workloads, documents by both."""
        accounts = settings.stage_accounts
        deployers = fixed.stage_role_arns(accounts, names.DEPLOY, names.SERVICE)
        workloads = fixed.workload_role_patterns(accounts)
        for sid, keys, readers in (
            ("StagesReadTemplates", PACKAGES, deployers),
            ("WorkloadsReadAssets", ASSET_COPIES, workloads),
            ("StagesReadDocuments", DOCUMENTS, [*fixed.stage_role_arns(accounts, names.SERVICE), *workloads]),
        ):
            self.packages.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AccountPrincipal(account) for account in accounts],
                    actions=["s3:GetObject"],
                    resources=[self.packages.arn_for_objects(keys)],
                    conditions=narrowed(settings, readers),
                )
            )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StagesDecryptPackages",
                principals=[iam.AccountPrincipal(account) for account in accounts],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={
                    **narrowed(settings, [*deployers, *workloads]),
                    "StringLike": {"kms:EncryptionContext:aws:s3:arn": fixed.packages_encryption_contexts},
                },
            )
        )


def narrowed(settings: Settings, role_arns: list[str]) -> dict[str, dict[str, object]]:
    """Conditions of a statement whose principal is another account: these roles, of this organisation if there is."""
    conditions: dict[str, dict[str, object]] = {"ArnLike": {"aws:PrincipalArn": role_arns}}
    if settings.organization_id:
        conditions["StringEquals"] = {"aws:PrincipalOrgID": settings.organization_id}
    return conditions


_ABANDONED_UPLOADS = s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))
