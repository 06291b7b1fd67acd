"""Git repositories whose commits start releases: CodeCommit's by its events, others by a pipeline that delivers them.

Behind a connection to GitHub, GitLab or Bitbucket a CodePipeline of two actions stands for each repository: fetch the
newest commit of the branch, put its zip into a bucket under the execution's own id. A push that touches no
configuration does not start it. ``receive_request`` asks CodePipeline what that execution has fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from orchestrator.core.commits import (
    ARCHIVES,
    PIPELINE_PREFIX,
    SOURCE_ACTION,
    archive_key,
    pipeline_name,
)
from orchestrator.core.events import (
    BRANCH,
    CODECOMMIT_SOURCE,
    CODEPIPELINE_SOURCE,
    CONFIGURATION_NAME,
    EXECUTION_STATE_CHANGE,
    PUSHES,
    REPOSITORY_STATE_CHANGE,
    S3_OBJECT_CREATED,
    S3_SOURCE,
)
from orchestrator.core.installation import Repository
from stacks.event_bus import target
from stacks.functions import Function
from stacks.names import PATH, Names
from stacks.settings import Settings

READS = ("codecommit:GetBlob", "codecommit:GetBranch", "codecommit:GetCommit", "codecommit:GetDifferences")
"""What is asked of a CodeCommit repository."""

EXECUTION = "#{codepipeline.PipelineExecutionId}"


class GitRepositories(Construct):
    """Rules, rights and pipelines of all repositories."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        receive_request: Function,
        failed: sqs.Queue,
        archives: s3.IBucket | None,
        key: kms.IKey,
    ) -> None:
        """``failed`` takes what could not be delivered; ``archives`` is there where a connection is."""
        super().__init__(scope, id)
        self._names = Names(settings)
        self._target = target(receive_request, failed, Duration.hours(24))
        of_codecommit = [one for one in settings.installation.repositories if one.provider == "codecommit"]
        for repository in of_codecommit:
            self._watch(repository)
        if of_codecommit:
            receive_request.may(READS, [self._arn("codecommit", one.name) for one in of_codecommit])
        connected = [one for one in settings.installation.repositories if one.provider == "connection"]
        if connected and archives is not None:
            self._receive(connected, archives, receive_request)
            for repository in connected:
                self._pipeline(repository, archives, key)

    def _watch(self, repository: Repository) -> None:
        events.Rule(
            self,
            f"Pushed-{repository.name}",
            description=f"A commit was pushed to {repository.branch} of the CodeCommit repository {repository.name}",
            event_pattern=pushed(repository, self._arn("codecommit", repository.name)),
            targets=[self._target],
        )

    def _receive(self, connected: Sequence[Repository], archives: s3.IBucket, receive_request: Function) -> None:
        events.Rule(
            self,
            "Delivered",
            description="A pipeline has delivered the archive of a commit",
            event_pattern=delivered(archives.bucket_name),
            targets=[self._target],
        )
        events.Rule(
            self,
            "NotDelivered",
            description="A pipeline could not fetch or deliver a commit",
            event_pattern=not_delivered([pipeline_name(one.name) for one in connected]),
            targets=[self._target],
        )
        receive_request.may(["s3:GetObject", "s3:GetObjectVersion"], [archives.arn_for_objects(f"{ARCHIVES}*")])
        receive_request.may(["s3:ListBucket"], [archives.bucket_arn])
        receive_request.may(
            ["codepipeline:ListActionExecutions"],
            [self._arn("codepipeline", pipeline_name(one.name)) for one in connected],
        )

    def _pipeline(self, repository: Repository, archives: s3.IBucket, key: kms.IKey) -> None:
        name = pipeline_name(repository.name)
        role = self._role(repository, name, archives, key)
        pipeline = codepipeline.CfnPipeline(
            self,
            f"Source-{repository.name}",
            name=name,
            role_arn=role.role_arn,
            pipeline_type="V2",
            # An execution that waits while another delivers gives way to the next, which has its commit as well.
            execution_mode="SUPERSEDED",
            restart_execution_on_update=False,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
                type="S3",
                location=archives.bucket_name,
                encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(id=key.key_arn, type="KMS"),
            ),
            stages=[_stage("Source", _source(repository)), _stage("Deliver", _deliver(repository, archives, key))],
            triggers=[_trigger(repository)],
        )
        # The policy is a resource of its own, and the first execution starts when the pipeline is made.
        pipeline.node.add_dependency(role)

    def _role(self, repository: Repository, name: str, archives: s3.IBucket, key: kms.IKey) -> iam.Role:
        role = iam.Role(
            self,
            f"Role-{repository.name}",
            role_name=name,
            path=PATH,
            description=f"Fetches commits of {repository.repository} and delivers them",
            assumed_by=iam.ServicePrincipal(
                "codepipeline.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self._names.account}}
            ),
        )
        service = repository.connection_arn.split(":")[2]
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"{service}:UseConnection"],
                resources=[repository.connection_arn],
                # The provider's calls of one request name the repository, or nothing.
                conditions={"ForAllValues:StringEquals": {f"{service}:FullRepositoryId": repository.repository}},
            )
        )
        for actions, resources in (
            (
                ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"],
                [archives.bucket_arn],
            ),
            (
                # CodePipeline cuts a pipeline's name to make the folder of its artifacts.
                ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                [archives.arn_for_objects(f"{PIPELINE_PREFIX}*")],
            ),
            (["s3:PutObject"], [archives.arn_for_objects(archive_key(repository.name, "*"))]),
            (
                [
                    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"),
                    *("kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
                ],
                [key.key_arn],
            ),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        return role

    def _arn(self, service: str, name: str) -> str:
        names = self._names
        return f"arn:{names.partition}:{service}:{names.region}:{names.account}:{name}"


def pushed(repository: Repository, arn: str) -> events.EventPattern:
    """A new commit on the repository's branch."""
    return events.EventPattern(
        source=[CODECOMMIT_SOURCE],
        detail_type=[REPOSITORY_STATE_CHANGE],
        resources=[arn],
        detail={
            "event": list(PUSHES),
            "referenceType": [BRANCH],
            "referenceName": [repository.branch],
        },
    )


def delivered(bucket: str) -> events.EventPattern:
    """An archive, not an artifact of a pipeline on its way."""
    return events.EventPattern(
        source=[S3_SOURCE],
        detail_type=[S3_OBJECT_CREATED],
        detail={"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": ARCHIVES}]}},
    )


def not_delivered(pipelines: list[str]) -> events.EventPattern:
    """An execution of one of the pipelines has failed."""
    return events.EventPattern(
        source=[CODEPIPELINE_SOURCE],
        detail_type=[EXECUTION_STATE_CHANGE],
        detail={"pipeline": pipelines, "state": ["FAILED"]},
    )


def _stage(name: str, action: Any) -> Any:
    return codepipeline.CfnPipeline.StageDeclarationProperty(name=name, actions=[action])


def _action(name: str, category: str, provider: str, configuration: dict[str, str], **more: Any) -> Any:
    kind = codepipeline.CfnPipeline.ActionTypeIdProperty(category=category, owner="AWS", provider=provider, version="1")
    return codepipeline.CfnPipeline.ActionDeclarationProperty(
        name=name, action_type_id=kind, configuration=configuration, **more
    )


def _source(repository: Repository) -> Any:
    """The commit as a zip, without Git's history."""
    configuration = {
        "ConnectionArn": repository.connection_arn,
        "FullRepositoryId": repository.repository,
        "BranchName": repository.branch,
        "OutputArtifactFormat": "CODE_ZIP",
        # The trigger starts executions; with both, each push would start two.
        "DetectChanges": "false",
    }
    output = codepipeline.CfnPipeline.OutputArtifactProperty(name="SourceArtifact")
    return _action(
        SOURCE_ACTION,
        "Source",
        "CodeStarSourceConnection",
        configuration,
        namespace="SourceVariables",
        output_artifacts=[output],
    )


def _deliver(repository: Repository, archives: s3.IBucket, key: kms.IKey) -> Any:
    """The zip as it is, as one object."""
    configuration = {
        "BucketName": archives.bucket_name,
        "Extract": "false",
        "ObjectKey": archive_key(repository.name, EXECUTION),
        "KMSEncryptionKeyARN": key.key_arn,
    }
    given = codepipeline.CfnPipeline.InputArtifactProperty(name="SourceArtifact")
    return _action("Deliver", "Deploy", "S3", configuration, input_artifacts=[given])


def _trigger(repository: Repository) -> Any:
    """A push to the branch that touches a configuration."""
    push = codepipeline.CfnPipeline.GitPushFilterProperty(
        branches=codepipeline.CfnPipeline.GitBranchFilterCriteriaProperty(includes=[repository.branch]),
        file_paths=codepipeline.CfnPipeline.GitFilePathFilterCriteriaProperty(
            includes=[CONFIGURATION_NAME, f"**/{CONFIGURATION_NAME}"]
        ),
    )
    return codepipeline.CfnPipeline.PipelineTriggerDeclarationProperty(
        provider_type="CodeStarSourceConnection",
        git_configuration=codepipeline.CfnPipeline.GitConfigurationProperty(
            source_action_name=SOURCE_ACTION, push=[push]
        ),
    )
