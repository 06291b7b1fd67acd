"""The one table of releases, approvals, decisions, waits, ledgers; ``orchestrator/aws/table.py`` describes its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.functions import Function

INDEX = "listing"


class Records(Construct):
    """The table with its one index."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        text = dynamodb.AttributeType.STRING
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # The ledger tells what a change has changed. Two functions read the stream, and no shard takes a third.
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="expires_at",
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.table.add_global_secondary_index(
            index_name=INDEX,
            partition_key=dynamodb.Attribute(name="listing_pk", type=text),
            sort_key=dynamodb.Attribute(name="listing_sk", type=text),
        )

    def wake(
        self,
        function: Function,
        *,
        failed: sqs.IQueue,
        filters: Sequence[Mapping[str, Any]],
        max_record_age: Duration,
        retry_attempts: int | None = None,
    ) -> None:
        """Call a function for the changes that one of the filters lets through; what it cannot do goes to ``failed``.

        A second gathers the changes of one release, which come in bursts, into one call.
        """
        function.function.add_event_source(
            sources.DynamoEventSource(
                self.table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                max_batching_window=Duration.seconds(1),
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                retry_attempts=retry_attempts,
                max_record_age=max_record_age,
                on_failure=sources.SqsDlq(failed),
                filters=[lambda_.FilterCriteria.filter(dict(one)) for one in filters],
            )
        )

    @property
    def index_arn(self) -> str:
        """The index of lists."""
        return f"{self.table.table_arn}/index/{INDEX}"
