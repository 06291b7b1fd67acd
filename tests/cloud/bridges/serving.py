"""Models that multiply, and the resources that serve one of them, for tests of endpoints."""

from __future__ import annotations

from typing import Any

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, REGION, make_bucket, make_role, model_archive, service_trust, statement
from tests.cloud.bridges.stacks_of import resource

SCRIPT = "import json\ndef model_fn(d): return None\ndef predict_fn(x, m): return {'y': x['x'] * FACTOR}\n"


def make_models(cloud: EmbeddedCloud) -> str:
    """A bucket with the models 2 and 3, which multiply by that; its name."""
    name = make_bucket(cloud, DEV)
    for factor in (2, 3):
        body = model_archive(SCRIPT.replace("FACTOR", str(factor)))
        cloud.client("s3", DEV).put_object(Bucket=name, Key=f"{factor}/model.tar.gz", Body=body)
    return name


def make_execution_role(cloud: EmbeddedCloud, bucket: str) -> str:
    """A role that may read a bucket's models and look at alarms."""
    return make_role(
        cloud,
        DEV,
        service_trust("sagemaker"),
        statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*"),
        statement("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{DEV}:alarm:*"),
        path="/mlops/workload/",
    )


def serving(
    role: str, bucket: str, factor: int = 2, variant: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Model, configuration and endpoint; ``more`` are members of the endpoint."""
    found = {"VariantName": "all", "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}, "InitialVariantWeight": 1}
    found |= variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    container = {"Image": "an-image:1", "ModelDataUrl": f"s3://{bucket}/{factor}/model.tar.gz"}
    return {
        "Model": resource("AWS::SageMaker::Model", ExecutionRoleArn=role, PrimaryContainer=container),
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[found]),
        "Endpoint": resource(
            "AWS::SageMaker::Endpoint",
            EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            **more,
        ),
    }


NAME = {"Name": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}}


def ask(cloud: EmbeddedCloud, endpoint: str) -> bytes:
    runtime = cloud.client("sagemaker-runtime", DEV)
    body: bytes = runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"x": 1}', ContentType="application/json")[
        "Body"
    ].read()
    return body
