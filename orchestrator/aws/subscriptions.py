"""Who is subscribed to the installation's SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated
from orchestrator.core.examination.ports import Subscription

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

PENDING = "PendingConfirmation"
"""What SNS says in the place of the ARN of a subscription that nobody has confirmed."""


class TopicSubscriptions:
    """See ``examination.ports.Subscriptions``."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def all(self) -> tuple[Subscription, ...]:
        """Everybody; those who have unsubscribed ("Deleted") are not among them."""
        with translated("sns"):
            pages = self._client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic_arn)
            found = [one for page in pages for one in page["Subscriptions"]]
        return tuple(
            Subscription(one["Protocol"], one["Endpoint"], one["SubscriptionArn"].startswith("arn:"))
            for one in found
            if one["SubscriptionArn"].startswith("arn:") or one["SubscriptionArn"] == PENDING
        )
