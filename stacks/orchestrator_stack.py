"""The orchestrator's account: everything but the workloads themselves."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks import cautions, grants
from stacks.alarms import Alarms
from stacks.assets_bucket_check import AssetsBucketCheck
from stacks.buckets import Buckets
from stacks.commit_archives import CommitArchives
from stacks.deploy_pipelines import DeployPipelines, PipelineArtifacts
from stacks.event_bus import EventBus
from stacks.fleet import Fleet
from stacks.git_repositories import GitRepositories
from stacks.image_repository import ImageRepository
from stacks.ledger import Ledger
from stacks.machines import StateMachine, machines_of
from stacks.model_registry import ModelRegistry
from stacks.names import SETTINGS_PARAMETER, Machine
from stacks.notifications import Notifications
from stacks.records import Records
from stacks.rest_api import RestApi
from stacks.settings import Settings
from stacks.slack_ingress import SlackIngress, SlackQueue, SlackSecret
from stacks.telling import Telling

WATCHED = (
    *("receive_request", "resume_deployment", "sweep_waits", "notify", "append_ledger"),
    *("slack_front", "slack_worker", "api"),
)
"""Functions that no state machine watches."""


class OrchestratorStack(Stack):
    """See the module."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            id,
            description="MLOps Orchestrator: releases machine-learning workloads through their stages",
            env=Environment(account=settings.account, region=settings.installation.region),
            termination_protection=True,
        )
        cautions.tell(self, settings)
        buckets = Buckets(self, "Buckets", settings=settings)
        records = Records(self, "Records")
        if settings.options.ecr_repository is not None:
            ImageRepository(
                self, "Images", settings=settings, repository=settings.options.ecr_repository, key=buckets.key
            )
        connected = any(one.provider == "connection" for one in settings.installation.repositories)
        archives = (
            CommitArchives(self, "CommitArchives", key=buckets.key, access_logs=buckets.access_logs).bucket
            if connected
            else None
        )
        notifications = Notifications(self, "Notifications", settings=settings, key=buckets.key)
        secret = SlackSecret(self, "SlackSecret")
        slack = SlackIngress(self, "Slack", settings=settings)
        queue = SlackQueue(self, "SlackQueue")
        parameter = ssm.StringParameter(
            self,
            "Settings",
            parameter_name=SETTINGS_PARAMETER,
            description="The installation's settings, as functions read them",
            string_value=settings.installation.to_json(),
            # The standard tier holds 4,096 characters, which is some thirty people.
            tier=ssm.ParameterTier.INTELLIGENT_TIERING,
        )
        artifacts = (
            PipelineArtifacts(self, "Artifacts", settings=settings, access_logs=buckets.access_logs)
            if settings.installation.deploys_by_pipelines
            else None
        )
        fleet = Fleet(
            self,
            "Functions",
            settings=settings,
            table_name=records.table.table_name,
            settings_parameter=SETTINGS_PARAMETER,
            assets_bucket=buckets.assets.bucket_name,
            packages_bucket=buckets.packages.bucket_name,
            commits_bucket=archives.bucket_name if archives else "",
            packages_key_arn=buckets.key.key_arn,
            artifacts_bucket=artifacts.bucket.bucket_name if artifacts else "",
            artifacts_key_arn=artifacts.key.key_arn if artifacts else "",
            topic_arn=notifications.topic.topic_arn,
            slack_secret_arn=secret.secret.secret_arn,
            slack_queue_url=queue.queue.queue_url,
            slack_request_url=slack.url,
        )
        grants.grant_table(records, fleet)
        grants.grant_settings(parameter, fleet)
        grants.grant_buckets(buckets, fleet)
        grants.grant_examination(parameter, secret.secret, notifications.topic, fleet)
        grants.grant_user_groups(settings, secret.secret, fleet)
        grants.grant_assets_key(settings, fleet)
        grants.grant_machines(settings, fleet)
        grants.grant_stage_roles(settings, fleet)
        if settings.installation.model_registry:
            ModelRegistry(self, "ModelRegistry", settings=settings)
            grants.grant_model_packages(settings, fleet)
            grants.grant_evaluations(settings, fleet)
        grants.grant_model_cards(settings, buckets, fleet)
        machines = {
            name: StateMachine(self, _MACHINE_IDS[name], name=name, functions=fleet.by_id, settings=settings)
            for name in machines_of(settings)
        }
        bus = EventBus(
            self,
            "Events",
            settings=settings,
            assets=buckets.assets,
            receive_request=fleet["receive_request"],
            resume_deployment=fleet["resume_deployment"],
            sweep_waits=fleet["sweep_waits"],
            record_outcome=fleet["record_outcome"],
        )
        pipelines = (
            DeployPipelines(
                self, "Pipelines", settings=settings, buckets=buckets, artifacts=artifacts, fleet=fleet, bus=bus
            )
            if artifacts
            else None
        )
        if settings.installation.repositories:
            GitRepositories(
                self,
                "GitRepositories",
                settings=settings,
                receive_request=fleet["receive_request"],
                failed=bus.requests_failed,
                archives=archives,
                key=buckets.key,
            )
        logs.MetricFilter(
            self,
            "DuplicateDeliveries",
            log_group=fleet["receive_request"].log_group,
            filter_pattern=logs.FilterPattern.string_value("$.outcome", "=", "duplicate"),
            metric_namespace="MlopsOrchestrator",
            metric_name="DuplicateDeliveries",
            metric_value="1",
        )
        telling = Telling(
            self,
            "Telling",
            notify=fleet["notify"],
            records=records,
            topic=notifications.topic,
            key=buckets.key,
            secret=secret,
            queue=queue,
        )
        ledger = Ledger(self, "Ledger", append_ledger=fleet["append_ledger"], fleet=fleet, records=records)
        slack.connect(front=fleet["slack_front"], worker=fleet["slack_worker"], secret=secret, queue=queue)
        rest = RestApi(self, "Rest", settings=settings, api=fleet["api"])
        Alarms(
            self,
            "Alarms",
            topic=notifications.topic,
            queues={
                "RequestsNotReceived": bus.requests_failed,
                "DeploymentsNotResumed": bus.events_failed,
                "NotificationsNotSent": telling.failed,
                "LedgerIncomplete": ledger.failed,
                "SlackActionsNotDone": queue.failed,
            },
            functions=fleet.only(WATCHED),
            late={"LedgerLate": fleet["append_ledger"]},
            oldest_unsaid=telling.oldest,
            refused=telling.refused,
            outside=pipelines.outside if pipelines else None,
        )
        self._output("AssetsBucketName", buckets.assets.bucket_name, "Upload models, data and mlops-config.json here")
        self._output("PackagesBucketName", buckets.packages.bucket_name, "Immutable packages and pinned assets")
        self._output("TableName", records.table.table_name, "Releases, approvals, decisions")
        self._output("TopicArn", notifications.topic.topic_arn, "Outcomes of releases, and alarms")
        self._output("SlackSecretArn", secret.secret.secret_arn, "Put bot_token and signing_secret here")
        self._output("SlackRequestUrl", slack.url, "The Slack app's request URL for events, clicks and commands")
        self._output("SlackAppLink", slack.app_link, "Open it to create the Slack app, with the request URL filled in")
        self._output("ApiUrl", rest.api.url, "REST API; callers sign with IAM credentials")
        for name, machine in machines.items():
            self._output(f"{_MACHINE_IDS[name]}Arn", machine.machine.state_machine_arn, "State machine of releases")
        if settings.options.existing_assets_bucket:
            AssetsBucketCheck(self, "AssetsBucketCheck", settings=settings).goes_first()

    def _output(self, name: str, value: str, description: str) -> None:
        CfnOutput(self, name, value=value, description=description)


_MACHINE_IDS = {Machine.MULTI: "MultiMachine", Machine.SINGLE: "SingleMachine"}
