"""A FIFO queue of SQS, to send to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.translated import translated

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient


class FifoQueue:
    """See the module."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, body: str, group: str, deduplication: str) -> None:
        """Put a message at the end of its group; one of the same ``deduplication`` of the last five minutes stays the
        only one."""
        with translated("sqs"):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication
            )
