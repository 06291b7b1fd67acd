"""Accounts of the embedded cloud furnished for a test: buckets, roles, functions, queues, stacks."""

from __future__ import annotations

import io
import json
import tarfile
import time
import zipfile
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from local.cloud.client import EmbeddedCloud

HUB, DEV, STAGING = "111111111111", "222222222222", "333333333333"
REGION = "us-east-1"

PATIENCE_SECONDS = 30.0

_numbers = count(1)
_Value = TypeVar("_Value")


def unique(stem: str) -> str:
    """A name that no other test uses."""
    return f"{stem}-{next(_numbers)}"


def eventually(ask: Callable[[], _Value], seconds: float = PATIENCE_SECONDS) -> _Value:
    """The first truthy answer; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"nothing within {seconds} s"
        time.sleep(0.05)


def statement(actions: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    """An Allow statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: dict[str, str], **more: Any) -> str:
    """A trust policy for one principal."""
    found = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [found]})


def make_role(
    cloud: EmbeddedCloud, account: str, trusted: str, *statements: dict[str, Any], path: str = "/", **more: Any
) -> str:
    """A role with one inline policy; its ARN."""
    iam = cloud.client("iam", account)
    name = unique("role")
    arn: str = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trusted, **more)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
    return arn


def service_trust(service: str) -> str:
    """A trust policy for ``<service>.amazonaws.com``."""
    return trust({"Service": f"{service}.amazonaws.com"})


def make_bucket(cloud: EmbeddedCloud, account: str, *, versioned: bool = True, events: bool = False) -> str:
    """A bucket; its name."""
    s3 = cloud.client("s3", account)
    name = unique("bucket-of-tests")
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if events:
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return name


def make_function(cloud: EmbeddedCloud, account: str, source: str, *statements: dict[str, Any]) -> str:
    """A Lambda function whose module is ``source`` (with ``handler``); its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", source)
    role = make_role(cloud, account, service_trust("lambda"), *statements)
    found: str = cloud.client("lambda", account).create_function(
        FunctionName=unique("function"),
        Runtime="python3.11",
        Handler="index.handler",
        Role=role,
        Timeout=30,
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    return found


def make_queue(cloud: EmbeddedCloud, account: str, **attributes: str) -> tuple[str, str]:
    """A queue; its URL and ARN."""
    sqs = cloud.client("sqs", account)
    name = unique("queue") + (".fifo" if attributes.get("FifoQueue") == "true" else "")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(cloud: EmbeddedCloud, account: str, url: str) -> dict[str, Any]:
    """The next message of a queue; taken off it."""
    sqs = cloud.client("sqs", account)

    def one() -> dict[str, Any] | None:
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"]).get("Messages")
        return dict(found[0]) if found else None

    message = eventually(one)
    assert message is not None
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message


def watch_events(cloud: EmbeddedCloud, account: str, pattern: dict[str, Any], bus: str = "default") -> str:
    """A queue that gets every event of a bus that matches; its URL."""
    url, arn = make_queue(cloud, account)
    events = cloud.client("events", account)
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern), EventBusName=bus)
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def model_archive(script: str, **files: bytes) -> bytes:
    """A ``model.tar.gz`` with ``code/inference.py``."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as bundle:
        for name, data in {"code/inference.py": script.encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            bundle.addfile(member, io.BytesIO(data))
    return archive.getvalue()


def stack_status(cloud: EmbeddedCloud, account: str, stack: str) -> str:
    """A stack's status; a deleted one only by its id."""
    found: str = cloud.client("cloudformation", account).describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return found


def settled(cloud: EmbeddedCloud, account: str, stack: str) -> dict[str, Any]:
    """The stack's description once no operation runs on it."""
    client = cloud.client("cloudformation", account)

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
        return {} if found["StackStatus"].endswith("_IN_PROGRESS") else found

    return eventually(ended)


def failed_events(cloud: EmbeddedCloud, account: str, stack: str) -> list[dict[str, Any]]:
    """A stack's events of failed resources, newest first."""
    events = cloud.client("cloudformation", account).describe_stack_events(StackName=stack)["StackEvents"]
    return [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
