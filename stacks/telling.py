"""What the table's stream feeds: Slack's message of each release, and the e-mail of its end; a schedule comes after."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from orchestrator.core.notices import SHOWN
from stacks.alarms import PERIOD
from stacks.functions import Function
from stacks.queues import failures
from stacks.records import Records
from stacks.slack_ingress import SlackQueue, SlackSecret

SHOWN_KINDS = sorted(shown.KIND for shown in SHOWN)
"""What the function is woken for."""


NAMESPACE = "MlopsOrchestrator"


class Telling(Construct):
    """The stream's mapping onto ``Notify``, and the schedule that empties the outbox once Slack can be reached."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        notify: Function,
        records: Records,
        topic: sns.Topic,
        key: kms.Key,
        secret: SlackSecret,
        queue: SlackQueue,
    ) -> None:
        super().__init__(scope, id)
        self.failed = failures(self, "NotifyFailed")
        records.wake(
            notify,
            failed=self.failed,
            filters=[
                {
                    "eventName": lambda_.FilterRule.or_("INSERT", "MODIFY"),
                    "dynamodb": {"NewImage": {"kind": {"S": lambda_.FilterRule.or_(*SHOWN_KINDS)}}},
                }
            ],
            max_record_age=Duration.hours(6),
            retry_attempts=10,
        )
        events.Rule(
            self,
            "EveryMinute",
            description="Tells Slack what it had no time for",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(notify.function, retry_attempts=0)],
        )
        self.oldest = self._metric("OldestUnsaidSeconds", "$.oldest_unsaid_seconds", notify)
        self.refused = self._metric("RefusedReleases", "$.refused", notify)
        notify.may(["secretsmanager:GetSecretValue"], [secret.secret.secret_arn])
        notify.may(["sns:Publish"], [topic.topic_arn])
        # The worker draws Homes when what they show has changed.
        notify.may(["sqs:SendMessage"], [queue.queue.queue_arn])
        notify.may(["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])

    def _metric(self, name: str, field: str, notify: Function) -> cloudwatch.Metric:
        """A number that the function logs of the outbox whenever it has looked at it."""
        logs.MetricFilter(
            self,
            name,
            log_group=notify.log_group,
            filter_pattern=logs.FilterPattern.number_value(field, ">=", 0),
            metric_namespace=NAMESPACE,
            metric_name=name,
            metric_value=field,
        )
        return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, statistic="Maximum", period=PERIOD)
