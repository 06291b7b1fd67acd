"""The Model Registry's group of model packages, readable by the stages' deployments."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.settings import Settings
from stacks.stage_reads import ANY_GROUP, model_packages
from stacks.statement_outputs import statements_output


class ModelRegistry(Construct):
    """The group that the settings name; where they name none, what other groups' policies need."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        group = settings.options.model_package_group
        if not group:
            statements_output(
                Stack.of(self),
                "ModelPackageGroupPolicyStatements",
                model_packages(settings, ANY_GROUP),
                f"For the policy of each group whose packages the stages deploy, its name in place of {ANY_GROUP}",
            )
            return
        statements = model_packages(settings, group)
        made = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=group,
            model_package_group_description="Models that the MLOps Orchestrator releases",
            model_package_group_policy={"Version": "2012-10-17", "Statement": statements} if statements else None,
        )
        # A group with versions in it cannot be deleted.
        made.apply_removal_policy(RemovalPolicy.RETAIN)
