"""The topic that mails the outcome of releases, and the alarms of the installation itself."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.settings import Settings


class Notifications(Construct):
    """The topic, encrypted, with its one subscription by e-mail."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, key: kms.Key) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Topic", display_name="MLOps Orchestrator", master_key=key, enforce_ssl=True)
        if settings.notification_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.notification_email))
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        own_account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=own_account,
            )
        )
        # An encrypted topic takes an alarm only where the alarm may use the topic's key.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsEncrypt",
                principals=[alarms],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=own_account,
            )
        )
