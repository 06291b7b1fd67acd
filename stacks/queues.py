"""Queues for what could not be handled: kept for two weeks, looked at by an operator, raised by an alarm."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledgements import acknowledge

KEPT = Duration.days(14)


def failures(scope: Construct, id: str, *, fifo: bool = False) -> sqs.Queue:
    """A dead-letter queue."""
    queue = sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=KEPT,
        fifo=fifo or None,
    )
    if not fifo:
        acknowledge(
            queue, "AwsSolutions-SQS3", "It is the dead-letter queue of a rule, a function or a stream, not of a queue"
        )
    return queue
