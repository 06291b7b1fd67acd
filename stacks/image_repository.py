"""The repository of the image builder's images: made here, or the organisation's own."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.settings import Settings
from stacks.settings_options import EcrRepository
from stacks.stage_reads import images
from stacks.statement_outputs import statements_output

UNTAGGED_DAYS = 14
"""Days that an image without a tag is kept; tags are immutable, so none is in use by its tag."""


class ImageRepository(Construct):
    """See the module. Two outputs: the repository's URI, and what an existing one's policy needs."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, repository: EcrRepository, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        if repository.existing:
            found = ecr.Repository.from_repository_name(self, "Existing", repository.name)
            statements_output(
                stack,
                "EcrRepositoryPolicyStatements",
                images(settings),
                f"Add these to the policy of the repository {repository.name}: the stages pull from it",
            )
        else:
            found = self._made(settings, repository.name, key)
        CfnOutput(
            stack, "EcrRepositoryUri", value=found.repository_uri, description="Images of custom algorithms lie here"
        )

    def _made(self, settings: Settings, name: str, key: kms.IKey) -> ecr.Repository:
        made = ecr.Repository(
            self,
            "Repository",
            repository_name=name,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=key,
            # Deployed models run these images.
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                ecr.LifecycleRule(
                    description="Images without a tag are in nobody's use",
                    tag_status=ecr.TagStatus.UNTAGGED,
                    max_image_age=Duration.days(UNTAGGED_DAYS),
                )
            ],
        )
        for statement in images(settings):
            made.add_to_resource_policy(iam.PolicyStatement.from_json(statement))
        return made
