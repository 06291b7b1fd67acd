"""Nothing is deployed before an existing assets bucket has been found good; see ``functions/check_assets_bucket``."""

from __future__ import annotations

from aws_cdk import CustomResource, Duration, Stack
from constructs import Construct

from functions.check_assets_bucket.env import Env
from stacks.functions import Function
from stacks.settings import Settings
from stacks.stage_reads import bucket_arn

SECONDS = 60
"""Of the function: half of them for waiting until IAM knows its role everywhere."""


class AssetsBucketCheck(Construct):
    """The function, and the custom resource that CloudFormation makes of its answer."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        options = settings.options
        function = Function(
            self,
            "check_assets_bucket",
            settings=settings,
            description="Checks at deployment that the existing assets bucket can be used",
            handler="functions.check_assets_bucket.handler",
            folders=("orchestrator", "functions/check_assets_bucket"),
            env=Env(),
            # The standard library and the runtime's SDK do; nothing else has to be there first.
            layers=(),
            timeout_seconds=SECONDS,
            memory_mb=256,
        )
        function.may(
            [
                "s3:GetBucketLocation",
                "s3:GetBucketNotification",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
            ],
            [bucket_arn(settings, options.existing_assets_bucket)],
        )
        # A change of a property is what makes CloudFormation ask again.
        self.passed = CustomResource(
            self,
            "Passed",
            resource_type="Custom::AssetsBucketCheck",
            service_token=function.arn,
            service_timeout=Duration.seconds(2 * SECONDS),
            properties={
                "Bucket": options.existing_assets_bucket,
                "Account": settings.account,
                "Region": settings.installation.region,
                "KeyArn": options.existing_assets_bucket_key,
            },
        )

    def goes_first(self) -> None:
        """Let everything else in the stack wait for the check: what has been made when it fails would stay behind.

        Buckets and table are retained, and the next attempt could not make what has a fixed name.
        """
        for child in Stack.of(self).node.children:
            if child is not self:
                child.node.add_dependency(self.passed)
