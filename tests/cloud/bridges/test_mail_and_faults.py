"""E-mail that is kept instead of sent, and faults on request."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, settled, unique

pytestmark = pytest.mark.cloud


def test_an_e_mail_subscription_is_confirmed_and_every_publish_is_kept(cloud: EmbeddedCloud) -> None:
    stack = unique("topic")
    topic = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"Subscription": [{"Protocol": "email", "Endpoint": "team@example.com"}]},
    }
    cloud.client("cloudformation", HUB).create_stack(
        StackName=stack,
        TemplateBody=json.dumps({"Resources": {"Topic": topic}, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}),
    )
    arn = settled(cloud, HUB, stack)["Outputs"][0]["OutputValue"]
    sns = cloud.client("sns", HUB)
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert subscription["SubscriptionArn"].startswith(arn)
    sns.publish(TopicArn=arn, Subject="Released", Message="churn is in prod")
    (mail,) = [mail for mail in cloud.mail() if mail["topic"] == arn]
    assert (mail["address"], mail["subject"], mail["message"]) == ("team@example.com", "Released", "churn is in prod")
    assert mail["time"].startswith("20")


def test_calls_are_throttled_as_often_as_asked(cloud: EmbeddedCloud) -> None:
    client = cloud.client("cloudformation", DEV, retries={"max_attempts": 0})
    assert cloud.faults(throttle={"cloudformation:ListStacks": 2})["throttle"] == {"cloudformation:ListStacks": 2}
    for _ in range(2):
        with pytest.raises(ClientError, match="Throttling"):
            client.list_stacks()
    assert client.list_stacks()["ResponseMetadata"]["HTTPStatusCode"] == 200
    cloud.faults(throttle={})


def test_a_call_is_denied_until_it_is_allowed_again(cloud: EmbeddedCloud) -> None:
    client = cloud.client("sagemaker", DEV)
    cloud.faults(deny=["sagemaker:List*"])
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_models()
    cloud.faults(deny=[])
    assert "Models" in client.list_models()


def test_an_unknown_fault_is_refused(cloud: EmbeddedCloud) -> None:
    with pytest.raises(RuntimeError, match="unknown faults: thunder"):
        cloud.faults(thunder=True)


def test_calls_are_recorded_with_who_asked_what(cloud: EmbeddedCloud) -> None:
    before = max((call["number"] for call in cloud.calls()), default=0)
    cloud.client("sts", DEV).get_caller_identity()
    call = cloud.calls(since=before)[-1]
    assert (call["account"], call["service"], call["action"], call["status"]) == (DEV, "sts", "GetCallerIdentity", 200)
    assert call["principal"] == f"arn:aws:iam::{DEV}:root"
