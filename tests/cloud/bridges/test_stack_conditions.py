"""Joins in the conditions of a template."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.client import EmbeddedCloud
from local.cloud.stack_conditions import joined
from tests.cloud.accounts import DEV, settled, unique

VALUES = {"Subnets": "a, b", "None": "", "Name": "x"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Fn::Join": ["", {"Ref": "Subnets"}]}, "ab"),
        ({"Fn::Join": ["", {"Ref": "None"}]}, ""),
        ({"Fn::Join": ["-", [{"Ref": "Name"}, "y", 3]]}, "x-y-3"),
        ({"Fn::Join": ["-", ["z", {"Fn::Join": ["", {"Ref": "Subnets"}]}]]}, "z-ab"),
        ({"Fn::Join": ["-", [{"Ref": "AWS::Region"}]]}, {"Fn::Join": ["-", [{"Ref": "AWS::Region"}]]}),
        ({"Fn::Join": ["-", {"Ref": "Elsewhere"}]}, {"Fn::Join": ["-", {"Ref": "Elsewhere"}]}),
        (
            {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "None"}]}, ""]}]},
            {"Fn::Not": [{"Fn::Equals": ["", ""]}]},
        ),
        ({"Condition": "Other"}, {"Condition": "Other"}),
    ],
    ids=str,
)
def test_a_join_is_its_text(condition: Any, expected: Any) -> None:
    assert joined(condition, VALUES) == expected


@pytest.mark.cloud
@pytest.mark.parametrize(("subnets", "made"), [("", []), ("subnet-1", ["Topic"]), ("subnet-1,subnet-2", ["Topic"])])
def test_a_template_may_ask_whether_a_list_is_empty(cloud: EmbeddedCloud, subnets: str, made: list[str]) -> None:
    template = {
        "Parameters": {"Subnets": {"Type": "CommaDelimitedList", "Default": ""}},
        "Conditions": {"HasSubnets": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Subnets"}]}, ""]}]}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
            "Topic": {"Type": "AWS::SNS::Topic", "Condition": "HasSubnets", "Properties": {}},
        },
    }
    client, stack = cloud.client("cloudformation", DEV), unique("conditional")
    client.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "Subnets", "ParameterValue": subnets}],
    )
    settled(cloud, DEV, stack)
    found = client.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    assert sorted(one["LogicalResourceId"] for one in found) == ["Queue", *made]
