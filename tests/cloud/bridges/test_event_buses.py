"""EventBridge: events into another account, targets reached under permissions, dead letters, injected events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    eventually,
    make_bucket,
    make_function,
    make_queue,
    make_role,
    receive,
    service_trust,
    settled,
    statement,
    unique,
    watch_events,
)

pytestmark = pytest.mark.cloud


def put(cloud: EmbeddedCloud, account: str, source: str, detail: object, bus: str = "default") -> None:
    cloud.client("events", account).put_events(
        Entries=[{"Source": source, "DetailType": "A test", "Detail": json.dumps(detail), "EventBusName": bus}]
    )


def open_bus(cloud: EmbeddedCloud, account: str, *senders: str) -> str:
    """A bus whose policy lets accounts in, made by a stack with the policy as a resource of its own; its ARN."""
    bus, stack = unique("bus"), unique("bus-stack")
    resources: dict[str, Any] = {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}}}
    for sender in senders:
        resources[f"From{sender}"] = {
            "Type": "AWS::Events::EventBusPolicy",
            "DependsOn": "Bus",
            "Properties": {
                "EventBusName": bus,
                "StatementId": f"from-{sender}",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{sender}:root"},
                    "Action": "events:PutEvents",
                    "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
                },
            },
        }
    cloud.client("cloudformation", account).create_stack(
        StackName=stack, TemplateBody=json.dumps({"Resources": resources})
    )
    assert settled(cloud, account, stack)["StackStatus"] == "CREATE_COMPLETE"
    return f"arn:aws:events:{REGION}:{account}:event-bus/{bus}"


def forward(cloud: EmbeddedCloud, source: str, bus: str, *statements: dict[str, Any], **target: Any) -> None:
    """A rule in DEV that forwards events of a source to a bus."""
    role = make_role(cloud, DEV, service_trust("events"), *statements)
    events, rule = cloud.client("events", DEV), unique("forward")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "bus", "Arn": bus, "RoleArn": role, **target}])


def test_an_event_goes_to_another_accounts_bus_and_keeps_its_source_account(cloud: EmbeddedCloud) -> None:
    bus, source = open_bus(cloud, HUB, DEV), unique("product")
    forward(cloud, source, bus, statement("events:PutEvents", bus))
    url = watch_events(cloud, HUB, {"source": [source], "account": [DEV]}, bus.rpartition("/")[2])
    put(cloud, DEV, source, {"n": 1})
    event = json.loads(receive(cloud, HUB, url)["Body"])
    assert (event["account"], event["source"], event["detail"]) == (DEV, source, {"n": 1})


REFUSED = [
    pytest.param((), True, "NO_PERMISSIONS", id="the bus does not let the account in"),
    pytest.param((DEV,), False, "NO_PERMISSIONS", id="the rule's role may not put events there"),
]


@pytest.mark.parametrize(("senders", "may_put", "code"), REFUSED)
def test_an_event_that_may_not_be_forwarded_is_a_dead_letter(
    cloud: EmbeddedCloud, senders: tuple[str, ...], may_put: bool, code: str
) -> None:
    bus, source = open_bus(cloud, HUB, *senders), unique("product")
    url, arn = make_queue(cloud, DEV)
    allowed = [statement("events:PutEvents", bus)] if may_put else []
    forward(cloud, source, bus, *allowed, DeadLetterConfig={"Arn": arn})
    put(cloud, DEV, source, {"n": 2})
    letter = receive(cloud, DEV, url)
    assert json.loads(letter["Body"])["detail"] == {"n": 2}
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == code


def test_a_function_gets_events_only_when_its_policy_lets_eventbridge_in(cloud: EmbeddedCloud) -> None:
    bucket, source = make_bucket(cloud, HUB), unique("product")
    function = make_function(
        cloud,
        HUB,
        "import boto3\n"
        "def handler(event, context):\n"
        f"    boto3.client('s3').put_object(Bucket='{bucket}', Key=event['detail']['key'], Body=b'')\n",
        statement("s3:PutObject", f"arn:aws:s3:::{bucket}/*"),
    )
    events, rule = cloud.client("events", HUB), unique("to-function")
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    url, queue = make_queue(cloud, HUB)
    events.put_targets(Rule=rule, Targets=[{"Id": "f", "Arn": function, "DeadLetterConfig": {"Arn": queue}}])
    put(cloud, HUB, source, {"key": "refused"})
    assert json.loads(receive(cloud, HUB, url)["Body"])["detail"] == {"key": "refused"}
    cloud.client("lambda", HUB).add_permission(
        FunctionName=function,
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
    put(cloud, HUB, source, {"key": "allowed"})
    s3 = cloud.client("s3", HUB)
    eventually(lambda: s3.list_objects_v2(Bucket=bucket)["KeyCount"])
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["allowed"]


def test_an_event_of_aws_itself_cannot_be_put_but_injected(cloud: EmbeddedCloud) -> None:
    url = watch_events(cloud, HUB, {"source": ["aws.codecommit"]})
    answer = cloud.client("events", HUB).put_events(
        Entries=[{"Source": "aws.codecommit", "DetailType": "x", "Detail": "{}"}]
    )
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    event = {
        "id": "6f87d04b-9f74-4f04-a780-7acf4b0a9b38",
        "source": "aws.codecommit",
        "detail-type": "CodeCommit Repository State Change",
        "account": DEV,
        "time": "2026-01-02T03:04:05Z",
        "resources": ["arn:aws:codecommit:us-east-1:222222222222:models"],
        "detail": {"event": "referenceUpdated"},
    }
    cloud.inject_event(event, HUB)
    received = json.loads(receive(cloud, HUB, url)["Body"])
    assert {name: received[name] for name in event} == event


def test_minute_schedules_of_rules_and_of_the_scheduler_fire_on_request(cloud: EmbeddedCloud) -> None:
    url, queue = make_queue(cloud, HUB)
    events, rule = cloud.client("events", HUB), unique("every-minute")
    rule_arn = events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)")["RuleArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": queue, "Input": '{"by": "rule"}'}])
    role = make_role(cloud, HUB, service_trust("scheduler"), statement("sqs:SendMessage", queue))
    schedule = cloud.client("scheduler", HUB).create_schedule(
        Name=unique("every-minute"),
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue, "RoleArn": role, "Input": '{"by": "scheduler"}'},
    )["ScheduleArn"]
    assert {rule_arn, schedule} <= set(cloud.run_schedules(HUB))
    assert {json.loads(receive(cloud, HUB, url)["Body"])["by"] for _ in range(2)} == {"rule", "scheduler"}
    events.remove_targets(Rule=rule, Ids=["q"])
    events.delete_rule(Name=rule)
    cloud.client("scheduler", HUB).delete_schedule(Name=schedule.rpartition("/")[2])
