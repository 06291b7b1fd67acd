"""An API with IAM authorisation and the product's own resource policy: which callers of another account get in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import App, Stack
from botocore.credentials import Credentials

from local.cloud.client import EmbeddedCloud
from local.settings import settings
from local.signed import Reply, call
from stacks.foreign_approvers import resource_policy
from stacks.settings import parse
from tests.cloud.accounts import DEV, HUB, REGION, make_function, make_role, statement, trust

pytestmark = pytest.mark.cloud

ANSWERS = """
def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["identity"]["userArn"]}
"""
CALLS = statement("execute-api:Invoke", f"arn:aws:execute-api:{REGION}:{HUB}:*")
LOOK, DECIDE = ("GET", "/releases/r-1"), ("POST", "/releases/r-1/decision")


@dataclass(frozen=True)
class Api:
    """The API, and roles of another account: two that the settings name, one of a session, one that they do not."""

    cloud: EmbeddedCloud
    id: str
    named: str
    of_a_session: str
    other: str

    def call(self, role: str, what: tuple[str, str], session: str = "kim") -> Reply:
        """Call as a session of a role."""
        given = self.cloud.client("sts", DEV).assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
        keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return self.call_with(keys, what)

    def call_with(self, keys: Credentials, what: tuple[str, str]) -> Reply:
        """Call with these keys."""
        method, path = what
        url = self.cloud.local_url(f"https://{self.id}.execute-api.{REGION}.amazonaws.com/v1{path}")
        return call(method, url, keys, REGION)


def policy_for(*principals: str) -> str:
    """The policy that the product puts on its API where Chloé goes by these principals."""
    raw = settings("multi", "https://slack.com/api/", "ml-releases")
    raw["people"][2]["iam_principals"] = list(principals)
    found = resource_policy(parse(raw).installation, "v1")
    assert found is not None
    resolved: dict[str, Any] = Stack(App(), "S").resolve(found)
    for one in resolved["Statement"]:
        parts = one["Principal"]["AWS"]["Fn::Join"][1]
        one["Principal"]["AWS"] = "".join("aws" if isinstance(part, dict) else part for part in parts)
    return json.dumps(resolved)


@pytest.fixture(scope="module")
def api(cloud: EmbeddedCloud) -> Api:
    own = trust({"AWS": f"arn:aws:iam::{DEV}:root"})
    named = make_role(cloud, DEV, own, CALLS, path="/teams/risk/")
    of_a_session = make_role(cloud, DEV, own, CALLS, path="/teams/")
    other = make_role(cloud, DEV, own, CALLS, path="/teams/risk/")
    session = f"arn:aws:sts::{DEV}:assumed-role/{of_a_session.rpartition('/')[2]}/chloe"
    gateway = cloud.client("apigateway", HUB)
    found: str = gateway.create_rest_api(name="decisions", policy=policy_for(named, session))["id"]
    function = make_function(cloud, HUB, ANSWERS)
    parent = gateway.get_resources(restApiId=found)["items"][0]["id"]
    proxy = gateway.create_resource(restApiId=found, parentId=parent, pathPart="{proxy+}")["id"]
    gateway.put_method(restApiId=found, resourceId=proxy, httpMethod="ANY", authorizationType="AWS_IAM")
    gateway.put_integration(
        restApiId=found,
        resourceId=proxy,
        httpMethod="ANY",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    cloud.client("lambda", HUB).add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{HUB}:{found}/*",
    )
    gateway.create_deployment(restApiId=found, stageName="v1")
    return Api(cloud, found, named, of_a_session, other)


@pytest.mark.parametrize("what", [LOOK, DECIDE])
def test_a_named_role_looks_and_decides(api: Api, what: tuple[str, str]) -> None:
    reply = api.call(api.named, what)
    assert reply.status == 200, reply.body
    assert reply.body.decode() == f"arn:aws:sts::{DEV}:assumed-role/{api.named.rpartition('/')[2]}/kim"


@pytest.mark.parametrize(
    "what",
    [("GET", "/releases"), ("POST", "/provisionpipeline"), ("DELETE", "/workloads/w"), ("POST", "/releases/r-1")],
)
def test_and_does_nothing_else(api: Api, what: tuple[str, str]) -> None:
    assert api.call(api.named, what).status == 403


def test_another_role_of_the_account_is_kept_out(api: Api) -> None:
    assert api.call(api.other, LOOK).status == 403


def test_of_a_role_of_which_a_session_is_named_only_that_session(api: Api) -> None:
    assert api.call(api.of_a_session, DECIDE, "chloe").status == 200
    assert api.call(api.of_a_session, DECIDE, "kim").status == 403


def test_the_accounts_root_is_kept_out(api: Api) -> None:
    assert api.call_with(Credentials(DEV, "local"), LOOK).status == 403


def test_a_named_role_needs_its_own_accounts_word_too(api: Api) -> None:
    iam = api.cloud.client("iam", DEV)
    name = api.named.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    try:
        assert api.call(api.named, LOOK).status == 403
    finally:
        document = json.dumps({"Version": "2012-10-17", "Statement": [CALLS]})
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)


def test_callers_of_the_own_account_need_their_own_policies_alone(api: Api) -> None:
    role = make_role(api.cloud, HUB, trust({"AWS": f"arn:aws:iam::{HUB}:root"}), CALLS)
    given = api.cloud.client("sts", HUB).assume_role(RoleArn=role, RoleSessionName="ben")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert api.call_with(keys, ("GET", "/releases")).status == 200
