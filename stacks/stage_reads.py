"""What the stages' accounts may read of things that an organisation may have brought along, as policy statements.

One text for both cases: where the stack makes the thing, its policy holds these statements; where the thing is the
organisation's own, the stack gives them out for its policy, which a policy of the stack's would replace.
"""

from __future__ import annotations

from typing import Any

from stacks import names
from stacks.names import Names
from stacks.settings import Settings

Statement = dict[str, Any]

PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

ANY_GROUP = "GROUP"
"""Stands for a group's name in what is given out for groups that the stack does not make."""


def narrowed(settings: Settings, role_arns: list[str]) -> dict[str, dict[str, object]]:
    """Conditions of a statement whose principal is another account: these roles, of this organisation if there is."""
    conditions: dict[str, dict[str, object]] = {"ArnLike": {"aws:PrincipalArn": role_arns}}
    if settings.organization_id:
        conditions["StringEquals"] = {"aws:PrincipalOrgID": settings.organization_id}
    return conditions


def bucket_arn(settings: Settings, bucket: str) -> str:
    """ARN of a bucket."""
    return f"arn:{settings.installation.partition}:s3:::{bucket}"


def encrypted_connections(bucket: str) -> list[Statement]:
    """What refuses plain HTTP and old TLS, as the product's own buckets do; ``bucket`` is an ARN."""
    denied = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
    }
    return [
        {"Sid": "EncryptedConnections", **denied, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "CurrentTls", **denied, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    ]


def model_data(settings: Settings, bucket: str) -> list[Statement]:
    """Model data of the registry's packages, which workloads of the stages load from the assets bucket (an ARN).

    Without the registry workloads read pinned copies in the packages bucket, and nothing here.
    """
    if not (settings.installation.model_registry and settings.stage_accounts):
        return []
    fixed = Names(settings)
    readers = fixed.workload_role_patterns(settings.stage_accounts)
    return [
        _statement(settings, "WorkloadsReadModelData", ["s3:GetObject"], readers, [f"{bucket}/*"]),
        # Data of a model package may be everything under a prefix.
        _statement(settings, "WorkloadsListModelData", ["s3:ListBucket"], readers, [bucket]),
    ]


def model_data_key(settings: Settings, bucket: str) -> list[Statement]:
    """The same for the key of a bucket (an ARN) that is encrypted with one of the organisation's."""
    if not (settings.installation.model_registry and settings.stage_accounts):
        return []
    fixed = Names(settings)
    readers = fixed.workload_role_patterns(settings.stage_accounts)
    statement = _statement(settings, "WorkloadsDecryptModelData", ["kms:Decrypt"], readers, ["*"])
    statement["Condition"]["StringLike"] = {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]}
    return [statement]


def images(settings: Settings) -> list[Statement]:
    """Pulling images; a repository's policy names no resource, since it is the repository's."""
    if not settings.stage_accounts:
        return []
    return [_statement(settings, "StagesPullImages", PULL, _deployments(settings), [])]


def model_packages(settings: Settings, group: str) -> list[Statement]:
    """Reading a group's packages and creating models from them (SageMaker Developer Guide, "Deploy a model version
    from a different account")."""
    if not settings.stage_accounts:
        return []
    fixed = Names(settings)
    prefix = f"arn:{fixed.partition}:sagemaker:{fixed.region}:{fixed.account}"
    readers = _deployments(settings)
    return [
        _statement(
            settings,
            "StagesSeeGroup",
            ["sagemaker:DescribeModelPackageGroup"],
            readers,
            [f"{prefix}:model-package-group/{group}"],
        ),
        _statement(
            settings,
            "StagesDeployPackages",
            ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            readers,
            [f"{prefix}:model-package/{group}/*"],
        ),
    ]


def _deployments(settings: Settings) -> list[str]:
    """CloudFormation's role, which creates a model, and the roles of workloads, which run it."""
    fixed = Names(settings)
    accounts = settings.stage_accounts
    return [*fixed.stage_role_arns(accounts, names.SERVICE), *fixed.workload_role_patterns(accounts)]


def _statement(settings: Settings, sid: str, actions: list[str], readers: list[str], resources: list[str]) -> Statement:
    partition = settings.installation.partition
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:{partition}:iam::{account}:root" for account in settings.stage_accounts]},
        "Action": actions,
        **({"Resource": resources} if resources else {}),
        "Condition": narrowed(settings, readers),
    }
