"""``Ref`` of a secret is its ARN, through creation, change and deletion of the stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import HUB, settled, unique

pytestmark = pytest.mark.cloud


def template(description: str) -> str:
    secret = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "Description": description,
            "GenerateSecretString": {
                "SecretStringTemplate": '{"bot_token": ""}',
                "GenerateStringKey": "signing_secret",
            },
        },
    }
    return json.dumps({"Resources": {"Secret": secret}, "Outputs": {"Arn": {"Value": {"Ref": "Secret"}}}})


def output(stack: dict[str, Any]) -> str:
    (found,) = stack["Outputs"]
    return str(found["OutputValue"])


def test_a_reference_to_a_secret_is_its_arn(cloud: EmbeddedCloud) -> None:
    stacks, secrets = cloud.client("cloudformation", HUB), cloud.client("secretsmanager", HUB)
    name = unique("secret")
    stacks.create_stack(StackName=name, TemplateBody=template("one"))
    arn = output(settled(cloud, HUB, name))

    assert arn.startswith(f"arn:aws:secretsmanager:us-east-1:{HUB}:secret:")
    assert set(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])) == {"bot_token", "signing_secret"}

    stacks.update_stack(StackName=name, TemplateBody=template("two"))
    assert output(settled(cloud, HUB, name)) == arn
    assert secrets.describe_secret(SecretId=arn)["Description"] == "two"

    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    with pytest.raises(ClientError):
        secrets.describe_secret(SecretId=arn)
