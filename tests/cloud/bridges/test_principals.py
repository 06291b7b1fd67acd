"""IAM: who may assume a role, and which principal a policy's conditions see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    make_bucket,
    make_function,
    make_role,
    policy,
    settled,
    statement,
    trust,
    unique,
)

pytestmark = pytest.mark.cloud

EXTERNAL_ID = "between-the-two-accounts"


def stage_trust() -> str:
    """As the product's stage roles: the account, narrowed to a role path and an external id."""
    condition = {
        "StringEquals": {"sts:ExternalId": EXTERNAL_ID},
        "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{HUB}:role/mlops/*"},
    }
    return trust({"AWS": f"arn:aws:iam::{HUB}:root"}, Condition=condition)


def hub_role(cloud: EmbeddedCloud, target: str, path: str) -> Any:
    """An STS client of a role in the hub that may assume the target."""
    role = make_role(
        cloud, HUB, trust({"AWS": f"arn:aws:iam::{HUB}:root"}), statement("sts:AssumeRole", target), path=path
    )
    return cloud.client_as("sts", role, HUB)


def assume(client: Any, role: str, external_id: str = EXTERNAL_ID) -> str:
    answer = client.assume_role(RoleArn=role, RoleSessionName="session", ExternalId=external_id)
    arn: str = answer["AssumedRoleUser"]["Arn"]
    return arn


def test_a_role_of_the_fixed_path_assumes_the_role_of_another_account(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, DEV, stage_trust(), path="/mlops/")
    name = role.rpartition("/")[2]
    assert assume(hub_role(cloud, role, "/mlops/"), role) == f"arn:aws:sts::{DEV}:assumed-role/{name}/session"


def test_another_path_another_external_id_and_the_accounts_root_are_refused(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, DEV, stage_trust(), path="/mlops/")
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(hub_role(cloud, role, "/other/"), role)
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(hub_role(cloud, role, "/mlops/"), role, "guessed")
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(cloud.client("sts", HUB), role)


def test_the_path_is_part_of_a_roles_arn(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{HUB}:root"}), path="/mlops/")
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(cloud.client("sts", HUB), role.replace("/mlops/", "/"))


def test_a_call_about_a_role_is_decided_on_its_arn_with_its_path(cloud: EmbeddedCloud) -> None:
    mine = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{DEV}:root"}), path="/mlops/")
    other = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{DEV}:root"}), path="/mlops/workload/")
    for allowed, refused in ((mine, other), (f"arn:aws:iam::{DEV}:role/mlops/workload/*", mine)):
        looking = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{DEV}:root"}), statement("iam:GetRole", allowed))
        iam = cloud.client_as("iam", looking, DEV)
        found = mine if allowed == mine else other
        assert iam.get_role(RoleName=found.rpartition("/")[2])["Role"]["Arn"] == found
        with pytest.raises(ClientError, match="AccessDenied"):
            iam.get_role(RoleName=refused.rpartition("/")[2])


def test_the_caller_needs_permission_of_its_own(cloud: EmbeddedCloud) -> None:
    role = make_role(cloud, DEV, stage_trust(), path="/mlops/")
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(hub_role(cloud, role + "-other", "/mlops/"), role)


def test_a_permissions_boundary_takes_away_what_it_does_not_name(cloud: EmbeddedCloud) -> None:
    document = policy(statement("s3:ListBucket", "*"))
    boundary = cloud.client("iam", DEV).create_policy(PolicyName=unique("boundary"), PolicyDocument=document)
    role = make_role(
        cloud,
        DEV,
        trust({"AWS": f"arn:aws:iam::{DEV}:root"}),
        statement("s3:*", "*"),
        PermissionsBoundary=boundary["Policy"]["Arn"],
    )
    bucket = make_bucket(cloud, DEV)
    s3 = cloud.client_as("s3", role, DEV)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")


def test_policies_that_name_a_role_that_does_not_exist_are_refused(cloud: EmbeddedCloud) -> None:
    absent = {"AWS": f"arn:aws:iam::{HUB}:role/mlops/not-yet"}
    with pytest.raises(ClientError, match=r"MalformedPolicyDocument.*Invalid principal"):
        make_role(cloud, DEV, trust(absent))
    bucket = make_bucket(cloud, DEV)
    document = policy(statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal=absent))
    with pytest.raises(ClientError, match="Invalid principal in policy"):
        cloud.client("s3", DEV).put_bucket_policy(Bucket=bucket, Policy=document)
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        cloud.client("kms", DEV).create_key(Policy=policy(statement("kms:*", "*", Principal=absent)))


def test_a_role_made_by_a_stack_has_its_boundary(cloud: EmbeddedCloud) -> None:
    document = policy(statement("s3:ListBucket", "*"))
    boundary = cloud.client("iam", DEV).create_policy(PolicyName=unique("boundary"), PolicyDocument=document)
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": json.loads(trust({"AWS": f"arn:aws:iam::{DEV}:root"})),
            "PermissionsBoundary": boundary["Policy"]["Arn"],
            "Policies": [{"PolicyName": "all", "PolicyDocument": json.loads(policy(statement("s3:*", "*")))}],
        },
    }
    stack = unique("bounded")
    cloud.client("cloudformation", DEV).create_stack(
        StackName=stack,
        Capabilities=["CAPABILITY_IAM"],
        TemplateBody=json.dumps(
            {"Resources": {"Role": role}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}}
        ),
    )
    arn = settled(cloud, DEV, stack)["Outputs"][0]["OutputValue"]
    bucket = make_bucket(cloud, DEV)
    s3 = cloud.client_as("s3", arn, DEV)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")


def test_a_function_runs_with_its_roles_permissions(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, DEV)
    source = (
        "import boto3, os\n"
        "def handler(event, context):\n"
        "    s3 = boto3.client('s3')\n"
        f"    s3.put_object(Bucket='{bucket}', Key='allowed/x', Body=b'1')\n"
        "    try:\n"
        f"        s3.put_object(Bucket='{bucket}', Key='other/x', Body=b'1')\n"
        "    except Exception as error:\n"
        "        return error.response['Error']['Code'] + ' ' + os.environ['AWS_REGION']\n"
    )
    function = make_function(cloud, DEV, source, statement("s3:PutObject", f"arn:aws:s3:::{bucket}/allowed/*"))
    answer = cloud.client("lambda", DEV).invoke(FunctionName=function, Payload=b"{}")
    assert json.loads(answer["Payload"].read()) == "AccessDenied us-east-1"
