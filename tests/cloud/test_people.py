"""The people of the local installation, against real IAM enforcement and a real API of the embedded cloud."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from local.installation import Running
from local.people import credentials_of, people
from local.settings import CHANNEL, settings
from local.signed import call
from orchestrator.core.people import same_principal
from tests.cloud.accounts import HUB, REGION, make_function, make_role, statement, trust

pytestmark = pytest.mark.cloud

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"]["identity"]["userArn"])}
"""


@pytest.fixture(scope="module")
def running(cloud: EmbeddedCloud) -> Running:
    """An installation whose API says who called."""
    gateway = cloud.client("apigateway", HUB)
    api = gateway.create_rest_api(name="who-calls")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    function = make_function(cloud, HUB, ECHO)
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="AWS_IAM")
    gateway.put_integration(
        restApiId=api,
        resourceId=root,
        httpMethod="GET",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    cloud.client("lambda", HUB).add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{HUB}:{api}/*/GET/",
    )
    gateway.create_deployment(restApiId=api, stageName="prod")
    url = f"https://{api}.execute-api.{REGION}.amazonaws.com/prod/"
    return Running("multi", cloud.endpoint_url, 0, "", 0, {"ApiUrl": url})


def named(seen: str) -> list[str]:
    """Names of the people whom the settings know by this ARN."""
    known = settings("multi", "", CHANNEL)["people"]
    return [one["name"] for one in known if any(same_principal(name, seen) for name in one["iam_principals"])]


@pytest.mark.parametrize("person", people())
def test_the_api_sees_the_person_whom_the_settings_name(running: Running, person: str) -> None:
    url = running.cloud.local_url(running.outputs["ApiUrl"])
    reply = call("GET", url, credentials_of(running, person), REGION)
    assert reply.status == 200, reply.body
    assert named(json.loads(reply.body)) == [people()[person]]


def test_a_session_of_another_role_that_calls_itself_ben_is_nobody(running: Running, cloud: EmbeddedCloud) -> None:
    invoke = statement("execute-api:Invoke", f"arn:aws:execute-api:{REGION}:{HUB}:*")
    role = make_role(cloud, HUB, trust({"AWS": f"arn:aws:iam::{HUB}:root"}), invoke)
    given = cloud.client("sts", HUB).assume_role(RoleArn=role, RoleSessionName="ben")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    reply = call("GET", running.cloud.local_url(running.outputs["ApiUrl"]), keys, REGION)
    assert reply.status == 200, reply.body
    seen = json.loads(reply.body)
    assert seen.endswith("/ben")
    assert named(seen) == []


def test_a_person_may_call_the_api_and_nothing_else(running: Running) -> None:
    keys = credentials_of(running, "ben")
    session = boto3.session.Session(keys.access_key, keys.secret_key, keys.token, region_name=REGION)
    with pytest.raises(ClientError, match="s3:ListAllMyBuckets"):
        session.client("s3", endpoint_url=running.cloud.endpoint_url).list_buckets()


def test_without_a_signature_nobody_answers(running: Running) -> None:
    url = running.cloud.local_url(running.outputs["ApiUrl"])
    assert call("GET", url, Credentials("AKIANOBODY", "guessed"), REGION).status == 403
