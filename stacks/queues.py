"""Queues for what could not be handled: kept for two weeks, looked at by an operator, raised by an alarm."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

KEPT = Duration.days(14)


def failures(scope: Construct, id: str, *, fifo: bool = False) -> sqs.Queue:
    """A dead-letter queue."""
    return sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=KEPT,
        fifo=fifo or None,
    )
