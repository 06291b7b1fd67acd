"""SageMaker endpoints: deployed from S3 under the execution role, really asked, changed in place by CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    eventually,
    failed_events,
    make_bucket,
    make_role,
    model_archive,
    service_trust,
    settled,
    stack_status,
    statement,
    unique,
)

pytestmark = pytest.mark.cloud

IMAGE = f"{HUB}.dkr.ecr.{REGION}.amazonaws.com/served:1"

DOUBLER = """
import json
from pathlib import Path

def model_fn(model_dir):
    return int(Path(model_dir, "factor.txt").read_text())

def input_fn(body, content_type):
    if content_type != "application/json":
        raise ValueError("only JSON, not " + content_type)
    return json.loads(body)["x"]

def predict_fn(x, model):
    if x < 0:
        raise ValueError("x must not be negative")
    return x * model

def output_fn(prediction, accept):
    return json.dumps({"y": prediction}), accept
"""


def model(factor: int, script: str = DOUBLER) -> bytes:
    return model_archive(script, **{"factor.txt": str(factor).encode()})


def store(cloud: EmbeddedCloud, account: str, data: bytes) -> tuple[str, str]:
    """Put a model into a new bucket of the account; bucket and key."""
    bucket = make_bucket(cloud, account)
    cloud.client("s3", account).put_object(Bucket=bucket, Key="models/model.tar.gz", Body=data)
    return bucket, "models/model.tar.gz"


def execution_role(cloud: EmbeddedCloud, bucket: str, key: str = "*") -> str:
    readable = statement("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    return make_role(cloud, DEV, service_trust("sagemaker"), readable, path="/mlops/workload/")


TEMPLATE = {
    "Parameters": {name: {"Type": "String"} for name in ("Role", "Url", "Instances")},
    "Resources": {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": {"Ref": "Role"},
                "PrimaryContainer": {
                    "Image": IMAGE,
                    "ModelDataUrl": {"Ref": "Url"},
                },
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": {"Ref": "Instances"},
                        "InitialVariantWeight": 1,
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        },
    },
    "Outputs": {
        "Name": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
        "Arn": {"Value": {"Ref": "Endpoint"}},
        "ModelName": {"Value": {"Fn::GetAtt": ["Model", "ModelName"]}},
    },
}


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def deploy(cloud: EmbeddedCloud, stack: str, kind: str, **values: str) -> dict[str, Any]:
    """Create or update the stack and wait; its description."""
    client = cloud.client("cloudformation", DEV)
    getattr(client, f"{kind}_stack")(
        StackName=stack, TemplateBody=json.dumps(TEMPLATE), Parameters=parameters(**values)
    )
    return settled(cloud, DEV, stack)


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def failures(cloud: EmbeddedCloud, stack: str) -> list[str]:
    return [event["ResourceStatusReason"] for event in failed_events(cloud, DEV, stack)]


def ask(cloud: EmbeddedCloud, endpoint: str, body: object, content_type: str = "application/json") -> Any:
    answer = cloud.client("sagemaker-runtime", DEV).invoke_endpoint(
        EndpointName=endpoint, Body=json.dumps(body).encode(), ContentType=content_type
    )
    return json.loads(answer["Body"].read())


def test_a_stack_makes_an_endpoint_that_predicts_and_takes_a_new_model_in_place(cloud: EmbeddedCloud) -> None:
    first, second = store(cloud, DEV, model(2)), store(cloud, DEV, model(3))
    readable = [f"arn:aws:s3:::{bucket}/{key}" for bucket, key in (first, second)]
    role = make_role(cloud, DEV, service_trust("sagemaker"), statement("s3:GetObject", readable))
    stack = unique("realtime")
    made = deploy(cloud, stack, "create", Role=role, Url=f"s3://{first[0]}/{first[1]}", Instances="1")
    assert made["StackStatus"] == "CREATE_COMPLETE"
    before = outputs(made)
    assert before["Arn"] == f"arn:aws:sagemaker:{REGION}:{DEV}:endpoint/{before['Name'].lower()}"
    assert ask(cloud, before["Name"], {"x": 21}) == {"y": 42}

    changed = deploy(cloud, stack, "update", Role=role, Url=f"s3://{second[0]}/{second[1]}", Instances="1")
    assert changed["StackStatus"] == "UPDATE_COMPLETE"
    after = outputs(changed)
    assert (after["Name"], after["Arn"]) == (before["Name"], before["Arn"])
    assert after["ModelName"] != before["ModelName"], "a model is replaced, under a new name"
    assert ask(cloud, after["Name"], {"x": 21}) == {"y": 63}
    models = [m["ModelName"] for m in cloud.client("sagemaker", DEV).list_models()["Models"]]
    assert after["ModelName"] in models
    assert before["ModelName"] not in models, "the former model is removed once the update is over"

    client = cloud.client("cloudformation", DEV)
    client.delete_stack(StackName=stack)
    eventually(lambda: stack_status(cloud, DEV, made["StackId"]) == "DELETE_COMPLETE")
    with pytest.raises(ClientError, match="not found"):
        ask(cloud, after["Name"], {"x": 1})


def test_an_exception_of_the_model_is_a_model_error_with_its_status_and_words(cloud: EmbeddedCloud) -> None:
    bucket, key = store(cloud, DEV, model(2))
    role = execution_role(cloud, bucket)
    name = outputs(deploy(cloud, unique("refusing"), "create", Role=role, Url=f"s3://{bucket}/{key}", Instances="1"))[
        "Name"
    ]
    with pytest.raises(ClientError) as refused:
        ask(cloud, name, {"x": -1})
    assert refused.value.response["Error"]["Code"] == "ModelError"
    answer: dict[str, Any] = dict(refused.value.response)
    assert answer["OriginalStatusCode"] == 500
    assert answer["OriginalMessage"] == "x must not be negative"
    assert ask(cloud, name, {"x": 4}) == {"y": 8}, "the endpoint goes on serving"


REASONS = [
    pytest.param("models/absent.tar.gz", "*", DOUBLER, "Could not find model data at s3://", id="no such object"),
    pytest.param("models/model.tar.gz", "other/*", DOUBLER, "Could not access model data at", id="role may not read"),
    pytest.param(
        "models/model.tar.gz", "*", "def model_fn(d): raise OSError('no weights')", "ping health check", id="no start"
    ),
]


@pytest.mark.parametrize(("key", "readable", "script", "reason"), REASONS)
def test_a_model_that_cannot_be_served_fails_the_stack_with_sagemakers_reason(
    cloud: EmbeddedCloud, key: str, readable: str, script: str, reason: str
) -> None:
    bucket, _ = store(cloud, DEV, model(2, script))
    role = execution_role(cloud, bucket, readable)
    stack = unique("failing")
    found = deploy(cloud, stack, "create", Role=role, Url=f"s3://{bucket}/{key}", Instances="1")
    assert found["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(reason in words for words in failures(cloud, stack))


def test_an_update_to_a_model_that_does_not_start_rolls_back_and_the_old_one_serves(cloud: EmbeddedCloud) -> None:
    good, bad = store(cloud, DEV, model(2)), store(cloud, DEV, model(2, "raise RuntimeError('broken')"))
    role = make_role(cloud, DEV, service_trust("sagemaker"), statement("s3:GetObject", "arn:aws:s3:::*"))
    stack = unique("rolling-back")
    name = outputs(deploy(cloud, stack, "create", Role=role, Url=f"s3://{good[0]}/{good[1]}", Instances="1"))["Name"]
    found = deploy(cloud, stack, "update", Role=role, Url=f"s3://{bad[0]}/{bad[1]}", Instances="1")
    assert found["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("RuntimeError: broken" in words for words in failures(cloud, stack))
    assert ask(cloud, name, {"x": 5}) == {"y": 10}


def test_a_model_in_another_accounts_bucket_is_read_when_its_policy_lets_the_workloads_role_in(
    cloud: EmbeddedCloud,
) -> None:
    bucket, key = store(cloud, HUB, model(7))
    role = execution_role(cloud, bucket)
    url = f"s3://{bucket}/{key}"
    refused = unique("foreign")
    assert deploy(cloud, refused, "create", Role=role, Url=url, Instances="1")["StackStatus"] == "ROLLBACK_COMPLETE"
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/workload/*"}}
    allowed = statement(
        "s3:GetObject", f"arn:aws:s3:::{bucket}/*", Principal={"AWS": f"arn:aws:iam::{DEV}:root"}, Condition=condition
    )
    cloud.client("s3", HUB).put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [allowed]}))
    made = deploy(cloud, unique("foreign"), "create", Role=role, Url=url, Instances="1")
    assert ask(cloud, outputs(made)["Name"], {"x": 6}) == {"y": 42}


def test_iam_decides_who_may_ask_an_endpoint(cloud: EmbeddedCloud) -> None:
    bucket, key = store(cloud, DEV, model(2))
    role = execution_role(cloud, bucket)
    made = deploy(cloud, unique("guarded"), "create", Role=role, Url=f"s3://{bucket}/{key}", Instances="1")
    name, arn = outputs(made)["Name"], outputs(made)["Arn"]
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": DEV}, "Action": "sts:AssumeRole"}]})
    reader = make_role(cloud, DEV, trusted, statement("sagemaker:InvokeEndpoint", arn))
    stranger = make_role(cloud, DEV, trusted, statement("sagemaker:InvokeEndpoint", arn + "-other"))

    def ask_as(role_arn: str) -> Any:
        runtime = cloud.client_as("sagemaker-runtime", role_arn, DEV)
        return json.loads(
            runtime.invoke_endpoint(EndpointName=name, Body=b'{"x": 1}', ContentType="application/json")["Body"].read()
        )

    assert ask_as(reader) == {"y": 2}
    with pytest.raises(ClientError, match="AccessDenied"):
        ask_as(stranger)


def test_accounts_are_kept_apart(cloud: EmbeddedCloud) -> None:
    name = unique("group")
    cloud.client("sagemaker", DEV).create_model_package_group(ModelPackageGroupName=name)
    there = cloud.client("sagemaker", DEV).list_model_package_groups()["ModelPackageGroupSummaryList"]
    here = cloud.client("sagemaker", HUB).list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert name in [group["ModelPackageGroupName"] for group in there]
    assert name not in [group["ModelPackageGroupName"] for group in here]
