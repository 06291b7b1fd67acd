"""The audit ledger: what feeds the function that appends to it, and who is held off its rows.

Ledgers stand in the table, in partitions of their own. IAM's condition ``dynamodb:LeadingKeys`` compares the partition
keys that a call names: one function may put such rows, and no others; it is denied all that updates or deletes them,
and every other function all that writes them. What IAM cannot tell apart, a new row and one that is put over another,
the function's conditional writes do, and ``mlops audit --verify`` shows.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from orchestrator.core.ledger.changes import TOLD
from orchestrator.core.ledger.rows import PARTITION
from stacks.fleet import Fleet
from stacks.functions import Function
from stacks.grants import TABLE_ACTIONS
from stacks.queues import failures
from stacks.records import Records

TOLD_KINDS = sorted(told.KIND for told in TOLD)
"""What the function is woken for."""

CHANGES = ("UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")
"""Actions that write rows without the conditions of the product's own writes."""

WRITES = ("PutItem", *CHANGES)

OWN_ROWS = f"{PARTITION}*"


class Ledger(Construct):
    """The stream's mapping onto ``AppendLedger``, and the rights on the ledger's rows."""

    def __init__(self, scope: Construct, id: str, *, append_ledger: Function, fleet: Fleet, records: Records) -> None:
        super().__init__(scope, id)
        self.failed = failures(self, "AppendLedgerFailed")
        records.wake(
            append_ledger,
            failed=self.failed,
            # By the row before too: one that was deleted, or made into something else, has none after.
            filters=[{"dynamodb": {image: _of_told_kinds()}} for image in ("NewImage", "OldImage")],
            # A change is delivered until it is told. DynamoDB remembers it for 24 hours: an hour before the end
            # Lambda gives it up, and says in the queue where in the stream it stands.
            max_record_age=Duration.hours(23),
        )
        table = [records.table.table_arn]
        named: dict[str, dict[str, object]] = {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": [OWN_ROWS]}}
        for function in fleet.only(sorted(TABLE_ACTIONS)):
            denied = CHANGES if function is append_ledger else WRITES
            function.may_not([f"dynamodb:{action}" for action in denied], table, named)
        append_ledger.may(
            ["dynamodb:PutItem"],
            table,
            {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [OWN_ROWS]},
                # Without any key, the condition above would hold of all none of them.
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )


def _of_told_kinds() -> dict[str, object]:
    return {"kind": {"S": lambda_.FilterRule.or_(*TOLD_KINDS)}}
