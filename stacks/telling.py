"""What the table's stream feeds: Slack's message of each release, and the e-mail of its end."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from orchestrator.core.notices import SHOWN
from stacks.functions import Function
from stacks.queues import failures
from stacks.records import Records
from stacks.slack_ingress import SlackQueue, SlackSecret

SHOWN_KINDS = sorted(shown.KIND for shown in SHOWN)
"""What the function is woken for."""


class Telling(Construct):
    """The stream's mapping onto ``Notify``."""

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
        notify.may(["secretsmanager:GetSecretValue"], [secret.secret.secret_arn])
        notify.may(["sns:Publish"], [topic.topic_arn])
        # The worker draws Homes when what they show has changed.
        notify.may(["sqs:SendMessage"], [queue.queue.queue_arn])
        notify.may(["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])
