"""IAM narrows rights on a table to some partitions of it, as the audit ledger's rows are kept."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import HUB, make_role, statement, trust, unique

pytestmark = pytest.mark.cloud

OWN = {"dynamodb:LeadingKeys": ["LEDGER#*"]}
EVERY = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]
WRITES = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]


@pytest.fixture(scope="module")
def table(cloud: EmbeddedCloud) -> str:
    name = unique("ledger")
    cloud.client("dynamodb", HUB).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def member(cloud: EmbeddedCloud, *statements: dict[str, Any]) -> Any:
    """A client of DynamoDB with these rights."""
    role = make_role(cloud, HUB, trust({"AWS": f"arn:aws:iam::{HUB}:root"}), *statements)
    return cloud.client_as("dynamodb", role, HUB)


def row(partition: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": unique("row")}}


def put(client: Any, table: str, *partitions: str) -> None:
    """One call with a row of each partition."""
    if len(partitions) == 1:
        client.put_item(TableName=table, Item=row(partitions[0]))
    else:
        client.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": row(one)}} for one in partitions]
        )


def refused(call: Any, *given: Any, **named: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(*given, **named)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_what_is_denied_on_some_partitions_is_allowed_on_the_others(cloud: EmbeddedCloud, table: str) -> None:
    arn = f"arn:aws:dynamodb:us-east-1:{HUB}:table/{table}"
    denied = {"Effect": "Deny", "Action": WRITES, "Resource": arn, "Condition": {"ForAnyValue:StringLike": OWN}}
    client = member(cloud, statement([*EVERY, "dynamodb:BatchWriteItem"], arn), denied)
    put(client, table, "RELEASE#1")
    put(client, table, "RELEASE#1", "APPROVAL#1")
    refused(put, client, table, "LEDGER#fraud")
    refused(put, client, table, "RELEASE#1", "LEDGER#fraud")
    key = row("LEDGER#fraud")
    refused(client.delete_item, TableName=table, Key=key)
    refused(client.update_item, TableName=table, Key=key, UpdateExpression="REMOVE body")
    refused(client.batch_write_item, RequestItems={table: [{"PutRequest": {"Item": key}}]})
    assert "Item" not in client.get_item(TableName=table, Key=key)


def test_what_is_allowed_on_some_partitions_is_not_on_the_others(cloud: EmbeddedCloud, table: str) -> None:
    arn = f"arn:aws:dynamodb:us-east-1:{HUB}:table/{table}"
    condition = {"ForAllValues:StringLike": OWN, "Null": {"dynamodb:LeadingKeys": "false"}}
    client = member(cloud, statement(["dynamodb:PutItem", "dynamodb:Query"], arn, Condition=condition))
    put(client, table, "LEDGER#fraud")
    put(client, table, "LEDGER#fraud", "LEDGER#churn")
    refused(put, client, table, "RELEASE#1")
    refused(put, client, table, "LEDGER#fraud", "RELEASE#1")
    query = {"TableName": table, "KeyConditionExpression": "#pk = :pk", "ExpressionAttributeNames": {"#pk": "pk"}}
    found = client.query(**query, ExpressionAttributeValues={":pk": {"S": "LEDGER#fraud"}})
    assert found["Count"] == 2
    refused(client.query, **query, ExpressionAttributeValues={":pk": {"S": "RELEASE#1"}})
