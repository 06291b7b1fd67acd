"""A change set's property values, before and after, as CloudFormation tells them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.client import EmbeddedCloud
from local.cloud.stack_contexts import HIDDEN, UNKNOWN, known, turned, with_contexts
from tests.cloud.accounts import DEV, settled, unique

THERE = {"Bucket": {"PhysicalResourceId": "b", "Attributes": {"Arn": "arn:b"}}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Bucket"}, {"Ref": "Bucket"}),
        ({"Ref": "Topic"}, UNKNOWN),
        ({"Ref": "AWS::Region"}, {"Ref": "AWS::Region"}),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::GetAtt": ["Bucket", "Arn"]}),
        ({"Fn::GetAtt": "Bucket.DomainName"}, UNKNOWN),
        ({"Fn::GetAtt": ["Topic", "Arn"]}, UNKNOWN),
        ({"Fn::Sub": "${Topic.Arn}/${Bucket}/${!x}"}, {"Fn::Sub": [f"{UNKNOWN}/${{Bucket}}/${{!x}}", {}]}),
        ({"Fn::Sub": ["${Own}", {"Own": {"Ref": "Topic"}}]}, {"Fn::Sub": ["${Own}", {"Own": UNKNOWN}]}),
        ({"Fn::If": ["C", [{"Ref": "Topic"}], 1]}, {"Fn::If": ["C", [UNKNOWN], 1]}),
    ],
    ids=str,
)
def test_what_only_the_deployment_makes_is_not_known(value: Any, expected: Any) -> None:
    assert known(value, {"Bucket", "Topic"}, THERE) == expected


@pytest.mark.parametrize(
    ("action", "before", "after", "expected"),
    [
        ("Add", {}, {"R": {}}, "Add"),
        ("Add", {}, {}, None),
        ("Modify", {"R": {}}, {"R": {}}, "Modify"),
        ("Modify", {}, {"R": {}}, "Add"),
        ("Modify", {"R": {}}, {}, "Remove"),
        ("Remove", {"R": {}}, {}, "Remove"),
        ("Remove", {}, {}, None),
    ],
)
def test_a_resource_whose_condition_turns_is_added_or_removed(
    action: str, before: dict[str, Any], after: dict[str, Any], expected: str | None
) -> None:
    change = {"ResourceChange": {"Action": action, "LogicalResourceId": "R", "Replacement": "False"}}
    found = with_contexts(change, before, after)
    assert (found and found["ResourceChange"]["Action"]) == expected
    if found:
        sides = {key for key in found["ResourceChange"] if key.endswith("Context")}
        assert sides == {name for name, side in (("BeforeContext", before), ("AfterContext", after)) if side}


def template(*, wide: bool, second: bool) -> str:
    resource: Any = {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"} if wide else "arn:aws:s3:::one/*"
    statement = {"Effect": "Allow", "Action": {"Ref": "Actions"}, "Resource": resource}
    resources: dict[str, Any] = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Description": {"Ref": "Password"},
                "AssumeRolePolicyDocument": {"Statement": []},
                "Path": {"Fn::If": ["Second", "/second/", {"Ref": "AWS::NoValue"}]},
                "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}],
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Condition": "Second", "Properties": {}},
    }
    if wide:
        resources["Bucket"] = {"Type": "AWS::S3::Bucket", "Properties": {}}
    return json.dumps(
        {
            "Parameters": {
                "Actions": {"Type": "CommaDelimitedList", "Default": "s3:GetObject"},
                "Password": {"Type": "String", "NoEcho": True, "Default": "a-secret"},
                "Second": {"Type": "String", "Default": str(second)},
            },
            "Conditions": {"Second": {"Fn::Equals": [{"Ref": "Second"}, "True"]}},
            "Resources": resources,
        }
    )


def planned(cloud: EmbeddedCloud, stack: str, kind: str, body: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """The change set's ARN, and its changes by logical id."""
    client = cloud.client("cloudformation", DEV)
    made = client.create_change_set(
        StackName=stack,
        ChangeSetName=unique("plan"),
        ChangeSetType=kind,
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM"],
    )["Id"]
    plain = client.describe_change_set(ChangeSetName=made)["Changes"]
    assert not any("AfterContext" in change["ResourceChange"] for change in plain)
    found = client.describe_change_set(ChangeSetName=made, IncludePropertyValues=True)["Changes"]
    return made, {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in found}


def properties(change: dict[str, Any], side: str) -> Any:
    return json.loads(change[side])["Properties"]


def test_one_that_is_declared_as_before_is_told_too() -> None:
    found = turned({"Told"}, {"Told": {}, "Gone": {}, "Same": {}}, {"Same": {}, "New": None})
    assert [one["ResourceChange"] for one in found] == [
        {"Action": "Remove", "LogicalResourceId": "Gone"},
        {"Action": "Add", "LogicalResourceId": "New"},
    ]


@pytest.mark.cloud
def test_properties_are_told_resolved_before_and_after(cloud: EmbeddedCloud) -> None:
    stack = unique("contexts")
    made, changes = planned(cloud, stack, "CREATE", template(wide=False, second=False))
    assert {name: change["Action"] for name, change in changes.items()} == {"Queue": "Add", "Role": "Add"}
    assert "BeforeContext" not in changes["Role"]
    after = properties(changes["Role"], "AfterContext")
    assert after["Policies"][0]["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::one/*"}
    ]
    assert after["Description"] == HIDDEN
    assert "Path" not in after
    client = cloud.client("cloudformation", DEV)
    client.execute_change_set(ChangeSetName=made, ClientRequestToken="one")
    settled(cloud, DEV, stack)
    _, changes = planned(cloud, stack, "UPDATE", template(wide=True, second=True))
    assert {name: change["Action"] for name, change in changes.items()} == {
        "Bucket": "Add",
        "Role": "Modify",
        "Topic": "Add",
    }
    before, after = (properties(changes["Role"], f"{side}Context") for side in ("Before", "After"))
    assert before["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] == "arn:aws:s3:::one/*"
    statement = after["Policies"][0]["PolicyDocument"]["Statement"][0]
    assert statement["Resource"] == f"arn:aws:s3:::{UNKNOWN}/*"
    assert after["Path"] == "/second/"
