"""Assets bucket (what people upload), packages bucket (what is released, read by the stages), and their access logs.

The assets bucket may be the organisation's own: then it is used as it is, and what its policy needs is given out.
"""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks import names
from stacks.names import Names
from stacks.settings import Settings
from stacks.stage_reads import bucket_arn, encrypted_connections, model_data, model_data_key, narrowed
from stacks.statement_outputs import statements_output

PACKAGES = "packages/*"
"""Keys of packages, with each package's template beside it."""
REQUESTS = "requests/*"
"""Keys of the configurations that releases started from."""
ASSET_COPIES = "assets/*"
"""Keys of the pinned copies of assets."""
DOCUMENTS = "documents/*"
"""Keys of rendered documents, such as the definition of a pipeline: digests."""

ACCESS_LOG_DAYS = 365


class Buckets(Construct):
    """The buckets, and the key of what crosses accounts."""

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
        self.access_logs = logs = s3.Bucket(
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
        own = settings.options.existing_assets_bucket
        self.assets: s3.IBucket = self._existing_assets(settings, own) if own else self._new_assets(settings, logs)
        self.packages = encrypted_bucket(
            self,
            "Packages",
            name=fixed.packages_bucket,
            versioned=True,
            key=self.key,
            access_logs=logs,
            logged_as="packages/",
            expiry=_ABANDONED_UPLOADS,
        )
        notify_event_bridge(self.packages)
        if settings.stage_accounts:
            self._open_to_stages(settings, fixed)

    def _new_assets(self, settings: Settings, logs: s3.Bucket) -> s3.Bucket:
        """S3's own encryption, so uploaders need no KMS permission; what stages read of it needs none either."""
        made = s3.Bucket(
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
        notify_event_bridge(made)
        for statement in model_data(settings, made.bucket_arn):
            made.add_to_resource_policy(iam.PolicyStatement.from_json(statement))
        return made

    def _existing_assets(self, settings: Settings, name: str) -> s3.IBucket:
        """The organisation's own bucket, and what the policies of it and of its key need."""
        arn, stack = bucket_arn(settings, name), Stack.of(self)
        statements_output(
            stack,
            "AssetsBucketPolicyStatements",
            [*encrypted_connections(arn), *model_data(settings, arn)],
            f"Add these to the policy of the bucket {name}",
        )
        if settings.options.existing_assets_bucket_key:
            statements_output(
                stack,
                "AssetsBucketKeyPolicyStatements",
                model_data_key(settings, arn),
                f"Add these to the policy of the key of the bucket {name}",
            )
        return s3.Bucket.from_bucket_name(self, "Assets", name)

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
        # A job's input is found by listing, though it is one object.
        self.packages.add_to_resource_policy(
            iam.PolicyStatement(
                sid="WorkloadsFindAssets",
                principals=[iam.AccountPrincipal(account) for account in accounts],
                actions=["s3:ListBucket"],
                resources=[self.packages.bucket_arn],
                conditions={
                    **narrowed(settings, workloads),
                    "StringLike": {"s3:prefix": [ASSET_COPIES, DOCUMENTS]},
                },
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


def encrypted_bucket(
    scope: Construct,
    id: str,
    *,
    key: kms.IKey,
    access_logs: s3.IBucket,
    logged_as: str,
    expiry: s3.LifecycleRule,
    versioned: bool,
    name: str | None = None,
) -> s3.Bucket:
    """A bucket of ours alone, under a key of ours, that outlives its stack; ``logged_as`` begins its logs' names."""
    return s3.Bucket(
        scope,
        id,
        bucket_name=name,
        versioned=versioned,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        removal_policy=RemovalPolicy.RETAIN,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=logged_as,
        lifecycle_rules=[expiry],
    )


def notify_event_bridge(bucket: s3.Bucket) -> None:
    """By the bucket's own property: CDK's custom resource would need a function, and rights on every bucket."""
    cfn = bucket.node.default_child
    assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 - for the type checker
    cfn.add_property_override("NotificationConfiguration", {"EventBridgeConfiguration": {"EventBridgeEnabled": True}})


_ABANDONED_UPLOADS = s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))
