"""What each function may do, thing by thing: the table, the buckets, the machines, the stages' roles, the settings."""

from __future__ import annotations

from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm

from orchestrator.core.model_cards import EXPORTS
from orchestrator.core.people import is_group
from stacks import names
from stacks.buckets import ASSET_COPIES, DOCUMENTS, PACKAGES, REQUESTS, Buckets
from stacks.fleet import Fleet
from stacks.machines import machines_of
from stacks.names import Names
from stacks.records import Records
from stacks.settings import Settings

ROWS = ("GetItem", "PutItem")
WAITS = (*ROWS, "DeleteItem")

TABLE_ACTIONS: dict[str, tuple[str, ...]] = {
    "package": WAITS,
    "plan_stage": ROWS,
    "deploy_stage": WAITS,
    "run_job": WAITS,
    "verify_stage": ROWS,
    "request_approval": ROWS,
    "record_outcome": WAITS,
    "receive_request": (*ROWS, "Query"),
    "resume_deployment": (*WAITS, "Query"),
    "sweep_waits": WAITS,
    "api": (*ROWS, "Query"),
    "notify": (*WAITS, "Query"),
    "slack_worker": (*ROWS, "Query"),
    "append_ledger": ("GetItem",),
}
"""Function → actions on the table. A change of a row is a conditional PutItem; nothing is updated in place. Of the
audit ledger's rows ``ledger.py`` has more to say."""

LISTERS = ("sweep_waits", "api", "notify", "slack_worker")
"""Functions that read a list: releases, what waits, or Homes that are kept current."""

STARTERS = ("receive_request", "api", "slack_worker")
ROLLBACK_STARTERS = ("api", "slack_worker")
CARD_KEEPERS = ("receive_request", "api")
ANSWERERS = (
    *("package", "deploy_stage", "run_job", "request_approval", "resume_deployment", "sweep_waits"),
    *("api", "slack_worker"),
)
"""Functions that answer a waiting task: by an end that they find, or a decision."""

RESOLVERS = ("package", "receive_request", "api", "slack_worker")
"""Functions that find out which model package a configuration means."""
REGISTRY_READERS = (*RESOLVERS, "plan_stage", "deploy_stage")
"""Functions that look at a version: the last ones, whether it is still approved."""

ASSET_READERS = ("package", "receive_request", "api", "slack_worker")
"""Functions that read what people upload, or look whether it is there."""

PACKAGE_READERS = ("plan_stage", "deploy_stage", "run_job", "verify_stage")
PLANNERS = ("plan_stage", "deploy_stage")
"""Functions that show what a plan would change, also in the documents of an earlier release."""


def grant_table(records: Records, fleet: Fleet) -> None:
    """Single actions on rows, for everybody but Slack's front."""
    for name, actions in TABLE_ACTIONS.items():
        fleet[name].may([f"dynamodb:{action}" for action in actions], [records.table.table_arn])
    for function in fleet.only(LISTERS):
        function.may(["dynamodb:Query"], [records.index_arn])


def grant_settings(parameter: ssm.StringParameter, fleet: Fleet) -> None:
    """The installation's settings, for everybody who works with the table."""
    for name in TABLE_ACTIONS:
        fleet[name].may(["ssm:GetParameter"], [parameter.parameter_arn])


def grant_machines(settings: Settings, fleet: Fleet) -> None:
    """Start executions; answer waiting tasks; find out which execution is gone, and have its release ended."""
    arns = [Names(settings).machine_arn(machine) for machine in machines_of(settings)]
    for function in fleet.only(STARTERS):
        function.may(["states:StartExecution"], arns)
    fleet["sweep_waits"].may(["states:StartExecution"], arns)
    executions = [f"{arn.replace(':stateMachine:', ':execution:')}:*" for arn in arns]
    fleet["sweep_waits"].may(["states:DescribeExecution"], executions)
    fleet["sweep_waits"].may(["lambda:InvokeFunction"], [fleet["record_outcome"].arn])
    for function in fleet.only(ANSWERERS):
        function.may(["states:SendTaskSuccess", "states:SendTaskFailure"], arns)


def grant_stage_roles(settings: Settings, fleet: Fleet) -> None:
    """Assume the roles of every place that workloads are deployed to; their trust names the same functions."""
    fixed = Names(settings)
    accounts = [place.account for place in names.places(settings)]
    for function in fleet.by_id.values():
        roles = [role for role, assumers in names.ASSUMED_BY.items() if function.name in assumers]
        if roles:
            function.may(["sts:AssumeRole"], fixed.stage_role_arns(accounts, *roles))


def grant_model_packages(settings: Settings, fleet: Fleet) -> None:
    """Read what a configuration names: a version, or the latest approved one of a group; later, whether it still is."""
    fixed = Names(settings)
    prefix = f"arn:{fixed.partition}:sagemaker:{fixed.region}:{fixed.account}"
    for function in fleet.only(REGISTRY_READERS):
        function.may(["sagemaker:DescribeModelPackage"], [f"{prefix}:model-package/*"])
    for function in fleet.only(RESOLVERS):
        # A list is about no single resource: with a group's ARN alone the call is refused.
        function.may(["sagemaker:ListModelPackages"], ["*"])


def grant_evaluations(settings: Settings, fleet: Fleet) -> None:
    """Read the evaluations of model packages that lie outside of the assets bucket; to list is to hear of a missing one
    that it is missing, rather than that it may not be read."""
    buckets = [f"arn:{settings.installation.partition}:s3:::{name}" for name in settings.options.evaluation_buckets]
    if buckets:
        fleet["package"].may(["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/*" for bucket in buckets])
        fleet["package"].may(["s3:ListBucket"], buckets)


def grant_model_cards(settings: Settings, buckets: Buckets, fleet: Fleet) -> None:
    """The six operations, what SageMaker knows of a model and its training job, and files with results.

    An export is written by SageMaker with the rights of whoever asked for it.
    """
    fixed = Names(settings)
    prefix = f"arn:{fixed.partition}:sagemaker:{fixed.region}:{fixed.account}"
    verbs = ("Create", "Update", "Describe", "Delete")
    for function in fleet.only(CARD_KEEPERS):
        function.may(
            [
                *(f"sagemaker:{verb}ModelCard" for verb in verbs),
                *("sagemaker:CreateModelCardExportJob", "sagemaker:ListModelCardExportJobs"),
            ],
            [f"{prefix}:model-card/*"],
        )
        function.may(["sagemaker:DescribeModel"], [f"{prefix}:model/*"])
        function.may(["sagemaker:DescribeTrainingJob"], [f"{prefix}:training-job/*"])
        # Service Authorization Reference: neither knows a resource.
        function.may(["sagemaker:ListModelCards", "sagemaker:Search"], ["*"])
        function.may(["s3:PutObject"], [buckets.assets.arn_for_objects(f"{EXPORTS}/*")])


def grant_examination(
    parameter: ssm.StringParameter, secret: secretsmanager.Secret, topic: sns.Topic, fleet: Fleet
) -> None:
    """Look at settings, Slack secret and subscriptions; the stages' roles are with the others that are assumed."""
    examine = fleet["examine"]
    examine.may(["ssm:GetParameter"], [parameter.parameter_arn])
    examine.may(["secretsmanager:GetSecretValue"], [secret.secret_arn])
    examine.may(["sns:ListSubscriptionsByTopic"], [topic.topic_arn])
    fleet["api"].may(["lambda:InvokeFunction"], [examine.arn])


def grant_user_groups(settings: Settings, secret: secretsmanager.Secret, fleet: Fleet) -> None:
    """Ask Slack who is in a group, for votes that come by the API; only where a role names one."""
    if any(is_group(member) for members in settings.installation.roles.values() for member in members):
        fleet["api"].may(["secretsmanager:GetSecretValue"], [secret.secret_arn])


def grant_assets_key(settings: Settings, fleet: Fleet) -> None:
    """Decrypt what is uploaded, where an existing assets bucket is encrypted with a key of the organisation's."""
    key = settings.options.existing_assets_bucket_key
    for function in fleet.only(ASSET_READERS if key else ()):
        via = f"s3.{settings.installation.region}.*"
        function.may(["kms:Decrypt"], [key], {"StringLike": {"kms:ViaService": via}})


def grant_buckets(buckets: Buckets, fleet: Fleet) -> None:
    """Pinned reads, copies and objects written once.

    ``s3:ListBucket`` is what makes S3 answer 404 rather than 403 for an object that does not exist.
    """
    assets, packages, key = buckets.assets, buckets.packages, buckets.key
    read = ["s3:GetObject", "s3:GetObjectVersion"]
    write = ["s3:PutObject"]
    cipher = ["kms:Decrypt", "kms:GenerateDataKey"]

    package = fleet["package"]
    package.may(read, [assets.arn_for_objects("*")])
    package.may(
        [*read, *write, "s3:AbortMultipartUpload"],
        [packages.arn_for_objects(keys) for keys in (PACKAGES, ASSET_COPIES, DOCUMENTS)],
    )
    package.may(read, [packages.arn_for_objects(REQUESTS)])
    package.may(["s3:ListBucket"], [assets.bucket_arn, packages.bucket_arn])
    package.may(cipher, [key.key_arn])

    for function in fleet.only(PACKAGE_READERS):
        function.may(read, [packages.arn_for_objects(PACKAGES)])
        function.may(["kms:Decrypt"], [key.key_arn])
    for function in fleet.only(PLANNERS):
        function.may(["s3:GetObject"], [packages.arn_for_objects(DOCUMENTS)])
    # The sample of the smoke test is a pinned asset.
    fleet["verify_stage"].may(read, [packages.arn_for_objects(ASSET_COPIES)])

    receive_request = fleet["receive_request"]
    # Configurations lie in any folder, and a model card names a file with results.
    receive_request.may(read, [assets.arn_for_objects("*")])
    receive_request.may(["s3:ListBucket"], [assets.bucket_arn])
    # GetObject is also the right to ask whether an object is there.
    for name in ("api", "slack_worker"):
        fleet[name].may(read, [assets.arn_for_objects("*")])
        fleet[name].may(["s3:ListBucket"], [assets.bucket_arn])
    # A rollback is refused at once where the package is gone, or what it came from.
    for function in fleet.only(ROLLBACK_STARTERS):
        function.may(read, [packages.arn_for_objects(PACKAGES)])
        function.may(["s3:ListBucket"], [packages.bucket_arn])
    # The form to start a release offers the versions of a configuration.
    fleet["slack_worker"].may(["s3:ListBucketVersions"], [assets.bucket_arn])
    for function in fleet.only(STARTERS):
        function.may([*read, *write], [packages.arn_for_objects(REQUESTS)])
        function.may(cipher, [key.key_arn])
