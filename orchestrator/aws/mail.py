"""The SNS topic as ``ports.Mail``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated

if TYPE_CHECKING:
    from types_boto3_sns.client import SNSClient

MAX_SUBJECT = 100
"""ASCII characters of an SNS subject, no line breaks (Publish)."""

MAX_MESSAGE = 262_144
"""Bytes of an SNS message."""


class SnsMail:
    """See the module."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, subject: str, text: str) -> None:
        """See ``ports.Mail``."""
        plain = " ".join(subject.encode("ascii", "replace").decode().split())[:MAX_SUBJECT]
        body = text.encode()[: MAX_MESSAGE - 1024].decode("utf-8", "ignore")
        with translated("sns"):
            self._client.publish(TopicArn=self._topic_arn, Subject=plain or "MLOps Orchestrator", Message=body)
