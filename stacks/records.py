"""The one table of releases, approvals, decisions, waits, ledgers; ``orchestrator/aws/table.py`` describes its rows."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

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

    @property
    def index_arn(self) -> str:
        """The index of lists."""
        return f"{self.table.table_arn}/index/{INDEX}"
