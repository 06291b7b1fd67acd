"""The audit ledger in the template: what feeds it, who may write it, and who is told when it is not written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.core.ledger.changes import TOLD
from orchestrator.core.ledger.rows import PARTITION, EntryRow, HeadRow, MarkRow, partition
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.records import Record, Wait, Workload
from stacks.grants import TABLE_ACTIONS
from stacks.names import construct_id
from tests.stacks.event_matching import matches
from tests.stacks.templates import Statement, Synthesised, of_type, short, statements

TABLE = "<RecordsTable.Arn>"
WRITES = {
    f"dynamodb:{action}"
    for action in (
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
        *("PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
    )
}
KEY = "dynamodb:LeadingKeys"


def on_the_table(synthesised: Synthesised, function: str) -> list[Statement]:
    """The statements of a function's role about the table's rows."""
    return [
        statement
        for statement in statements("MlopsOrchestrator", synthesised.orchestrator)
        if statement.kind == "identity"
        and statement.resource.startswith(f"Functions{construct_id(function)}Role")
        and TABLE in map(short, statement.resources)
    ]


def denied(synthesised: Synthesised, function: str) -> Statement:
    (found,) = [statement for statement in on_the_table(synthesised, function) if not statement.allows]
    return found


def test_every_function_that_works_with_the_table_is_among_those_held_off(synthesised: Synthesised) -> None:
    allowed = {
        statement.resource.split("Role")[0].removeprefix("Functions")
        for statement in statements("MlopsOrchestrator", synthesised.orchestrator)
        if statement.kind == "identity" and statement.allows and TABLE in map(short, statement.resources)
    }
    assert allowed == {construct_id(name) for name in TABLE_ACTIONS}


@pytest.mark.parametrize("function", sorted(set(TABLE_ACTIONS) - {"append_ledger"}))
def test_no_other_function_may_write_a_row_of_a_ledger(synthesised: Synthesised, function: str) -> None:
    statement = denied(synthesised, function)
    assert set(statement.actions) == WRITES
    assert statement.raw["Condition"] == {"ForAnyValue:StringLike": {KEY: [f"{PARTITION}*"]}}
    granted = {action for one in on_the_table(synthesised, function) if one.allows for action in one.actions}
    assert {action for action in granted if action not in {"dynamodb:GetItem", "dynamodb:Query"}} <= WRITES


def test_the_appending_function_may_put_rows_of_ledgers_and_nothing_else(synthesised: Synthesised) -> None:
    statement = denied(synthesised, "append_ledger")
    assert set(statement.actions) == WRITES - {"dynamodb:PutItem"}
    assert statement.raw["Condition"] == {"ForAnyValue:StringLike": {KEY: [f"{PARTITION}*"]}}
    allowed = {
        one.actions: one.raw.get("Condition") for one in on_the_table(synthesised, "append_ledger") if one.allows
    }
    assert allowed == {
        ("dynamodb:GetItem",): None,
        ("dynamodb:PutItem",): {
            "ForAllValues:StringLike": {KEY: [f"{PARTITION}*"]},
            "Null": {KEY: "false"},
        },
    }


def test_the_denied_partitions_are_those_of_the_ledgers_and_of_no_other_row() -> None:
    rows: tuple[Any, ...] = (EntryRow("f", 1, "", ""), MarkRow("f", "", 1), HeadRow("f", 1, ""))
    assert all(row.key()[0].startswith(PARTITION) for row in rows)
    assert partition("f").startswith(PARTITION)
    others = ("RELEASE#", "APPROVAL#", "WAIT#", "WORKLOAD#", "CLAIM#", "UPLOAD#", "TREE#", "MODEL#", "USE")
    assert not [other for other in others if other.startswith(PARTITION)]


def mapping(synthesised: Synthesised) -> Mapping[str, Any]:
    """What feeds the function."""
    (found,) = [
        one
        for one in of_type(synthesised.orchestrator, "AWS::Lambda::EventSourceMapping").values()
        if "AppendLedger" in json.dumps(one["FunctionName"])
    ]
    return found


def test_a_change_is_delivered_until_it_is_told_or_an_hour_before_the_stream_forgets_it(
    synthesised: Synthesised,
) -> None:
    found = mapping(synthesised)
    assert found["StartingPosition"] == "TRIM_HORIZON"
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["BisectBatchOnFunctionError"] is True
    assert found["MaximumRecordAgeInSeconds"] == 23 * 3600
    assert found.get("MaximumRetryAttempts", -1) == -1
    destination = json.dumps(found["DestinationConfig"]["OnFailure"])
    assert "LedgerAppendLedgerFailed" in destination


def test_the_stream_tells_rows_before_and_after(synthesised: Synthesised) -> None:
    (table,) = of_type(synthesised.orchestrator, "AWS::DynamoDB::Table").values()
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    readers = of_type(synthesised.orchestrator, "AWS::Lambda::EventSourceMapping").values()
    # DynamoDB Developer Guide, "DynamoDB Streams": no more than two processes should read a shard.
    assert sum("StreamArn" in json.dumps(one["EventSourceArn"]) for one in readers) == 2


def woken(synthesised: Synthesised, before: type[Record] | None, after: type[Record] | None) -> bool:
    """Whether the function is woken for a change of a row from one kind to another."""
    images = {"OldImage": before, "NewImage": after}
    told = {name: {"kind": {"S": kind.KIND}} for name, kind in images.items() if kind}
    patterns = [json.loads(one["Pattern"]) for one in mapping(synthesised)["FilterCriteria"]["Filters"]]
    return any(matches(pattern, {"eventName": "MODIFY", "dynamodb": told}) for pattern in patterns)


@pytest.mark.parametrize("kind", [*TOLD, Wait, Workload, ChatMessage, EntryRow, HeadRow, MarkRow])
def test_the_function_is_woken_for_what_it_tells_and_never_by_its_own_rows(
    synthesised: Synthesised, kind: type[Record]
) -> None:
    told = kind in TOLD
    assert [woken(synthesised, *rows) for rows in ((None, kind), (kind, kind), (kind, None))] == [told] * 3
    # Also for a row that somebody makes into one of another kind, or of what was another.
    assert woken(synthesised, kind, Workload) is woken(synthesised, Workload, kind) is told


def test_whoever_must_mend_it_is_told_by_alarm(synthesised: Synthesised) -> None:
    alarms = {one["AlarmName"]: one for one in of_type(synthesised.orchestrator, "AWS::CloudWatch::Alarm").values()}
    late = alarms["mlops-LedgerLate"]
    assert (late["MetricName"], late["Threshold"], late["Statistic"]) == ("IteratorAge", 600_000, "Maximum")
    assert "AppendLedger" in json.dumps(late["Dimensions"])
    assert "AppendLedgerFailed" in json.dumps(alarms["mlops-LedgerIncomplete"]["Dimensions"])
    assert "mlops-AppendLedgerFails" in alarms
    assert all(one["AlarmActions"] for one in alarms.values())
