"""What a plan opens: tables of resources before and after, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.access.compare import MOST, access_changes, kept
from orchestrator.core.access.contexts import LATER, MOST_TOLD, UNKNOWN, ResourceContext
from orchestrator.core.access.patterns import covers, meet
from orchestrator.core.access.statements import statements, uncovered
from orchestrator.core.plans import AccessChange, Area, Reach

Json = Mapping[str, Any]
ROLE = "AWS::IAM::Role"
TRUST = {
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
}


def allow(action: Any, resource: Any = "arn:aws:s3:::b/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def policy(*members: Json) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(members)}


def role(*members: Json, **more: Any) -> dict[str, Any]:
    return {
        "AssumeRolePolicyDocument": TRUST,
        "Policies": [{"PolicyName": "own", "PolicyDocument": policy(*members)}],
        **more,
    }


def opened(kind: str, before: Json | None, after: Json | None, **more: Any) -> list[AccessChange]:
    return list(access_changes([ResourceContext("It", kind, before, after, **more)], creates_stack=False))


def told(kind: str, before: Json | None, after: Json | None) -> list[str]:
    return [f"{one.reach}: {one.told}" for one in opened(kind, before, after)]


CONDITION = {"StringEquals": {"aws:SourceAccount": ["1", "2"]}}
STRICTER = {"StringEquals": {"aws:SourceAccount": "1"}, "Bool": {"aws:SecureTransport": "true"}}
BUCKET = "arn:aws:s3:::b"


def pinned(digit: str, name: str = "model.tar.gz") -> str:
    """ARN of a pinned copy."""
    return f"arn:aws:s3:::packages/assets/{digit * 64}/{name}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (role(allow("s3:GetObject")), role(allow("s3:GetObject")), []),
        (role(allow("s3:*")), role(allow(["s3:GetObject", "S3:PUTOBJECT"])), []),
        (role(allow("s3:Get*", "*")), role(allow("s3:GetObject")), []),
        (role(allow("s3:GetObject")), role(), []),
        (role(allow("s3:GetObject")), role(allow("s3:Get*")), ["widens: may s3:Get* on arn:aws:s3:::b/*"]),
        (role(allow("s3:GetObject")), role(allow("s3:GetObject", "*")), ["widens: may s3:GetObject on anything"]),
        (
            role(allow("s3:GetObject")),
            role(allow(["s3:GetObject", "s3:PutObject"], [f"{BUCKET}/*", f"{BUCKET}2/*"])),
            [
                "widens: may s3:GetObject on arn:aws:s3:::b2/*",
                "widens: may s3:PutObject on arn:aws:s3:::b/*, arn:aws:s3:::b2/*",
            ],
        ),
        # several statements cover one
        (role(allow("s3:GetObject"), allow("s3:PutObject")), role(allow(["s3:GetObject", "s3:PutObject"])), []),
        # inline policies count together
        (
            role(allow("s3:GetObject")),
            {
                **role(),
                "Policies": [{"PolicyName": "renamed", "PolicyDocument": json.dumps(policy(allow("s3:GetObject")))}],
            },
            [],
        ),
        # one object for another
        (
            role(allow("s3:GetObject", f"{BUCKET}/jobs/1/model.tar.gz")),
            role(allow("s3:GetObject", f"{BUCKET}/jobs/2/model.tar.gz")),
            [f"moves: may s3:GetObject on {BUCKET}/jobs/2/model.tar.gz instead of {BUCKET}/jobs/1/model.tar.gz"],
        ),
        (
            role(allow("s3:GetObject", f"{BUCKET}/1")),
            role(allow("s3:GetObject", [f"{BUCKET}/2", f"{BUCKET}/3"])),
            [f"widens: may s3:GetObject on {BUCKET}/3", f"moves: may s3:GetObject on {BUCKET}/2 instead of {BUCKET}/1"],
        ),
        (
            role(allow("s3:GetObject", f"{BUCKET}/1")),
            role(allow("s3:GetObject", f"{BUCKET}2/1")),
            [f"widens: may s3:GetObject on {BUCKET}2/1"],
        ),
        (
            role(allow("s3:GetObject", f"{BUCKET}/1")),
            role(allow("s3:GetObject", f"{BUCKET}/*")),
            [f"widens: may s3:GetObject on {BUCKET}/*"],
        ),
        (role(allow("s3:GetObject", pinned("a"))), role(allow("s3:GetObject", pinned("b"))), []),
        (
            role(allow("s3:GetObject", pinned("a"))),
            role(allow("s3:PutObject", pinned("b"))),
            [f"widens: may s3:PutObject on {pinned('b')}"],
        ),
        (
            role(allow("s3:GetObject", pinned("a"))),
            role(allow("s3:GetObject", pinned("b", "*"))),
            [f"widens: may s3:GetObject on {pinned('b', '*')}"],
        ),
        # conditions
        (role(allow("s3:GetObject", Condition=CONDITION)), role(allow("s3:GetObject", Condition=STRICTER)), []),
        (
            role(allow("s3:GetObject", Condition=CONDITION)),
            role(allow("s3:GetObject")),
            ["widens: may s3:GetObject on arn:aws:s3:::b/*, without the condition that it had"],
        ),
        (
            role(allow("s3:GetObject", Condition=STRICTER)),
            role(allow("s3:GetObject", Condition=CONDITION)),
            ["widens: may s3:GetObject on arn:aws:s3:::b/*, under another condition than before"],
        ),
        (
            role(allow("s3:GetObject", Condition={"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}})),
            role(allow("s3:GetObject", Condition={"StringNotEquals": {"aws:SourceAccount": ["1"]}})),
            ["widens: may s3:GetObject on arn:aws:s3:::b/*, under another condition than before"],
        ),
        # everything but
        (role({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), role(allow("s3:GetObject")), []),
        (
            role({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            role(allow("iam:PassRole", "*")),
            ["widens: may iam:PassRole on anything"],
        ),
        (
            role({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
            role({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}),
            ["widens: may everything but iam:* on anything"],
        ),
        (
            role({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}),
            role({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
            [],
        ),
        (
            role(allow("s3:GetObject")),
            role({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BUCKET}/*"}),
            ["widens: may s3:GetObject on everything but arn:aws:s3:::b/*"],
        ),
        # denials
        (role(deny("s3:*")), role(deny("*")), []),
        (role(deny("s3:*")), role(), ["widens: no longer denies s3:* on anything"]),
        (role(deny("s3:*")), role(deny("s3:Put*")), ["widens: no longer denies s3:* on anything"]),
        # what else a role has
        (
            role(),
            role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
            ["widens: has the managed policy arn:aws:iam::aws:policy/AdministratorAccess"],
        ),
        (role(ManagedPolicyArns=["arn:a"]), role(), []),
        (role(PermissionsBoundary="arn:b"), role(), ["widens: has no permissions boundary any more (was arn:b)"]),
        (
            role(PermissionsBoundary="arn:b"),
            role(PermissionsBoundary="arn:c"),
            ["may_widen: has another permissions boundary: arn:c (was arn:b)"],
        ),
        (role(), role(PermissionsBoundary="arn:b"), []),
        (
            role(),
            {
                **role(),
                "AssumeRolePolicyDocument": policy(
                    *[
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "sagemaker.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        },
                        {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"},
                    ]
                ),
            },
            ["widens: may be assumed by arn:aws:iam::123456789012:root"],
        ),
        # what the deployment decides
        (
            role(allow("s3:GetObject")),
            role(allow("s3:GetObject", f"{UNKNOWN}/*")),
            [f"may_widen: may s3:GetObject on {LATER}/*"],
        ),
        (role(allow("s3:GetObject", "*")), role(allow("s3:GetObject", f"{UNKNOWN}/*")), []),
        *(
            (role(allow("s3:GetObject")), after, ["may_widen: has a policy that cannot be read before it is deployed"])
            for after in (
                role(Policies=UNKNOWN),
                {**role(), "Policies": [UNKNOWN]},
                {**role(), "Policies": [{"PolicyDocument": {"Statement": [UNKNOWN]}}]},
            )
        ),
        (
            role(allow("s3:GetObject")),
            {**role(), "Policies": [{"PolicyDocument": "{{changeSet:KNOWN_AFTER_APPLY}}"}]},
            ["may_widen: has a policy that cannot be read before it is deployed"],
        ),
        # gone, and new
        (role(allow("*", "*")), None, []),
        (
            None,
            role(allow("s3:GetObject")),
            ["widens: may be assumed by sagemaker.amazonaws.com", "widens: may s3:GetObject on arn:aws:s3:::b/*"],
        ),
    ],
)
def test_roles(before: Json | None, after: Json | None, expected: list[str]) -> None:
    assert told(ROLE, before, after) == expected


ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
ACCOUNT = {**ANYBODY, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        (
            "AWS::S3::BucketPolicy",
            {"PolicyDocument": policy(ACCOUNT)},
            {"PolicyDocument": policy(ANYBODY)},
            ["widens: lets anybody do s3:GetObject on arn:aws:s3:::b/*"],
        ),
        ("AWS::S3::BucketPolicy", {"PolicyDocument": policy(ANYBODY)}, {"PolicyDocument": policy(ACCOUNT)}, []),
        (
            "AWS::S3::BucketPolicy",
            {"PolicyDocument": policy(deny("s3:*", Principal="*"))},
            None,
            ["widens: no longer denies s3:* on anything"],
        ),
        (
            "AWS::KMS::Key",
            {"KeyPolicy": policy(ACCOUNT)},
            {
                "KeyPolicy": policy(
                    ACCOUNT, {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
                )
            },
            ["widens: lets anybody do kms:Decrypt on anything"],
        ),
        (
            "AWS::SQS::QueuePolicy",
            None,
            {
                "PolicyDocument": policy(
                    {"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "sqs:*", "Resource": "*"}
                )
            },
            ["widens: lets everybody but 1 do sqs:* on anything"],
        ),
        (
            "AWS::Lambda::Permission",
            {
                "Principal": "apigateway.amazonaws.com",
                "Action": "lambda:InvokeFunction",
                "FunctionName": "f",
                "SourceArn": "arn:1",
            },
            {"Principal": "apigateway.amazonaws.com", "Action": "lambda:InvokeFunction", "FunctionName": "f"},
            ["widens: lets apigateway.amazonaws.com do lambda:InvokeFunction on f, without the condition that it had"],
        ),
        (
            "AWS::IAM::Policy",
            {"PolicyDocument": policy(), "Roles": ["a"]},
            {"PolicyDocument": policy(), "Roles": ["a", "b"]},
            ["widens: is attached to the role b"],
        ),
        ("AWS::IAM::InstanceProfile", {"Roles": ["a"]}, {"Roles": ["b"]}, ["widens: gives machines the role b"]),
        (
            "AWS::EC2::VPCEndpoint",
            {"PolicyDocument": policy(ACCOUNT)},
            {},
            ["widens: has no policy, which lets every caller through to everything"],
        ),
        ("AWS::EC2::VPCEndpoint", {}, {}, []),
        (
            "AWS::Events::EventBusPolicy",
            {"Statement": ACCOUNT},
            {"Statement": ANYBODY},
            ["widens: lets anybody do s3:GetObject on arn:aws:s3:::b/*"],
        ),
        (
            "AWS::SageMaker::Model",
            {"ExecutionRoleArn": "a"},
            {"ExecutionRoleArn": "b"},
            ["may_widen: acts as another role: b"],
        ),
        (
            "AWS::SageMaker::Model",
            {"ExecutionRoleArn": "a"},
            {"ExecutionRoleArn": UNKNOWN},
            [f"may_widen: acts as another role: {LATER}"],
        ),
    ],
)
def test_policies_of_resources(kind: str, before: Json | None, after: Json | None, expected: list[str]) -> None:
    assert told(kind, before, after) == expected


def ingress(*rules: tuple[str, int, str]) -> dict[str, Any]:
    return {
        "SecurityGroupIngress": [
            {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "CidrIp": peer} for protocol, port, peer in rules
        ],
        "SecurityGroupEgress": [{"IpProtocol": "tcp", "FromPort": "443", "ToPort": "443", "CidrIp": "10.0.0.0/8"}],
    }


VPC = {"VpcConfig": {"Subnets": ["a"], "SecurityGroupIds": ["g"]}}
CLOSED = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "BlockPublicPolicy": True}}


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("AWS::EC2::SecurityGroup", ingress(("tcp", 443, "10.0.0.0/8")), ingress(("tcp", 443, "10.1.0.0/16")), []),
        (
            "AWS::EC2::SecurityGroup",
            ingress(("tcp", 443, "10.1.0.0/16")),
            ingress(("tcp", 443, "0.0.0.0/0")),
            ["widens: lets tcp 443 in from 0.0.0.0/0"],
        ),
        ("AWS::EC2::SecurityGroup", ingress(("-1", 0, "10.0.0.0/8")), ingress(("tcp", 22, "10.0.0.0/8")), []),
        ("AWS::EC2::SecurityGroup", ingress(), {}, ["widens: lets everything out to 0.0.0.0/0"]),
        (
            "AWS::EC2::SecurityGroup",
            ingress(("tcp", 22, "sg")),
            ingress(("udp", 22, "sg")),
            ["widens: lets udp 22 in from sg"],
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "SourceSecurityGroupId": "sg-1"},
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 10, "SourceSecurityGroupId": "sg-1"},
            ["widens: lets tcp 1-10 in from sg-1"],
        ),
        (
            "AWS::EC2::SecurityGroupEgress",
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "CidrIpv6": "::/0"},
            {"IpProtocol": "tcp", "FromPort": 2, "ToPort": 3, "CidrIpv6": "fd00::/8"},
            [],
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            {"IpProtocol": "tcp", "SourceSecurityGroupId": "sg-1"},
            {"IpProtocol": "tcp", "SourceSecurityGroupId": UNKNOWN},
            [f"may_widen: lets tcp in from {LATER}"],
        ),
        ("AWS::SageMaker::Model", VPC, {}, ["widens: leaves its VPC, and reaches the internet by AWS's own network"]),
        ("AWS::SageMaker::Model", {}, VPC, []),
        ("AWS::SageMaker::Model", VPC, {"VpcConfig": UNKNOWN}, ["may_widen: joins another network"]),
        (
            "AWS::EC2::SecurityGroup",
            ingress(),
            {**ingress(), "SecurityGroupIngress": [UNKNOWN]},
            ["may_widen: has rules that are known once deployed"],
        ),
        (
            "AWS::RDS::DBInstance",
            {},
            {"PubliclyAccessible": UNKNOWN},
            ["may_widen: is reachable from the internet, perhaps (PubliclyAccessible)"],
        ),
        (
            "AWS::SageMaker::Model",
            VPC,
            {"VpcConfig": {"Subnets": ["a", "b"], "SecurityGroupIds": ["h"]}},
            ["may_widen: joins other security groups: h", "may_widen: joins other subnets: b"],
        ),
        (
            "AWS::SageMaker::Model",
            {"EnableNetworkIsolation": True},
            {"EnableNetworkIsolation": "false"},
            ["widens: is no longer cut off from the network"],
        ),
        (
            "AWS::SageMaker::Model",
            {"EnableNetworkIsolation": "true"},
            {},
            ["widens: is no longer cut off from the network"],
        ),
        (
            "AWS::SageMaker::Model",
            {"EnableNetworkIsolation": "true"},
            {"EnableNetworkIsolation": UNKNOWN},
            ["may_widen: is no longer cut off from the network"],
        ),
        ("AWS::SageMaker::Model", {"EnableNetworkIsolation": "false"}, {"EnableNetworkIsolation": "true"}, []),
        ("AWS::S3::Bucket", CLOSED, CLOSED, []),
        (
            "AWS::S3::Bucket",
            CLOSED,
            {},
            ["widens: no longer blocks public access lists", "widens: no longer blocks public policies"],
        ),
        (
            "AWS::RDS::DBInstance",
            {},
            {"PubliclyAccessible": "true"},
            ["widens: is reachable from the internet (PubliclyAccessible)"],
        ),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {"Scheme": "internal"},
            {"Scheme": "internet-facing"},
            ["widens: faces the internet (Scheme)"],
        ),
        (
            "AWS::ApiGateway::Method",
            {"AuthorizationType": "AWS_IAM"},
            {"AuthorizationType": "NONE"},
            ["widens: may be called by anybody, without a signature (AuthorizationType)"],
        ),
        (
            "AWS::ApiGateway::RestApi",
            {"EndpointConfiguration": {"Types": ["PRIVATE"]}},
            {"EndpointConfiguration": {"Types": ["REGIONAL"]}},
            ["widens: is reachable from the internet, for those who may call it"],
        ),
        (
            "AWS::ApiGateway::RestApi",
            {"EndpointConfiguration": {"Types": ["REGIONAL"]}},
            {"EndpointConfiguration": {"Types": ["EDGE"]}},
            [],
        ),
        (
            "AWS::EC2::Route",
            None,
            {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw"},
            ["may_widen: adds a route to 0.0.0.0/0"],
        ),
        (
            "AWS::CloudFormation::Stack",
            {"TemplateURL": "a"},
            {"TemplateURL": "b"},
            ["may_widen: is a nested stack, whose changes are not shown here"],
        ),
        (
            "AWS::SageMaker::EndpointConfig",
            {"KmsKeyId": "k"},
            {},
            ["widens: no longer uses its own encryption key (KmsKeyId)"],
        ),
        (
            "AWS::SageMaker::EndpointConfig",
            {"KmsKeyId": "k"},
            {"KmsKeyId": ""},
            ["widens: no longer uses its own encryption key (KmsKeyId)"],
        ),
        ("AWS::SageMaker::EndpointConfig", {"KmsKeyId": "k"}, {"KmsKeyId": UNKNOWN}, []),
        (
            "AWS::S3::Bucket",
            {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{"KMSMasterKeyID": "k"}]}},
            {},
            ["widens: no longer uses its own encryption key (BucketEncryption)"],
        ),
        (
            "AWS::RDS::DBInstance",
            {"StorageEncrypted": "true"},
            {"StorageEncrypted": "false"},
            ["widens: is no longer encrypted (StorageEncrypted)"],
        ),
    ],
)
def test_network_and_encryption(kind: str, before: Json | None, after: Json | None, expected: list[str]) -> None:
    assert told(kind, before, after) == expected


def test_of_a_new_stack_everything_is_a_grant() -> None:
    contexts = [
        ResourceContext("Role", ROLE, None, role(allow("s3:GetObject", UNKNOWN))),
        ResourceContext("Method", "AWS::ApiGateway::Method", None, {"AuthorizationType": "NONE"}),
        ResourceContext("Model", "AWS::SageMaker::Model", None, {"EnableNetworkIsolation": "false"}),
    ]
    found = access_changes(contexts, creates_stack=True)
    assert {one.reach for one in found} == {Reach.GRANTS}
    assert [(one.area, one.logical_id) for one in found] == [
        (Area.IAM, "Role"),
        (Area.IAM, "Role"),
        (Area.NETWORK, "Method"),
    ]


def test_the_gravest_comes_first() -> None:
    contexts = [
        ResourceContext("A", "AWS::EC2::Route", None, {}),
        ResourceContext("B", "AWS::RDS::DBInstance", {"StorageEncrypted": "true"}, {}),
        ResourceContext("C", ROLE, role(), role(allow("*", "*"))),
    ]
    found = access_changes(contexts, creates_stack=False)
    assert [(one.reach, one.area) for one in found] == [
        (Reach.WIDENS, Area.IAM),
        (Reach.WIDENS, Area.ENCRYPTION),
        (Reach.MAY_WIDEN, Area.NETWORK),
    ]


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        (ROLE, (), ["may_widen: changes, which CloudFormation does not show"]),
        (ROLE, ("Description",), []),
        (ROLE, ("Policies",), ["may_widen: changes Policies, which CloudFormation does not show"]),
        ("AWS::SageMaker::Model", ("VpcConfig",), ["may_widen: changes VpcConfig, which CloudFormation does not show"]),
        ("AWS::SageMaker::Model", (), []),
        ("AWS::EC2::SecurityGroup", (), ["may_widen: changes, which CloudFormation does not show"]),
    ],
)
def test_what_cloudformation_does_not_show_may_widen(
    kind: str, properties: tuple[str, ...], expected: list[str]
) -> None:
    found = opened(kind, None, None, properties=properties, readable=False)
    assert [f"{one.reach}: {one.told}" for one in found] == expected


def test_a_plan_keeps_so_many_and_says_how_many_more() -> None:
    found = access_changes(
        [ResourceContext(f"R{n:03}", "AWS::EC2::Route", None, {}) for n in range(MOST + 5)], creates_stack=False
    )
    shown = kept(found)
    assert len(shown) == MOST
    assert shown[-1].told == "and 6 more, which the change set in the AWS console shows"
    assert kept(found[:MOST]) == found[:MOST]


def test_what_is_told_is_short() -> None:
    (found,) = opened(ROLE, role(), role(allow([f"s3:Do{n}" + "x" * 200 for n in range(9)], "*")))
    assert len(found.told) == MOST_TOLD


@pytest.mark.parametrize(
    ("pattern", "other", "expected"),
    [
        ("*", "anything", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get*", "s3:Get*", True),
        ("s3:GetObject", "s3:Get*", False),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:Get?bject", "s3:Get*bject", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "aXbY", False),
        ("arn:${aws:username}", "arn:${aws:username}", True),
        ("arn:?", "arn:${aws:username}", False),
        ("arn:*", "arn:${aws:username}", True),
        ("arn:${aws:username}", "arn:ana", False),
        ("arn:*", f"arn:{UNKNOWN}", True),
        ("arn:*", UNKNOWN, False),
        (UNKNOWN, UNKNOWN, False),
    ],
)
def test_a_pattern_covers_another(pattern: str, other: str, expected: bool) -> None:
    assert covers(pattern, other) is expected


patterns = st.text("ab*?", max_size=6)
texts = st.text("ab", max_size=6)


@given(patterns, patterns, texts)
def test_what_is_covered_matches_no_text_that_the_cover_does_not(pattern: str, other: str, text: str) -> None:
    if covers(pattern, other) and covers(other, text):
        assert covers(pattern, text)


@given(patterns, patterns, texts)
def test_two_patterns_that_match_one_text_meet(one: str, other: str, text: str) -> None:
    if covers(one, text) and covers(other, text):
        assert meet(one, other)


some_actions = st.lists(
    st.sampled_from(["s3:*", "s3:get*", "s3:getobject", "s3:putobject", "iam:*", "*"]), min_size=1, max_size=3
)
some_resources = st.lists(st.sampled_from(["*", "arn:a/*", "arn:a/1", "arn:b"]), min_size=1, max_size=2)
some_conditions = st.sampled_from([None, {"StringEquals": {"k": "1"}}, {"StringEquals": {"k": ["1", "2"]}}])


@st.composite
def members(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Effect": "Allow",
        draw(st.sampled_from(["Action", "NotAction"])): draw(some_actions),
        draw(st.sampled_from(["Resource", "NotResource"])): draw(some_resources),
    }
    condition = draw(some_conditions)
    return {**found, "Condition": condition} if condition else found


def permits(document: Json, action: str, resource: str, value: str) -> bool:
    """What IAM would say of one request, by the definition."""

    def among(member: Json, word: str, name: str) -> bool:
        but = f"Not{word}" in member
        return but is not any(covers(pattern, name) for pattern in member[f"Not{word}" if but else word])

    def holds(member: Json) -> bool:
        wanted = member.get("Condition", {}).get("StringEquals", {}).get("k")
        return wanted is None or value in (wanted if isinstance(wanted, list) else [wanted])

    return any(
        among(member, "Action", action) and among(member, "Resource", resource) and holds(member)
        for member in document["Statement"]
    )


@given(
    st.lists(members(), max_size=3),
    st.lists(members(), max_size=3),
    st.sampled_from(["s3:getobject", "s3:putobject", "iam:passrole", "ec2:run"]),
    st.sampled_from(["arn:a/1", "arn:a/2", "arn:b", "arn:c"]),
    st.sampled_from(["1", "2", "3"]),
)
def test_nothing_is_permitted_anew_where_nothing_is_told(
    old: list[Json], new: list[Json], action: str, resource: str, value: str
) -> None:
    before, after = policy(*old), policy(*new)
    if not uncovered(statements([after]), statements([before])) and permits(after, action, resource, value):
        assert permits(before, action, resource, value)
