"""Lambda reads a DynamoDB stream and a FIFO queue under its role's permissions, with partial failures."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    HUB,
    eventually,
    failed_events,
    make_bucket,
    make_function,
    make_queue,
    receive,
    settled,
    statement,
    unique,
)

pytestmark = pytest.mark.cloud

RECORDER = """
import boto3, json, time
s3 = boto3.client("s3")
seen = []

def name_of(record):
    if "dynamodb" in record:
        return record["dynamodb"]["NewImage"]["pk"]["S"]
    return record["body"]

def identity(record):
    return record["dynamodb"]["SequenceNumber"] if "dynamodb" in record else record["messageId"]

def handler(event, context):
    names = [name_of(record) for record in event["Records"]]
    seen.append(names)
    s3.put_object(Bucket="{bucket}", Key=f"{{len(seen):04}}", Body=json.dumps(names))
    if "raise" in names:
        raise ValueError("this batch cannot be read")
    for place, record in enumerate(event["Records"]):
        name = name_of(record)
        first_time = sum(names.count(name) for names in seen) == 1
        if name == "poison" or (name.startswith("later") and first_time):
            return {{"batchItemFailures": [{{"itemIdentifier": identity(r)}} for r in event["Records"][place:]]}}
    return {{"batchItemFailures": []}}
"""

READ_STREAM = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"]
READ_QUEUE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def make_recorder(cloud: EmbeddedCloud, *statements: dict[str, Any]) -> tuple[str, str]:
    """A function that writes what it is given into a bucket; its ARN and the bucket."""
    bucket = make_bucket(cloud, HUB, versioned=False)
    writing = statement("s3:PutObject", f"arn:aws:s3:::{bucket}/*")
    return make_function(cloud, HUB, RECORDER.format(bucket=bucket), writing, *statements), bucket


def make_table(cloud: EmbeddedCloud) -> tuple[str, str]:
    """A table with a stream; its name and the stream's ARN."""
    client, name = cloud.client("dynamodb", HUB), unique("table")
    made = client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return name, made["TableDescription"]["LatestStreamArn"]


def put(cloud: EmbeddedCloud, table: str, *names: str) -> None:
    for name in names:
        cloud.client("dynamodb", HUB).put_item(TableName=table, Item={"pk": {"S": name}})


def given(cloud: EmbeddedCloud, bucket: str) -> list[list[str]]:
    """What the function was given, in order."""
    s3 = cloud.client("s3", HUB)
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in sorted(keys)]


def map_source(cloud: EmbeddedCloud, function: str, source: str, **more: Any) -> str:
    found: str = cloud.client("lambda", HUB).create_event_source_mapping(
        FunctionName=function,
        EventSourceArn=source,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        **more,
    )["UUID"]
    return found


def test_a_record_of_a_stream_that_failed_is_given_again_and_those_before_it_are_not(cloud: EmbeddedCloud) -> None:
    table, stream = make_table(cloud)
    function, bucket = make_recorder(cloud, statement(READ_STREAM, stream))
    put(cloud, table, "one", "later", "two")
    map_source(cloud, function, stream, StartingPosition="TRIM_HORIZON", BatchSize=10)
    eventually(lambda: len(given(cloud, bucket)) == 2)
    assert given(cloud, bucket) == [["one", "later", "two"], ["later", "two"]]


@pytest.mark.parametrize("poison", ["poison", "raise"], ids=["reported by the function", "the function fails"])
def test_a_poisoned_record_is_given_up_after_its_retries_and_the_stream_goes_on(
    cloud: EmbeddedCloud, poison: str
) -> None:
    table, stream = make_table(cloud)
    url, queue = make_queue(cloud, HUB)
    function, bucket = make_recorder(cloud, statement(READ_STREAM, stream), statement("sqs:SendMessage", queue))
    put(cloud, table, "good", poison, "next")
    map_source(
        cloud,
        function,
        stream,
        StartingPosition="TRIM_HORIZON",
        BatchSize=10,
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    letter = json.loads(receive(cloud, HUB, url)["Body"])
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter["DDBStreamBatchInfo"]["batchSize"] == 1
    put(cloud, table, "after")
    eventually(lambda: ["after"] in given(cloud, bucket))
    assert ["next"] in given(cloud, bucket), "what came after the poisoned record is read"


def test_a_message_of_a_fifo_queue_that_failed_comes_again(cloud: EmbeddedCloud) -> None:
    url, arn = make_queue(cloud, HUB, FifoQueue="true", VisibilityTimeout="1", ContentBasedDeduplication="true")
    function, bucket = make_recorder(cloud, statement(READ_QUEUE, arn))
    sqs = cloud.client("sqs", HUB)
    for name, group in (("one", "a"), ("later", "b"), ("two", "c")):
        sqs.send_message(QueueUrl=url, MessageBody=name, MessageGroupId=group)
    map_source(cloud, function, arn)
    eventually(lambda: sum(names.count("later") for names in given(cloud, bucket)) == 2)
    seen = [name for names in given(cloud, bucket) for name in names]
    assert seen.count("one") == 1


def test_a_duplicate_of_a_fifo_message_is_not_given_twice(cloud: EmbeddedCloud) -> None:
    url, arn = make_queue(cloud, HUB, FifoQueue="true")
    function, bucket = make_recorder(cloud, statement(READ_QUEUE, arn))
    sqs = cloud.client("sqs", HUB)
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="click", MessageGroupId="a", MessageDeduplicationId="click-1")
    sqs.send_message(QueueUrl=url, MessageBody="last", MessageGroupId="a", MessageDeduplicationId="click-2")
    map_source(cloud, function, arn)
    eventually(lambda: "last" in [name for names in given(cloud, bucket) for name in names])
    assert [name for names in given(cloud, bucket) for name in names] == ["click", "last"]


def test_a_role_that_may_not_read_the_source_is_refused_by_the_api_and_by_a_stack(cloud: EmbeddedCloud) -> None:
    _, stream = make_table(cloud)
    function, _ = make_recorder(cloud)
    with pytest.raises(ClientError, match="does not have permissions to call GetRecords on DYNAMODB"):
        map_source(cloud, function, stream, StartingPosition="LATEST")
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"FunctionName": function, "EventSourceArn": stream, "StartingPosition": "LATEST"},
    }
    stack = unique("mapping")
    cloud.client("cloudformation", HUB).create_stack(
        StackName=stack, TemplateBody=json.dumps({"Resources": {"Mapping": mapping}})
    )
    assert settled(cloud, HUB, stack)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "GetRecords" in failed_events(cloud, HUB, stack)[-1]["ResourceStatusReason"]
